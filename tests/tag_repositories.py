"""Small real git repositories with a tag database of neutral words."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2
import pytest

HEADER = "| 原始标签 | 名称 | 描述 | 外部链接 |\n| -------- | ---- | ---- | -------- |\n"

ROWS = """---
name: 分类
description: 标签的分类。
key: rows
---

"""

FEMALE = (
    """---
name: 女性
description: 女性角色的标签。
key: female
example:
  raw: glasses
---

前言，不属于表格。

"""
    + HEADER
    + """|  | == 穿戴 == |  |  |
| glasses | 眼镜 | 戴着`glasses`的人物。 |  |
| apron | 围裙 | 下厨时穿的。 | [维基百科](https://zh.wikipedia.org/wiki/围裙) |
|  | == 其他 == |  |  |
|   chef hat   | 厨师帽 |   |  |
"""
)

OTHER = (
    """---
name: 其他
description: 其他标签。
key: other
---

"""
    + HEADER
    + "| full color | 彩色 | 整本都是彩色的。 |  |\r\n| train | 火车 | 见`full color`。 |  |\n\n表格之后的文字。\n"
)

FILES: Mapping[str, bytes] = {
    "version": b"7\n",
    "README.md": "标签数据库\n".encode(),
    "database/rows.md": (ROWS + HEADER + "| female | 女性 |  |  |\n| other | 其他 |  |  |\n").encode(),
    "database/female.md": FEMALE.encode(),
    "database/other.md": OTHER.encode(),
}


@dataclass(frozen=True)
class TagRepository:
    """A repository in `folder`, used through the real git."""

    folder: Path

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Output of `git …` in this repository; fails when git does."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "somebody",
            "GIT_AUTHOR_EMAIL": "somebody@localhost",
            "GIT_COMMITTER_NAME": "somebody",
            "GIT_COMMITTER_EMAIL": "somebody@localhost",
        }
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    @property
    def head(self) -> str:
        """SHA-1 of the head."""
        return self.git("rev-parse", "HEAD").strip()

    def show(self, path: str, revision: str = "HEAD") -> bytes:
        """Content of a file at a revision."""
        git = pygit2.Repository(str(self.folder))
        return git.revparse_single(f"{revision}:{path}").peel(pygit2.Blob).data

    def commit(self, files: Mapping[str, bytes], message: str = "elsewhere") -> str:
        """Commit these files on top of the head, as anybody with git would; SHA-1 of the commit."""
        git = pygit2.Repository(str(self.folder))
        index = pygit2.Index()
        parents = [] if git.head_is_unborn else [git.head.target]
        if parents:
            index.read_tree(git.head.peel(pygit2.Tree))
        for path, data in files.items():
            index.add(pygit2.IndexEntry(path, git.create_blob(data), pygit2.enums.FileMode.BLOB))
        author = pygit2.Signature("somebody", "somebody@localhost", 1_700_000_000, 0)
        branch = str(git.lookup_reference("HEAD").target)
        sha = git.create_commit(branch, author, author, message, index.write_tree(git), parents)
        if not git.is_bare:
            git.reset(sha, pygit2.enums.ResetMode.HARD)
        return str(sha)

    def check(self) -> None:
        """Fails unless `git fsck --strict` finds nothing wrong."""
        assert self.git("fsck", "--strict", "--no-dangling", "--no-progress") == ""


MakeTagRepository = Callable[..., TagRepository]


@pytest.fixture
def make_tag_repository(tmp_path: Path) -> MakeTagRepository:
    """Makes a repository with `files` (our small sample by default), bare or with a work tree, committed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")

    def make(name: str = "tags", *, bare: bool = True, files: Mapping[str, bytes] = FILES) -> TagRepository:
        folder = tmp_path / name
        pygit2.init_repository(str(folder), bare=bare, initial_head="master")
        repository = TagRepository(folder)
        if files:
            repository.commit(files, "first")
        return repository

    return make
