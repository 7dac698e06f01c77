"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from demo.server import RunningDemo
from tests.processes import free_port
from tests.tag_repositories import make_tag_repository

__all__ = ["Environ", "environ", "make_tag_repository"]

Environ = Callable[..., dict[str, str]]


@pytest.fixture
def environ(demo: RunningDemo, tmp_path: Path) -> Environ:
    """The environment of a command on the demo site, with a data directory of this test's own."""

    def make(**more: str) -> dict[str, str]:
        return {
            "JMGRAPH_PORT": str(free_port()),
            "JMGRAPH_DATA_DIR": str(tmp_path / "data"),
            "JMGRAPH_JM_METHOD": "api",
            "JMGRAPH_JM_API_URLS": ",".join(demo.api_urls),
            "JMGRAPH_JM_HTML_URLS": ",".join(demo.html_urls),
            "JMGRAPH_JM_IMAGE_URLS": ",".join(demo.image_urls),
            "JMGRAPH_JM_TIMEOUT": "20",
            "JMGRAPH_JM_RETRIES": "2",
            "JMGRAPH_DISK_FLOOR": "0",
            **more,
        }

    return make
