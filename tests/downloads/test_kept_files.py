"""Files that stay: where they lie, who holds them, and that they are found again; with a worker on the demo site."""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from darkseid.comic import Comic, MetadataFormat
from xmlschema import XMLSchema

from demo.server import RunningDemo
from services.downloads import ArchiveStore, open_downloads
from services.errors import StorageFull
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client, running_worker
from tests.persons import a_person
from tests.s3_server import BUCKET, empty_bucket, s3_options
from tests.waiting import until

pytestmark = pytest.mark.anyio

SINGLE, SERIES = "350234", "900120"
TWINS = ("900021", "900022")

FIELDS = """id state isKept archive expiresAt problem { code message retryable }
  file { name url } files { name url size chapterId } progress { pagesDone pagesTotal } notes"""
START = f"""mutation ($input: StartDownloadInput!) {{ startDownload(input: $input) {{ __typename
  ... on Download {{ {FIELDS} }} ... on Error {{ code message }} }} }}"""
KEEP = f"""mutation ($id: ID!, $keep: Boolean!) {{ keepDownload(id: $id, keep: $keep) {{ __typename
  ... on Download {{ {FIELDS} }} ... on Error {{ code message }} }} }}"""
RETRY = f"mutation ($id: ID!) {{ retryDownload(id: $id) {{ ... on Download {{ {FIELDS} }} }} }}"
FIND = f"query ($id: ID!) {{ download(id: $id) {{ {FIELDS} }} }}"


async def start(server: GraphQLClient, album_id: str, **input: Any) -> Any:
    """What `startDownload` answers."""
    return (await server.ask(START, input={"albumId": album_id, **input}))["startDownload"]


async def ended(server: GraphQLClient, id: str) -> Any:
    """A download once it has ended."""
    async with asyncio.timeout(60):
        async for _ in server.services.downloads.watch(id):
            pass
    return (await server.ask(FIND, id=id))["download"]


async def kept(server: GraphQLClient, album_id: str, **input: Any) -> Any:
    """A kept download of this album, ready."""
    started = await start(server, album_id, keep=True, **input)
    return await ended(server, started["id"])


def paths(settings: Settings) -> list[str]:
    """The files in the library."""
    folder = settings.library_folder
    assert folder is not None
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[GraphQLClient]:
    """A server with a worker."""
    async with graphql_client(settings) as server, running_worker(server.services):
        yield server


