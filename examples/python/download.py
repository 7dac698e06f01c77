"""The week's ranking, then the download of its first album with its progress. Run: python download.py URL"""

from __future__ import annotations

import asyncio
import sys

from jmgraph_client import JmgraphClient, StartDownloadInput
from jmgraph_client.fragments import DownloadCard


async def main(url: str) -> None:
    """Print what happens, a line each."""
    async with JmgraphClient(url) as client:
        ranking = (await client.ranking()).ranking
        for entry in ranking.entries[:3]:
            print(f"{entry.rank}. {entry.album.title}")
        await start(client, "999999999")
        if download := await start(client, ranking.entries[0].album.id):
            await follow(client, download.id)


async def start(client: JmgraphClient, album_id: str) -> DownloadCard | None:
    """The queued download; prints why there is none."""
    result = (await client.start_download(StartDownloadInput(albumId=album_id))).start_download
    if isinstance(result, DownloadCard):
        return result
    wait = f" Try again in {result.retry_after} s." if result.retry_after else ""
    print(f"{result.code.value}: {result.message}{wait}")
    return None


async def follow(client: JmgraphClient, id: str) -> None:
    """Print the progress, until the download has ended."""
    async for event in client.download_status(id):
        download = event.download_status
        print(download.file.url if download.file else f"{download.state.value} {download.progress.percent:.0f} %")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:11111"))
