"""The newest state of the tag database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ehtag import (
    Namespace,
    TagDatabase,
    TagKind,
    TagRecord,
    TagSnapshot,
    open_tag_database,
)
from services.errors import Conflict
from services.settings import OFFICIAL_EHTAG_REMOTE
from tests.tag_databases import COOK, HAT, tag_settings
from tests.tag_repositories import FEMALE, FILES, MakeTagRepository, TagRepository

pytestmark = pytest.mark.anyio


async def test_the_state_is_that_of_the_head(tags: TagDatabase, repository: TagRepository) -> None:
    assert tags.state.sha == repository.head
    assert tags.state.snapshot.version == 7
    assert tags.state.snapshot.repo == "https://github.com/EhTagTranslation/Database.git"
    assert not tags.state.is_starter
    assert tags.state.last_checked_at is None
    record = tags.state.snapshot.find(Namespace.FEMALE, "chef hat")
    assert record
    assert record.name.text == "厨师帽"


@pytest.mark.parametrize(
    ("remote", "origin", "repo"),
    [
        ("https://cook:secret@tags.example/a.git", "", "https://tags.example/a.git"),
        ("https://tags.example/a.git", "https://tags.example/b.git", "https://tags.example/a.git"),
        (OFFICIAL_EHTAG_REMOTE, "https://cook:secret@tags.example/b.git", "https://tags.example/b.git"),
        (OFFICIAL_EHTAG_REMOTE, "", OFFICIAL_EHTAG_REMOTE),
    ],
)
async def test_the_repo_is_where_a_sync_would_fetch_from(
    tmp_path: Path, repository: TagRepository, remote: str, origin: str, repo: str
) -> None:
    if origin:
        repository.git("remote", "add", "origin", origin)
    async with open_tag_database(tag_settings(tmp_path, repository.folder, ehtag_remote=remote)) as tags:
        assert tags.state.snapshot.repo == repo


async def test_a_head_moved_by_another_program_is_followed_within_a_second(
    tags: TagDatabase, repository: TagRepository
) -> None:
    changes = tags.watch()
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    sha = repository.commit({"database/female.md": FEMALE.replace("围裙", "长围裙").encode()})

    async with asyncio.timeout(1):
        state = await waiting

    assert state.sha == sha
    record = state.snapshot.find(Namespace.FEMALE, "apron")
    assert record
    assert record.name.text == "长围裙"
    await changes.aclose()


async def test_a_head_that_is_no_tag_database_leaves_the_last_good_one(
    tags: TagDatabase, repository: TagRepository
) -> None:
    good = tags.state.sha
    repository.git("update-ref", "HEAD", repository.git("commit-tree", "-m", "empty", empty_tree(repository)).strip())

    state = await tags.refresh()

    assert state.sha == good
    assert state.last_error is not None
    assert "database/*.md" in state.last_error


async def test_what_is_no_tag_database_leaves_the_starter_and_says_why(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/letter.txt").write_text("dear")
    make_tag_repository("code", files={"main.c": b"int main;\n"})
    make_tag_repository("versionless", files={**FILES, "version": b"seven\n"})
    broken = make_tag_repository("broken")
    (broken.folder / "objects" / broken.head[:2] / broken.head[2:]).unlink()
    reasons = {
        "letters": "no git repository",
        "code": "database/*.md",
        "versionless": "version",
        "broken": "can't be read",
    }

    for name, reason in reasons.items():
        async with open_tag_database(tag_settings(tmp_path / name, tmp_path / name)) as tags:
            assert tags.state.is_starter
            assert tags.state.last_error is not None
            assert reason in tags.state.last_error
            with pytest.raises(Conflict):
                await tags.remove(Namespace.OTHER, "full color", if_match="*", user=COOK)


@pytest.mark.parametrize(
    ("written", "version"),
    [(b"7", 7), (b"7.1\n", 7), (b"\xef\xbb\xbf7\r\n", 7), (b" \n6\n", 6), (b"8", 8), (b"10.2", 10)],
)
async def test_the_version_is_read_as_the_official_tools_read_it(
    tmp_path: Path, make_tag_repository: MakeTagRepository, written: bytes, version: int
) -> None:
    folder = make_tag_repository(files={**FILES, "version": written}).folder
    async with open_tag_database(tag_settings(tmp_path, folder)) as tags:
        assert tags.state.snapshot.version == version
        assert not tags.state.is_starter
        assert [line.partition(":")[0] for line in tags.state.unknown] == ["version"] * (version > 7)


async def test_what_this_server_does_not_know_is_one_warning_each(
    tmp_path: Path, make_tag_repository: MakeTagRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**FILES, "version": b"8\n", "database/misc.md": FILES["database/other.md"], "database/note.txt": b""}
    repository = make_tag_repository(files=files)
    async with open_tag_database(tag_settings(tmp_path, repository.folder)) as tags:
        await tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)
        await tags.remove(Namespace.FEMALE, "glasses", if_match="*", user=COOK)

        assert tags.state.unknown == [
            "version: 8 is newer than 7, the newest that this server knows",
            "database/misc.md: a namespace that this server does not know; the file is left out",
        ]
    assert capsys.readouterr().out.count("does not know") == 3  # twice the event, once in the words of a file
    assert repository.show("database/misc.md") == FILES["database/other.md"]


def empty_tree(repository: TagRepository) -> str:
    return repository.git("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"").strip()


async def test_the_starter_is_the_same_everywhere_and_can_not_be_edited(tmp_path: Path) -> None:
    async with (
        open_tag_database(tag_settings(tmp_path / "a")) as one,
        open_tag_database(tag_settings(tmp_path / "b")) as other,
    ):
        assert one.state.is_starter
        assert one.state.sha == other.state.sha
        assert one.state.snapshot.count > 100
        with pytest.raises(Conflict, match="jmgraph ehtag sync"):
            await one.remove(Namespace.OTHER, "full color", if_match="*", user=COOK)


async def test_a_search_of_a_moved_head_reads_only_the_changed_namespace_again(
    tags: TagDatabase, repository: TagRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Namespace] = []
    records_uncached = TagSnapshot.records_uncached

    def record(snapshot: TagSnapshot, namespace: Namespace) -> Iterator[TagRecord]:
        read.append(namespace)
        return records_uncached(snapshot, namespace)

    monkeypatch.setattr(TagSnapshot, "records_uncached", record)
    assert [record.id for record in await tags.search("yanjing")] == ["female:glasses"]
    assert {Namespace.FEMALE, Namespace.OTHER} <= set(read)

    read.clear()
    await tags.add(Namespace.FEMALE, "beret", HAT, if_match="*", user=COOK)

    assert [record.id for record in await tags.search("gaomao")] == ["female:beret"]
    assert read == [Namespace.FEMALE]


async def test_the_tags_of_more_albums_come_first(tags: TagDatabase, repository: TagRepository) -> None:
    await tags.add(Namespace.FEMALE, "beret", HAT, if_match="*", user=COOK)
    await tags.add(Namespace.FEMALE, "derby", HAT, if_match="*", user=COOK)
    before = [record.raw for record in await tags.search("高帽")]
    tags.seen_names.update({(TagKind.GENRE, "derby"): 2, (TagKind.GENRE, "beret"): 1, (TagKind.GENRE, "其他"): 5})

    await tags.add(Namespace.FEMALE, "cap", HAT, if_match="*", user=COOK)  # the counts of a head stay for a minute

    assert before == ["beret", "derby"]
    assert [record.raw for record in await tags.search("高帽")] == ["derby", "beret", "cap"]
