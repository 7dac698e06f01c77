"""One album by jmcomic's own async downloader and zip plug-in; prints seconds and the archive as JSON.

Run in a process of its own, because of its global state and its threads:
`python -m benchmarks.jmcomic_baseline API_URL IMAGE_URL ALBUM_ID FOLDER [jpg]`
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from jmcomic import JmModuleConfig, JmOption, download_album_async


def option_for(api_url: str, image_url: str, folder: Path, suffix: str | None) -> Any:
    """jmcomic as its documentation advises, with our addresses and without its log."""
    JmModuleConfig.PROT = "http"
    JmModuleConfig.DOMAIN_IMAGE_LIST = [image_url.removeprefix("http")]
    JmModuleConfig.FLAG_API_CLIENT_AUTO_UPDATE_DOMAIN = False
    JmModuleConfig.FLAG_API_CLIENT_REQUIRE_COOKIES = False
    logging.getLogger("jmcomic").handlers.clear()
    JmModuleConfig.EXECUTOR_LOG = _ignore
    return JmOption.construct(
        {
            "log": False,
            "dir_rule": {"rule": "Bd_Pid", "base_dir": str(folder / "pages")},
            "download": {"cache": False, "image": {"decode": True, "suffix": suffix}},
            "client": {
                "impl": "api",
                "domain": [api_url],
                "retry_times": 1,
                "postman": {"meta_data": {"proxies": None, "impersonate": "chrome"}},
            },
            "plugins": {
                "after_album": [
                    {"plugin": "zip", "kwargs": {"zip_dir": str(folder / "zips"), "filename_rule": "Aid"}}
                ]
            },
        }
    )


def _ignore(*_: object) -> None:
    """Replaces jmcomic's log."""


async def main(api_url: str, image_url: str, album_id: str, folder: Path, suffix: str | None) -> None:
    """Download once and print how long it took."""
    option = option_for(api_url, image_url, folder, suffix)
    started = time.perf_counter()
    await download_album_async(album_id, option)
    seconds = time.perf_counter() - started
    archive = folder / "zips" / f"{album_id}.zip"
    sys.stdout.write(json.dumps({"seconds": seconds, "path": str(archive), "size": archive.stat().st_size}))


if __name__ == "__main__":
    api, image, album, where, *rest = sys.argv[1:]
    asyncio.run(main(api, image, album, Path(where), f".{rest[0]}" if rest else None))