async def test_a_single_album_is_one_file_and_never_expires(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(download_ttl_s=0.2)
    async with serving(settings) as server:
        ready = await kept(server, SINGLE)
        again = await start(server, SINGLE, keep=True)
        response = await server.http.get(ready["file"]["url"])

        assert (ready["state"], ready["isKept"], ready["expiresAt"], ready["archive"]) == ("READY", True, None, "CBZ")
        (path,) = paths(settings)
        assert path.endswith(f" [JM{SINGLE}].cbz")
        assert path.rpartition("/")[2] == ready["file"]["name"]
        assert again["id"] == ready["id"]
        assert response.content == (settings.data_dir / "library" / path).read_bytes()


async def test_a_series_is_a_folder_with_a_file_for_each_chapter(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    async with serving(settings) as server:
        ready = await kept(server, SERIES)

        names = [file["name"] for file in ready["files"]]
        assert ready["file"] is None
        assert len(names) > 1
        assert [name[:4] for name in names] == [f"{index:03d} " for index in range(1, len(names) + 1)]
        assert sorted(path.rpartition("/")[2] for path in paths(settings)) == sorted(names)
        assert {path.rpartition("/")[0].rpartition(" ")[2] for path in paths(settings)} == {f"[JM{SERIES}]"}
        assert ready["progress"]["pagesDone"] == ready["progress"]["pagesTotal"]


async def test_programs_that_read_comics_read_each_file(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    schema = XMLSchema(Path(__file__).with_name("comicinfo.xsd"))
    async with serving(settings) as server:
        series = await kept(server, SERIES)
        await kept(server, SINGLE)
        album = (await server.ask(f'{{ album(id: "{SERIES}") {{ title tags {{ name }} }} }}'))["album"]

    comics = [Comic(settings.data_dir / "library" / path) for path in paths(settings)]
    for comic in comics:
        assert comic.is_valid_comic()
        schema.validate(comic.read_raw_ci_metadata())
    read = [(comic, comic.read_metadata(MetadataFormat.COMIC_INFO)) for comic in comics]
    chapters = [(comic, found) for comic, found in read if found.series and found.series.name == album["title"]]
    assert [found.issue for _, found in chapters] == [str(number) for number in range(1, len(series["files"]) + 1)]
    for comic, found in chapters:
        assert found.page_count == comic.get_number_of_pages()
        assert found.series.issue_count == len(series["files"])
        assert {genre.name for genre in found.genres} == {tag["name"] for tag in album["tags"]}
        assert found.stories[0].name == comic.path.stem.partition(" ")[2]


async def test_what_is_ready_is_put_into_the_library_without_the_site(
    make_settings: Callable[..., Settings], demo: RunningDemo
) -> None:
    settings = make_settings(download_ttl_s=60)
    async with serving(settings) as server:
        plain = await ended(server, (await start(server, SERIES))["id"])
        before = demo.requests.count(role="image")
        ready = await kept(server, SERIES)

        assert (plain["state"], plain["isKept"]) == ("READY", False)
        assert (ready["id"], ready["state"], ready["isKept"]) == (plain["id"], "READY", True)
        assert len(ready["files"]) == len(paths(settings)) > 1
        assert demo.requests.count(role="image") == before


async def test_the_library_reads_while_the_site_is_away(
    make_settings: Callable[..., Settings], demo: RunningDemo
) -> None:
    settings = make_settings(cache_album_s=0.001, cache_stale_s=0, jm_retries=1)
    read = f"""{{ album(id: "{SERIES}") {{ title chapters {{ id }} }}
      chapter(id: "{SERIES}") {{ pages {{ url }} }} other: album(id: "302166") {{ title }} }}"""
    async with serving(settings) as server:
        ready = await kept(server, SERIES)
        files = ready["files"]
        demo.knobs.set("*", dead=True)
        answer = await server.answer(read)
        page = await server.http.get(answer["data"]["chapter"]["pages"][0]["url"])
        last = answer["data"]["album"]["chapters"][-1]["id"]
        streamed = await server.http.get(f"/opds/pages/{last}/0?width=100")
        feed = await server.http.get(f"/opds/albums/{SERIES}")

        assert [each["id"] for each in answer["data"]["album"]["chapters"]] == [file["chapterId"] for file in files]
        assert [error["path"] for error in answer["errors"]] == [["other"]]
        with zipfile.ZipFile(_path_of(settings, files[0])) as archive:
            assert page.content == archive.read(min(name for name in archive.namelist() if "/" in name))
        assert (streamed.status_code, streamed.headers["content-type"]) == (200, "image/jpeg")
        assert all(file["url"].rpartition("/downloads/")[2] in feed.text for file in files)


async def test_a_file_deleted_by_hand_is_noticed_and_found_again(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    async with serving(settings) as server:
        ready = await kept(server, SERIES)
        gone = _path_of(settings, ready["files"][1])
        elsewhere = gone.rename(settings.data_dir / "elsewhere.cbz")

        lost = (await server.ask(FIND, id=ready["id"]))["download"]
        others = [(await server.http.head(file["url"])).status_code for file in lost["files"]]
        missing = await server.http.get(ready["files"][1]["url"])
        elsewhere.rename(gone)
        back = (await server.ask(FIND, id=ready["id"]))["download"]
        gone.unlink()
        await server.ask(RETRY, id=ready["id"])
        again = await ended(server, ready["id"])

        assert (lost["state"], lost["isKept"], lost["problem"]["code"]) == ("EXPIRED", True, "NOT_FOUND")
        assert lost["problem"]["retryable"]
        assert "1 of " in lost["problem"]["message"]
        assert lost["files"] == [file for file in ready["files"] if file["name"] != gone.name]
        assert set(others) == {200}
        assert missing.status_code == 404
        assert (back["state"], back["problem"], back["files"]) == ("READY", None, ready["files"])
        assert (again["state"], again["files"]) == ("READY", ready["files"])
        assert gone.is_file()


async def test_what_is_no_longer_kept_expires_unless_somebody_else_keeps_it(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings(download_ttl_s=0.2)
    async with serving(settings) as server:
        ready = await kept(server, SERIES)
        first = ready["files"][0]["chapterId"]
        chapter = await kept(server, SERIES, chapterIds=[first], force=True)
        await server.ask(KEEP, id=ready["id"], keep=False)
        await until(lambda: len(paths(settings)) == 1)
        left = (await server.ask(FIND, id=ready["id"]))["download"]

        assert (left["state"], left["isKept"], left["files"]) == ("EXPIRED", False, [])
        assert paths(settings)[0].endswith(f"/{chapter['file']['name']}")
        assert (await server.ask(FIND, id=chapter["id"]))["download"]["state"] == "READY"
        await server.services.downloads.remove(chapter["id"])
        assert paths(settings) == []


async def test_kept_downloads_come_back_when_redis_is_lost(
    make_settings: Callable[..., Settings], redis_url: str
) -> None:
    settings = make_settings()
    async with serving(settings) as server:
        ready = await kept(server, SERIES)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    async with graphql_client(settings) as server:
        await server.services.downloads.scan_library(server.services.archives)
        back = (await server.ask(FIND, id=ready["id"]))["download"]
        response = await server.http.head(back["files"][0]["url"])

    assert back == ready
    assert response.status_code == 200


async def test_a_scan_adopts_the_files_of_a_library_whose_database_was_lost(
    make_settings: Callable[..., Settings], redis_url: str, demo: RunningDemo, tmp_path: Path
) -> None:
    settings = make_settings()
    async with serving(settings) as server:
        series, single = await kept(server, SERIES), await kept(server, SINGLE)
        before = (await server.ask(f'{{ album(id: "{SERIES}") {{ title tags {{ name }} }} }}'))["album"]
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    moved = (settings.data_dir / "library").rename(tmp_path / "moved")
    (moved / "mine.cbz").write_bytes(b"no archive")
    demo.knobs.set("*", dead=True)

    fresh = make_settings(data_dir=tmp_path / "fresh", library_dir=moved, jm_retries=1)
    async with graphql_client(fresh) as server:
        found = await server.services.downloads.scan_library(server.services.archives)
        again = await server.services.downloads.scan_library(server.services.archives)
        downloads = (await server.ask(f"{{ downloads {{ nodes {{ albumId {FIELDS} }} }} }}"))["downloads"]["nodes"]
        after = (await server.ask(f'{{ album(id: "{SERIES}") {{ title tags {{ name }} }} }}'))["album"]
        page = await server.http.get(f"/images/pages/{series['files'][-1]['chapterId']}/1")

    count = len(series["files"]) + 1
    assert (found.files, found.adopted, found.moved, found.unknown) == (count + 1, count, 0, ["mine.cbz"])
    assert (again.adopted, again.moved) == (0, 0)
    by_album = {each["albumId"]: each for each in downloads}
    assert {id: (each["state"], each["isKept"]) for id, each in by_album.items()} == {
        SERIES: ("READY", True),
        SINGLE: ("READY", True),
    }
    assert [file["chapterId"] for file in by_album[SERIES]["files"]] == [
        file["chapterId"] for file in series["files"]
    ]
    assert by_album[SINGLE]["file"]["name"] == single["file"]["name"]
    assert after == before
    assert page.status_code == 200


async def test_a_bucket_keeps_files_as_a_folder_does(
    make_settings: Callable[..., Settings], s3_endpoint: str, redis_url: str, demo: RunningDemo, tmp_path: Path
) -> None:
    empty_bucket(s3_endpoint)
    in_bucket = {"storage_url": f"s3://{BUCKET}/comics", "storage_options": s3_options(s3_endpoint)}
    async with serving(make_settings(**in_bucket)) as server:
        series, single = await kept(server, SERIES), await kept(server, SINGLE)
        whole = await server.http.get(single["file"]["url"])
        keys = [stored.key async for stored in server.services.archives.list("library/")]
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    demo.knobs.set("*", dead=True)

    async with graphql_client(make_settings(data_dir=tmp_path / "fresh", jm_retries=1, **in_bucket)) as server:
        archives = server.services.archives
        found = await server.services.downloads.scan_library(archives)
        page = await server.http.get(f"/images/pages/{series['files'][-1]['chapterId']}/1")
        nodes = (await server.ask(f"{{ downloads {{ nodes {{ albumId {FIELDS} }} }} }}"))["downloads"]["nodes"]
        (again,) = [each for each in nodes if each["albumId"] == SINGLE]
        (key,) = [key for key in keys if key.endswith(single["file"]["name"])]
        await archives.delete(key)
        lost = (await server.ask(FIND, id=again["id"]))["download"]

    assert len(keys) == len(series["files"]) + 1
    assert len(whole.content) == single["files"][0]["size"]
    assert (found.files, found.adopted, found.unknown) == (len(keys), len(keys), [])
    assert (page.status_code, page.headers["content-type"]) == (200, "image/webp")
    assert (again["state"], again["isKept"], again["files"][0]["size"]) == ("READY", True, single["files"][0]["size"])
    assert (lost["state"], lost["problem"]["code"], lost["files"]) == ("EXPIRED", "NOT_FOUND", [])


async def test_a_scan_finds_a_file_that_was_renamed(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    async with serving(settings) as server:
        ready = await kept(server, SINGLE)
        old = _path_of(settings, ready["file"])
        old.rename(old.parent / "renamed.cbz")
        lost = (await server.ask(FIND, id=ready["id"]))["download"]

        found = await server.services.downloads.scan_library(server.services.archives)
        back = (await server.ask(FIND, id=ready["id"]))["download"]

        assert lost["state"] == "EXPIRED"
        assert (found.adopted, found.moved) == (0, 1)
        assert (back["state"], back["file"]["name"]) == ("READY", "renamed.cbz")


async def test_albums_of_one_title_and_author_do_not_share_a_path(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(library_template="{title}")
    async with serving(settings) as server:
        names = [(await kept(server, album_id))["file"]["name"] for album_id in TWINS]

    assert len(set(names)) == 2
    assert sorted(paths(settings)) == sorted(names)
    assert names[1].endswith(f" [JM{TWINS[1]}].cbz")


async def test_what_a_person_put_there_is_never_replaced(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(library_template="mine/[JM{id}]")
    theirs = settings.data_dir / "library" / "mine" / f"[JM{SINGLE}].cbz"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    async with serving(settings) as server:
        ready = await kept(server, SINGLE)

    assert theirs.read_bytes() == b"theirs"
    assert ready["file"]["name"] == f"[JM{SINGLE}] (2).cbz"


async def test_a_program_that_tags_comics_may_change_a_kept_file(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    async with serving(settings) as server:
        ready = await kept(server, SINGLE)
        path = _path_of(settings, ready["file"])
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("note.txt", "read")
        response = await server.http.get(ready["file"]["url"])

        assert response.content == path.read_bytes()
        assert (await server.ask(FIND, id=ready["id"]))["download"]["state"] == "READY"


class FullAfter:
    """The store of a server, where there is room for a number of files more."""

    def __init__(self, store: ArchiveStore, count: int) -> None:
        self._store = store
        self._count = count
        self.delete, self.is_missing, self.open_file = store.delete, store.is_missing, store.open_file

    async def put(self, path: Path, key: str) -> None:
        self._count -= 1
        if self._count < 0:
            raise StorageFull("There is no room left for archives.")
        await self._store.put(path, key)


async def test_a_full_disk_fails_a_download_and_leaves_nothing_half_made(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings()
    async with graphql_client(settings) as server:
        services = server.services
        store = FullAfter(services.archives, 2)
        limits = services.downloads.limits
        started = await start(server, SERIES, keep=True)
        async with (
            open_downloads(
                *(services.redis, services.events, services.catalog, store, services.kept, services.staging, limits)
            ) as downloads,
            running_worker(replace(services, downloads=downloads)),
        ):
            failed = await ended(server, started["id"])
        await until(lambda: not paths(settings))
        async with running_worker(services):
            await server.ask(RETRY, id=failed["id"])
            ready = await ended(server, failed["id"])

    assert (failed["state"], failed["problem"]["code"], failed["isKept"]) == ("FAILED", "STORAGE_FULL", True)
    assert (ready["state"], len(ready["files"])) == ("READY", len(paths(settings)))


KILLED = """
import asyncio, os, pickle, signal, sys
from services.container import open_pipeline, open_services
from services.downloads import open_downloads
from tests.download_fakes import QUICK

class Killed:
    def __init__(self, store):
        self.delete, self.is_missing, self.open_file, self._put = (
            store.delete, store.is_missing, store.open_file, store.put)

    async def put(self, path, key):
        await self._put(path, key)
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with open_services(pickle.load(open(sys.argv[1], "rb"))) as services, open_pipeline(services) as pipeline:
        parts = services.redis, services.events, services.catalog, Killed(services.archives), services.kept
        async with open_downloads(*parts, services.staging, services.downloads.limits, QUICK) as downloads:
            await downloads.worker(pipeline, jobs=1).run(asyncio.Event())

asyncio.run(main())
"""


async def test_a_worker_killed_between_a_file_and_its_record_leaves_no_second_one(
    make_settings: Callable[..., Settings], tmp_path: Path, demo: RunningDemo
) -> None:
    settings = make_settings()
    async with graphql_client(settings) as server:
        started = await start(server, SERIES, keep=True)
        (tmp_path / "settings").write_bytes(pickle.dumps(settings))
        killed = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, str(tmp_path / "settings"), cwd=Path(__file__).parents[2]
        )
        status = await killed.wait()
        left, fetched = paths(settings), demo.requests.count(role="image")
        async with running_worker(server.services):
            ready = await ended(server, started["id"])

        assert status == -signal.SIGKILL
        assert len(left) == 1
        assert set(left) < set(paths(settings))
        assert ready["state"] == "READY"
        assert len(paths(settings)) == len(ready["files"])
        assert demo.requests.count(role="image") == fetched


async def test_on_a_closed_server_a_kept_file_belongs_to_who_asked(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    async with serving(settings) as server:
        await a_person(server.services, "owner")
        ann, ben = [(await a_person(server.services, name)).headers for name in ("ann", "ben")]
        body = {"query": START, "variables": {"input": {"albumId": SINGLE, "keep": True}}}
        ids = [
            (await server.http.post("/graphql", json=body, headers=headers)).json()["data"]["startDownload"]["id"]
            for headers in (ann, ben)
        ]
        for id in ids:
            await _until_ready(server, id)
        find = {"query": FIND, "variables": {"id": ids[0]}}
        own = (await server.http.post("/graphql", json=find, headers=ann)).json()["data"]["download"]
        others = (await server.http.post("/graphql", json=find, headers=ben)).json()["data"]["download"]
        url = own["file"]["url"]
        statuses = [(await server.http.head(url, headers=headers)).status_code for headers in (ann, ben, {})]

        assert ids[0] != ids[1]
        assert len(paths(settings)) == 1
        assert others is None
        assert statuses == [200, 404, 401]
        await server.services.downloads.remove(ids[0])
        assert len(paths(settings)) == 1
        await server.services.downloads.remove(ids[1])
        assert paths(settings) == []


async def _until_ready(server: GraphQLClient, id: str) -> None:
    async with asyncio.timeout(60):
        states = [download.state async for download in server.services.downloads.watch(id)]
    assert states[-1] == "READY"


def _path_of(settings: Settings, file: dict[str, Any]) -> Path:
    """Where a kept file lies."""
    (path,) = [path for path in (settings.data_dir / "library").rglob("*.cbz") if path.name == file["name"]]
    return path
