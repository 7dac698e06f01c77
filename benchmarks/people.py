"""People: a hundred reports of progress a second, none lost; and what a viewer sees first with 5,000 albums."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from benchmarks.load import get, load, post_json
from benchmarks.servers import jmgraph, read_json
from services.database import Database, open_database
from services.database.models import OWNER_ID, AlbumReadingRow, AlbumRow, ChapterRow, LibraryRow, ReadingRow
from services.settings import read_settings

ALBUMS = 5000
CHAPTERS = 3
READ_SHARE = 2
"""Every second album is read; of those every fifth is not read to its end."""

REPORTS_PER_S = 100
SECONDS = 10
PAGES = 10
REPORT = """mutation ($album: ID!, $page: Int!) {
  setReadingProgress(input: {albumId: $album, chapterId: $album, page: $page}) { ... on ReadingProgress { page } }
}"""
SINGLES = ("118204", "145590", "156821", "163348", "171905", "183462", "194713", "214586", "226941", "231875")
"""Albums of the demo site with one chapter of ten pages or more."""

VIEWER = """{ viewer { continueReading { album { title } page }
  library { totalCount nodes { album { title } addedAt unreadCount newChapters { title } } } } }"""
ORDERED = """{ viewer { library(filter: {orderBy: %s}) { totalCount nodes { album { title } unreadCount } } } }"""
WITH_NEW = (
    """{ viewer { library(filter: {hasNew: true}) { totalCount nodes { album { title } newChapters { id } } } } }"""
)

CHECKED = 1000
"""Albums that a look is asked for; the demo site has them, as it has all numbers from 2000000 to 2009999."""
CHECK_S = 10.0
OTHERS = """{ search(query: "旅行") { items { id title tags { name } } } server { version } }"""
"""From memory, but executed each time, since the state of the server is in no cache."""

ROUNDS = 5
"""Of load without and with a session, in turns."""
PUBLIC = "{ ranking { total entries { rank album { id title tags { name translation { name } } } } } }"
CREATE_USER = """mutation { createUser(input: {name: "reader", password: "correct-horse"}) { __typename } }"""
REMOVE_USER = """mutation { removeUser(id: "owner") { __typename } }"""
LOGIN = """mutation { login(input: {name: "reader", password: "correct-horse"}) { ... on Session { token } } }"""

Address = tuple[str, int]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, jmgraph(data_dir=folder) as ours:
        print(f"People: one process, SQLite; {REPORTS_PER_S} reports a second for {SECONDS} s")
        asyncio.run(_reports(ours))
        asyncio.run(_fill(Path(folder)))
        print(f"  a library of {ALBUMS} albums of {CHAPTERS} chapters, {ALBUMS // READ_SHARE} of them read")
        _print_viewer(ours, "continue reading, and the library (goal 30 ms)", VIEWER)
        for order in ("ADDED", "UPDATED", "READ", "TITLE"):
            _print_viewer(ours, f"the library by {order}", ORDERED % order)
        _print_viewer(ours, "the library, what is new", WITH_NEW)
        asyncio.run(_check(ours, Path(folder)))
    with jmgraph() as ours:
        _print_opds(ours)
        _print_session(ours)


def _print_opds(ours: Address) -> None:
    """A feed of 80 entries whose albums are in memory; and first pages that nobody has read, in turns as JPEG for a
    reading app and as they are for our own reader.
    """
    for version in ("/opds", "/opds/v2"):
        path = f"{version}/rankings/all"
        _fetch(ours, path)
        result = load(ours, get(path), seconds=2.0, connections=1)
        print(f"  {path:<48} p50 {result.p50_ms:5.1f} ms  p95 {result.p95_ms:5.1f} ms (goal 15 ms)")
    streamed, own = [], []
    for first, second in zip(SINGLES[::2], SINGLES[1::2], strict=True):
        streamed.append(_fetch(ours, f"/opds/pages/{first}/0?width=1200"))
        own.append(_fetch(ours, f"/images/pages/{second}/1"))
    print(f"  a first page: streamed {_ms(streamed)}, in our own reader {_ms(own)}")


def _fetch(address: Address, path: str) -> float:
    """Seconds until a response is there."""
    began = time.perf_counter()
    httpx.get(f"http://{address[0]}:{address[1]}{path}", timeout=60).raise_for_status()
    return time.perf_counter() - began


def _ms(took_s: Sequence[float]) -> str:
    return f"{statistics.median(took_s) * 1000:.0f} ms ({min(took_s) * 1000:.0f} to {max(took_s) * 1000:.0f})"


def _print_session(ours: Address) -> None:
    """What a session costs on a public query that is cached: without one while the server is open, and with one.

    In turns on one server, which is open again when its account has removed itself: two servers that are started
    alike differ by more.
    """
    request = {"query": PUBLIC}
    read_json(ours, "/graphql", request)
    without, with_session = [], []
    for _ in range(ROUNDS):
        without.append(load(ours, post_json("/graphql", request)))
        read_json(ours, "/graphql", {"query": CREATE_USER})
        session: Any = read_json(ours, "/graphql", {"query": LOGIN})
        authorization = f"Bearer {session['data']['login']['token']}"
        with_session.append(load(ours, post_json("/graphql", request, authorization=authorization)))
        read_json(ours, "/graphql", {"query": REMOVE_USER}, authorization=authorization)
    rates = [statistics.median(each.requests_per_s for each in loads) for loads in (without, with_session)]
    failures = sum(each.failures for each in (*without, *with_session))
    print(f"  a cached ranking: {rates[0]:,.0f}/s without a session, {rates[1]:,.0f}/s with one")
    print(f"  with / without: {rates[1] / rates[0]:.2f} (goal 0.9); {failures} failures")


async def _reports(ours: Address) -> None:
    """Send reports at an even rate, whatever the server does meanwhile; then look for each that was acknowledged."""
    took_s: list[float] = []
    acknowledged: dict[str, int] = {}

    async def report(number: int) -> None:
        album, page = SINGLES[number % len(SINGLES)], number // len(SINGLES) % PAGES + 1
        began = time.perf_counter()
        answer = await http.post("/graphql", json={"query": REPORT, "variables": {"album": album, "page": page}})
        took_s.append(time.perf_counter() - began)
        if answer.json()["data"]["setReadingProgress"] == {"page": page}:
            acknowledged[album] = page

    async with httpx.AsyncClient(base_url=f"http://{ours[0]}:{ours[1]}", trust_env=False, timeout=60) as http:
        await asyncio.gather(*map(report, range(len(SINGLES))))
        took_s.clear()
        began = time.perf_counter()
        sent: list[asyncio.Task[None]] = []
        for number in range(len(SINGLES), len(SINGLES) + REPORTS_PER_S * SECONDS):
            await asyncio.sleep(max(0.0, began + len(sent) / REPORTS_PER_S - time.perf_counter()))
            sent.append(asyncio.create_task(report(number)))
        await asyncio.gather(*sent)
        lasted_s = time.perf_counter() - began
        lost = 0
        for album, page in acknowledged.items():
            query = f'{{ album(id: "{album}") {{ progress {{ page }} }} }}'
            found = (await http.post("/graphql", json={"query": query})).json()
            lost += found["data"]["album"]["progress"] != {"page": page}
    p50, p95 = statistics.median(took_s) * 1000, statistics.quantiles(took_s, n=20)[-1] * 1000
    print(
        f"  {len(took_s) / lasted_s:.0f} reports/s, p50 {p50:.1f} ms, p95 {p95:.1f} ms; "
        f"the last of {lost} of {len(acknowledged)} albums lost (goal 0)"
    )
    album = SINGLES[0]
    flat_out = load(ours, post_json("/graphql", {"query": REPORT, "variables": {"album": album, "page": 1}}))
    print(f"  flat out, 32 connections: {flat_out.requests_per_s:.0f} reports/s, p95 {flat_out.p95_ms:.0f} ms")


async def _fill(data_dir: Path) -> None:
    """Put the library and what is read of it into the database that the server has open."""
    async with open_database(read_settings(data_dir=data_dir)) as database:
        for first in range(0, ALBUMS, 500):
            await _fill_part(database, range(first, first + 500))


async def _fill_part(database: Database, numbers: range) -> None:
    albums = [
        AlbumRow(
            id=str(2_000_000 + 10 * number),
            title=f"山行 {number} 高山湖泊寫生帖",
            title_key=f"山行{(number * 7919) % ALBUMS:05}高山湖泊写生帖",
            tags=["全彩", "中文", "長篇", "風景", "旅行", "料理"],
            chapter_count=CHAPTERS,
            digest=b"0" * 32,
            updated_at_ms=(number * 104729) % 10_000_000,
            checked_at_ms=1 if number < CHECKED else int(time.time() * 1000),
        )
        for number in numbers
    ]
    async with database.write() as session:
        session.add_all(albums)
        await session.flush()
        for number, album in zip(numbers, albums, strict=True):
            session.add(
                LibraryRow(user_id=OWNER_ID, album_id=album.id, added_at_ms=number, auto_download=False, notify=True)
            )
            for place in range(1, CHAPTERS + 1):
                is_new = place == CHAPTERS and number % 50 == 0
                chapter = ChapterRow(
                    album_id=album.id,
                    id=str(int(album.id) + place - 1),
                    position=place,
                    title=f"第{place}話",
                    is_listed=True,
                    is_told=True,
                )
                chapter.found_at_ms = 20_000_000 if is_new else 0
                session.add(chapter)
            if number % READ_SHARE == 0:
                is_finished = number % 10 != 0
                session.add(
                    ReadingRow(
                        user_id=OWNER_ID,
                        chapter_id=str(int(album.id) + CHAPTERS - 1),
                        album_id=album.id,
                        page=20 if is_finished else 7,
                        page_count=20,
                        is_finished=is_finished,
                        read_at_ms=1_700_000_000_000 + number,
                    )
                )
        await session.flush()
        session.add_all(
            AlbumReadingRow(
                user_id=OWNER_ID,
                album_id=album.id,
                chapter_id=str(int(album.id) + CHAPTERS - 1),
                read_at_ms=1_700_000_000_000 + number,
            )
            for number, album in zip(numbers, albums, strict=True)
            if number % READ_SHARE == 0
        )


async def _check(ours: Address, data_dir: Path) -> None:
    """Have the worker look at a thousand albums, and ask for other things meanwhile."""
    request = post_json("/graphql", {"query": OTHERS})
    before = await asyncio.to_thread(load, ours, request, seconds=4.0, connections=4)
    answer: Any = read_json(ours, "/graphql", {"query": "mutation { checkLibrary }"})
    began = time.perf_counter()
    meanwhile = await asyncio.to_thread(load, ours, request, seconds=CHECK_S, connections=4)
    took_s = time.perf_counter() - began
    left = select(func.count()).select_from(AlbumRow).where(AlbumRow.requested_at_ms.is_not(None))
    async with open_database(read_settings(data_dir=data_dir)) as database, database.read() as session:
        looked_at = answer["data"]["checkLibrary"] - (await session.scalar(left) or 0)
    print(
        f"  a check of {answer['data']['checkLibrary']} albums: {looked_at / took_s:.0f}/s (at most 10); "
        f"others' p95 {before.p95_ms:.1f} ms before, {meanwhile.p95_ms:.1f} ms meanwhile, "
        f"{meanwhile.failures} failures"
    )


def _print_viewer(ours: Address, name: str, query: str) -> None:
    result = load(ours, post_json("/graphql", {"query": query}), seconds=2.0, connections=1)
    print(f"  {name:<48} p50 {result.p50_ms:5.1f} ms  p95 {result.p95_ms:5.1f} ms, {result.failures} failures")


if __name__ == "__main__":
    main()
