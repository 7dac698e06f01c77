"""Edits of the tag database."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from services.ehtag import (
    CellSources,
    Namespace,
    RowPosition,
    TagDatabase,
    TagSnapshot,
    Translator,
    open_tag_database,
)
from services.errors import Conflict, InvalidInput, StaleVersion, TagNotFound
from tests.tag_databases import COOK, HAT, tag_settings
from tests.tag_repositories import FEMALE, FILES, MakeTagRepository, TagRepository

pytestmark = pytest.mark.anyio


async def test_an_added_tag_comes_after_the_last_row_and_all_else_is_unchanged(
    tags: TagDatabase, repository: TagRepository
) -> None:
    before = repository.head

    edit = await tags.add(Namespace.FEMALE, " Top Hat ", HAT, if_match=before, user=COOK)

    assert repository.show("database/female.md") == (FEMALE + "| top hat | 高帽 | 见`apron`。 |  |\n").encode()
    assert edit.sha == repository.head == tags.state.sha
    assert edit.record is tags.state.snapshot.find(Namespace.FEMALE, "top hat")
    assert edit.record
    assert edit.record.intro.text == "见围裙(apron)。"
    assert repository.git("log", "-1", "--format=%an <%ae>|%B").strip() == (
        "cook <7+cook@users.noreply.github.com>|添加 female:top hat - 高帽\n"
        "| 原始标签 | 名称 | 描述 | 外部链接 |\n| -------- | ---- | ---- | -------- |\n"
        "| top hat | 高帽 | 见`apron`。 |  |"
    )


@pytest.mark.parametrize(
    ("position", "adjacent"),
    [
        (RowPosition(before="apron"), ("| glasses |", "| apron |")),
        (RowPosition(after="glasses"), ("| glasses |", "| apron |")),
        (RowPosition(after="apron"), ("| apron |", "|  | == 其他 == |")),
        (RowPosition(before="glasses"), ("|  | == 穿戴 == |", "| glasses |")),
    ],
)
async def test_a_row_goes_to_its_position(
    tags: TagDatabase, repository: TagRepository, position: RowPosition, adjacent: tuple[str, str]
) -> None:
    await tags.add(Namespace.FEMALE, "top hat", HAT, if_match="*", user=COOK, position=position)

    lines = repository.show("database/female.md").decode().splitlines()
    row = lines.index("| top hat | 高帽 | 见`apron`。 |  |")
    assert lines[row - 1].startswith(adjacent[0])
    assert lines[row + 1].startswith(adjacent[1])
    assert [*lines[:row], *lines[row + 1 :]] == FEMALE.splitlines()


async def test_an_unknown_position_is_refused(tags: TagDatabase) -> None:
    with pytest.raises(InvalidInput, match="there is no row bonnet"):
        await tags.add(
            Namespace.FEMALE, "top hat", HAT, if_match="*", user=COOK, position=RowPosition(before="bonnet")
        )


async def test_a_changed_row_keeps_its_position_and_line_ending(tags: TagDatabase, repository: TagRepository) -> None:
    edit = await tags.update(Namespace.OTHER, "full color", CellSources("全彩", "", ""), if_match="*", user=COOK)

    old, new = "| full color | 彩色 | 整本都是彩色的。 |  |\r\n", "| full color | 全彩 |  |  |\r\n"
    assert repository.show("database/other.md") == FILES["database/other.md"].replace(old.encode(), new.encode())
    assert edit.is_changed
    assert repository.git("log", "-1", "--format=%B").splitlines() == [
        "修改 other:full color - 全彩",
        "|        | 原始标签 | 名称 | 描述 | 外部链接 |",
        "| ------ | -------- | ---- | ---- | -------- |",
        "| 修改前 | full color | 彩色 | 整本都是彩色的。 |  |",
        "| 修改后 | full color | 全彩 |  |  |",
    ]


async def test_a_change_that_changes_nothing_is_no_commit(tags: TagDatabase, repository: TagRepository) -> None:
    before = repository.head

    edit = await tags.update(
        Namespace.FEMALE, "chef hat", CellSources(" 厨师帽 ", "<br>", ""), if_match="*", user=COOK
    )

    assert not edit.is_changed
    assert edit.sha == repository.head == before


async def test_a_removed_row_leaves_no_line(tags: TagDatabase, repository: TagRepository) -> None:
    edit = await tags.remove(Namespace.OTHER, "full color", if_match="*", user=COOK)

    old = "| full color | 彩色 | 整本都是彩色的。 |  |\r\n"
    assert repository.show("database/other.md") == FILES["database/other.md"].replace(old.encode(), b"")
    assert edit.record is None
    assert tags.state.snapshot.find(Namespace.OTHER, "full color") is None
    assert repository.git("log", "-1", "--format=%B").splitlines()[:2] == [
        "删除 other:full color - 彩色",
        "| 原始标签 | 名称 | 描述 | 外部链接 |",
    ]


async def test_a_comment_row_may_be_empty_but_needs_a_position(tags: TagDatabase, repository: TagRepository) -> None:
    with pytest.raises(InvalidInput, match="needs a place"):
        await tags.add_comment(
            Namespace.FEMALE, CellSources("", "", ""), position=RowPosition(), if_match="*", user=COOK
        )
    await tags.add_comment(
        Namespace.FEMALE, CellSources("", "", ""), position=RowPosition(before="apron"), if_match="*", user=COOK
    )

    added = FEMALE.replace("| apron |", "|  |  |  |  |\n| apron |", 1)
    assert repository.show("database/female.md").decode() == added
    assert tags.state.snapshot.count == 7


@pytest.mark.parametrize(
    ("name", "subject"), [("", "添加 female:(注释)"), ("== 帽子 ==", "添加 female:(注释) - == 帽子 ==")]
)
async def test_a_comment_row_is_named_so_in_its_commit(
    tags: TagDatabase, repository: TagRepository, name: str, subject: str
) -> None:
    position = RowPosition(before="apron")
    await tags.add_comment(Namespace.FEMALE, CellSources(name, "", ""), position=position, if_match="*", user=COOK)

    assert repository.git("log", "-1", "--format=%B").strip().splitlines() == [
        subject,
        "| 原始标签 | 名称 | 描述 | 外部链接 |",
        "| -------- | ---- | ---- | -------- |",
        f"|  | {name} |  |  |",
    ]


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        (CellSources("", "", ""), ["name: 名称为空"]),
        (CellSources(" <br> ", "", ""), ["name: 名称为空"]),
        (CellSources("帽", "见`bonnet`。", ""), ["intro: 无效标签引用：`bonnet` 在数据库中不存在。"]),
        (CellSources("帽", "见`帽子`。", ""), ["intro: 无效标签引用：`帽子` 不是一个有效的标签。"]),
        (
            CellSources("`帽`", "", "[x](http://[)"),
            ["name: 无效标签引用：`帽` 不是一个有效的标签。", "links: 无效链接：`http://%5b` 不是一个有效的 URL。"],
        ),
    ],
)
async def test_cells_with_problems_are_refused_with_a_line_for_each(
    tags: TagDatabase, repository: TagRepository, cells: CellSources, problems: list[str]
) -> None:
    before = repository.head

    with pytest.raises(InvalidInput) as refused:
        await tags.add(Namespace.FEMALE, "top hat", cells, if_match="*", user=COOK)

    assert refused.value.message.split("\n") == problems
    assert repository.head == before


async def test_cells_are_stored_in_canonical_form(tags: TagDatabase, repository: TagRepository) -> None:
    cells = CellSources("高帽 | 礼帽", "第一行\r\n第二行`Female:Apron`", "[X](https://twitter.com/hat)")

    await tags.add(Namespace.FEMALE, "top hat", cells, if_match="*", user=COOK)

    row = repository.show("database/female.md").decode().splitlines()[-1]
    assert row == "| top hat | 高帽 \\| 礼帽 | 第一行<br>第二行`f:apron` | [X](https://x.com/hat) |"


async def test_a_tag_may_refer_to_itself(tags: TagDatabase) -> None:
    edit = await tags.add(
        Namespace.FEMALE, "top hat", CellSources("高帽", "不是每顶`top hat`都高。", ""), if_match="*", user=COOK
    )

    assert edit.record
    assert edit.record.intro.text == "不是每顶高帽(top hat)都高。"


@pytest.mark.parametrize("cells", [CellSources("a\u2028b", "", ""), CellSources("a", "b\u2029c", "")])
async def test_what_would_break_the_table_is_refused(tags: TagDatabase, cells: CellSources) -> None:
    with pytest.raises(InvalidInput, match="one row"):
        await tags.add(Namespace.FEMALE, "top hat", cells, if_match="*", user=COOK)


async def test_an_edit_of_the_wrong_tag_or_version_is_refused(tags: TagDatabase) -> None:
    with pytest.raises(Conflict):
        await tags.add(Namespace.FEMALE, "apron", HAT, if_match="*", user=COOK)
    with pytest.raises(TagNotFound):
        await tags.update(Namespace.FEMALE, "bonnet", HAT, if_match="*", user=COOK)
    with pytest.raises(TagNotFound):
        await tags.remove(Namespace.FEMALE, "bonnet", if_match="*", user=COOK)
    with pytest.raises(InvalidInput):
        await tags.remove(Namespace.FEMALE, "帽", if_match="*", user=COOK)
    with pytest.raises(StaleVersion) as stale:
        await tags.remove(Namespace.FEMALE, "apron", if_match="0" * 40, user=COOK)
    assert stale.value.head_sha == tags.state.sha


async def test_twelve_edits_of_one_version_are_one_edit_and_eleven_refusals(
    tmp_path: Path, repository: TagRepository
) -> None:
    version = repository.head
    async with AsyncExitStack() as stack:
        databases = [
            await stack.enter_async_context(open_tag_database(tag_settings(tmp_path / str(n), repository.folder)))
            for n in range(4)
        ]
        outcomes = await asyncio.gather(
            *(
                databases[n % 4].add(Namespace.FEMALE, f"hat {n}", HAT, if_match=version, user=COOK)
                for n in range(12)
            ),
            return_exceptions=True,
        )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["EditResult", *["StaleVersion"] * 11]
    assert repository.git("rev-list", "--count", f"{version}..HEAD").strip() == "1"
    repository.check()


def no_translator(snapshot: TagSnapshot) -> Translator:
    """One of no tags: thirty-six edits of the whole database would build it thirty-six times."""
    return Translator(TagSnapshot({}, snapshot.version, snapshot.commit, snapshot.repo))


async def test_the_whole_real_database_keeps_every_other_byte(
    tmp_path: Path, make_tag_repository: MakeTagRepository, ehtag_folder: Path
) -> None:
    files = {f"database/{path.name}": path.read_bytes() for path in sorted((ehtag_folder / "database").glob("*.md"))}
    repository = make_tag_repository(files={**files, "version": (ehtag_folder / "version").read_bytes()})
    async with open_tag_database(tag_settings(tmp_path, repository.folder), translator_of=no_translator) as tags:
        for namespace in Namespace:
            if namespace is Namespace.ROWS:
                continue
            path = f"database/{namespace.value}.md"
            raw = next(iter(tags.state.snapshot.records(namespace))).raw
            cells = CellSources("试", "", "")
            before = await tags.refresh()
            await tags.add(
                namespace, "zz jmgraph", cells, position=RowPosition(before=raw), if_match=before.sha, user=COOK
            )
            added = repository.show(path)
            await tags.update(namespace, "zz jmgraph", CellSources("试试", "", ""), if_match="*", user=COOK)
            changed = repository.show(path)
            await tags.remove(namespace, "zz jmgraph", if_match="*", user=COOK)

            row = "| zz jmgraph | 试 |  |  |\n".encode()
            assert added.replace(row, b"", 1) == files[path]
            assert changed == added.replace(row, "| zz jmgraph | 试试 |  |  |\n".encode())
            assert repository.show(path) == files[path]
        first = repository.git("rev-list", "--max-parents=0", "HEAD").strip()
        assert repository.git("diff", "--name-only", first, "HEAD") == ""
        repository.check()
