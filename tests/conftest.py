"""Fixtures everybody shares: real neighbours, small and on loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
