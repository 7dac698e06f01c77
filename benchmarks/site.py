"""The demo site in a process of its own, so that its work is not measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.processes import process
from services.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """Base addresses of the demo site's hosts, by role."""

    api: tuple[str, ...]
    html: tuple[str, ...]
    image: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of a process that uses it."""
        return {
            "JMGRAPH_JM_METHOD": "api",
            "JMGRAPH_JM_API_URLS": ",".join(self.api),
            "JMGRAPH_JM_HTML_URLS": ",".join(self.html),
            "JMGRAPH_JM_IMAGE_URLS": ",".join(self.image),
            "JMGRAPH_DISK_FLOOR": "0",
        }

    @property
    def settings(self) -> dict[str, Any]:
        """The same as keyword arguments of `read_settings`."""
        return {
            "jm_method": "api",
            "jm_api_urls": self.api,
            "jm_html_urls": self.html,
            "jm_image_urls": self.image,
            "disk_floor_bytes": 0,
        }

    async def set_knobs(self, knobs: dict[str, Any]) -> None:
        """Set knobs, as `POST /_demo/knobs` takes them."""
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(f"{self.api[0]}/_demo/knobs", json=knobs)).raise_for_status()


@contextmanager
def demo_site(folder: Path) -> Iterator[Site]:
    """The site with its pictures in `folder`, stopped at the end of the block."""
    with process(["-m", "demo", "--port", "0", "--folder", str(folder)]) as started:
        addresses = json.loads(started.stdout.readline() if started.stdout else "{}")
        yield Site(*(tuple(addresses[role]) for role in ("api", "html", "image")))


def worker_environment(site: Site, settings: Settings, redis_url: str) -> dict[str, str]:
    """The environment of a worker on this site, these settings' data and this Redis."""
    return site.environment | {
        "JMGRAPH_DATA_DIR": str(settings.data_dir),
        "JMGRAPH_REDIS_URL": redis_url,
        "JMGRAPH_LOG_LEVEL": "error",
    }
