"""The tag database in git."""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path

import pygit2
import pytest

from services.ehtag.records import Namespace
from services.ehtag.remote import RemoteSettings
from services.ehtag.repository import Author, Edit, Repository
from services.errors import Conflict, StaleVersion
from tests.tag_repositories import FEMALE, FILES, MakeTagRepository, TagRepository
from tests.waiting import wait_until

COMMITTER = Author("jmgraph", "jmgraph@localhost")
CHANGED = FEMALE.replace("眼镜", "圆眼镜").encode()


def open_repository(folder: Path, remote: str = "", *, pushes: bool = False) -> Repository:
    return Repository(folder, COMMITTER, RemoteSettings(remote, "https://tags.invalid/"), pushes=pushes)


def edit(parent: str, data: bytes = CHANGED, message: str = "修改 female:glasses - 圆眼镜\n") -> Edit:
    return Edit(parent, Namespace.FEMALE, data, message, Author("cook", "7+cook@users.noreply.github.com"))


@pytest.fixture(params=[True, False], ids=["bare", "work tree"])
def tags(request: pytest.FixtureRequest, make_tag_repository: MakeTagRepository) -> TagRepository:
    return make_tag_repository(bare=request.param)


def test_the_head_is_read_without_its_files(tags: TagRepository) -> None:
    contents = open_repository(tags.folder).read()

    assert contents is not None
    assert contents.commit.sha == tags.head
    assert contents.commit.message == "first"
    assert contents.commit.author.name == "somebody"
    assert contents.commit.author.when.isoformat() == "2023-11-14T22:13:20+00:00"
    assert contents.version == 7
    assert list(contents.files) == [Namespace.ROWS, Namespace.FEMALE, Namespace.OTHER]
    assert contents.files[Namespace.OTHER] == FILES["database/other.md"]


def test_a_missing_empty_or_unborn_repository_has_no_head(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pygit2.init_repository(str(tmp_path / "unborn"))

    heads = [open_repository(tmp_path / name).head_sha() for name in ("missing", "empty", "unborn")]

    assert heads == [None, None, None]


def test_a_repository_around_the_folder_is_not_used(tags: TagRepository) -> None:
    (tags.folder / "below").mkdir()

    assert open_repository(tags.folder / "below").head_sha() is None


def test_an_edit_is_one_commit_that_leaves_every_other_file_alone(tags: TagRepository) -> None:
    before = tags.head

    sha = open_repository(tags.folder).commit(edit(before))

    assert tags.head == sha
    assert tags.git("rev-list", "--parents", "-1", "HEAD").split() == [sha, before]
    assert tags.git("log", "-1", "--format=%an <%ae>|%cn <%ce>|%B").strip() == (
        "cook <7+cook@users.noreply.github.com>|jmgraph <jmgraph@localhost>|修改 female:glasses - 圆眼镜"
    )
    assert tags.git("diff", "--name-only", before, sha).split() == ["database/female.md"]
    assert tags.show("database/female.md") == CHANGED
    tags.check()


def test_an_edit_over_another_version_is_refused_and_changes_nothing(tags: TagRepository) -> None:
    old = tags.head
    new = tags.commit({"database/other.md": b"| a | b |\n"})

    with pytest.raises(StaleVersion) as refused:
        open_repository(tags.folder).commit(edit(old))

    assert refused.value.head_sha == new
    assert tags.head == new


def test_an_edit_updates_a_clean_work_tree(make_tag_repository: MakeTagRepository) -> None:
    tags = make_tag_repository(bare=False)
    (tags.folder / "note.txt").write_text("git does not know me")

    open_repository(tags.folder).commit(edit(tags.head))

    assert (tags.folder / "database/female.md").read_bytes() == CHANGED
    assert tags.git("status", "--porcelain") == "?? note.txt\n"
    assert tags.git("reflog", "-1", "--format=%gn <%ge> %gs").strip() == (
        "jmgraph <jmgraph@localhost> 修改 female:glasses - 圆眼镜"
    )


@pytest.mark.parametrize("path", ["database/female.md", "README.md"])
@pytest.mark.parametrize("is_staged", [True, False])
def test_an_edit_is_refused_while_the_work_tree_has_changes(
    make_tag_repository: MakeTagRepository, path: str, is_staged: bool
) -> None:
    tags = make_tag_repository(bare=False)
    before = tags.head
    (tags.folder / path).write_text("half done")
    if is_staged:
        tags.git("add", path)

    with pytest.raises(Conflict):
        open_repository(tags.folder).commit(edit(before))

    assert tags.head == before
    assert (tags.folder / path).read_text() == "half done"


def test_a_lock_file_of_a_killed_writer_blocks_nobody(tags: TagRepository) -> None:
    git_folder = Path(pygit2.Repository(str(tags.folder)).path)
    (git_folder / "jmgraph.lock").write_text("{}")
    for name in ("refs/heads/master.lock", "index.lock"):
        (git_folder / name).touch()
        os.utime(git_folder / name, (1_700_000_000, 1_700_000_000))

    sha = open_repository(tags.folder).commit(edit(tags.head))

    assert tags.head == sha


def test_a_writer_killed_between_head_and_files_is_finished_by_the_next(
    make_tag_repository: MakeTagRepository,
) -> None:
    tags = make_tag_repository(bare=False)
    old = tags.head
    new = open_repository(tags.folder).commit(edit(old))
    tags.git("reset", "-q", "--hard", old)
    tags.git("update-ref", "HEAD", new)
    (tags.folder / ".git/jmgraph.lock").write_text(f'{{"old": "{old}", "new": "{new}"}}')
    again = FEMALE.replace("眼镜", "方眼镜").encode()

    sha = open_repository(tags.folder).commit(edit(new, again))

    assert tags.head == sha
    assert tags.git("status", "--porcelain") == ""


def test_a_packed_repository_takes_edits(tags: TagRepository) -> None:
    tags.git("gc", "-q")
    before = tags.head

    sha = open_repository(tags.folder).commit(edit(before))

    assert tags.head == sha != before
    tags.check()


def test_a_detached_head_moves_alone(make_tag_repository: MakeTagRepository) -> None:
    tags = make_tag_repository(bare=False)
    branch = tags.head
    tags.git("checkout", "-q", "--detach")

    sha = open_repository(tags.folder).commit(edit(branch))

    assert tags.head == sha
    assert tags.git("rev-parse", "master").strip() == branch
    assert tags.git("status", "--porcelain") == ""


def test_a_linked_work_tree_is_a_repository_too(make_tag_repository: MakeTagRepository) -> None:
    tags = make_tag_repository(bare=False)
    linked = TagRepository(tags.folder.parent / "linked")
    tags.git("worktree", "add", "-q", str(linked.folder))

    sha = open_repository(linked.folder).commit(edit(tags.head))

    assert linked.head == sha
    assert linked.git("status", "--porcelain") == ""
    assert tags.git("status", "--porcelain") == ""
    assert tags.git("rev-parse", "linked").strip() == sha


def test_files_are_written_as_the_host_s_attributes_say(make_tag_repository: MakeTagRepository) -> None:
    tags = make_tag_repository(bare=False, files={**FILES, ".gitattributes": b"*.md text eol=crlf\n"})
    plain = CHANGED.replace(b"\r\n", b"\n")

    open_repository(tags.folder).commit(edit(tags.head, plain))

    assert tags.show("database/female.md") == plain
    assert (tags.folder / "database/female.md").read_bytes() == plain.replace(b"\n", b"\r\n")
    assert tags.git("status", "--porcelain", "database/female.md") == ""


def write_for_ever(folder: Path) -> None:
    repository = open_repository(folder)
    for number in range(1_000_000):
        sha = repository.head_sha()
        assert sha
        repository.commit(edit(sha, CHANGED + str(number).encode(), f"修改 {number}\n"))


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "work tree"])
def test_writers_killed_at_any_moment_leave_a_whole_repository(
    make_tag_repository: MakeTagRepository, bare: bool
) -> None:
    tags = make_tag_repository(bare=bare)
    context = multiprocessing.get_context("spawn")
    for round_ in range(8):
        before = tags.head
        writer = context.Process(target=write_for_ever, args=(tags.folder,))
        writer.start()
        assert writer.pid is not None
        wait_until(partial(has_grown, tags, before, round_ + 1))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()

        tags.check()
        open_repository(tags.folder).commit(edit(tags.head, CHANGED + b"after\n" * (round_ + 1)))

        if not bare:
            assert tags.git("status", "--porcelain") == ""
    tags.check()


def has_grown(tags: TagRepository, start: str, commits: int) -> bool:
    return int(tags.git("rev-list", "--count", f"{start}..HEAD")) >= commits
