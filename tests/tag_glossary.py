"""A small tag database of neutral words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.ehtag import TagSnapshot
from services.ehtag.records import CommitRecord, Namespace, Signature

NAMES: dict[Namespace, dict[str, str]] = {
    Namespace.ROWS: {"female": "女性"},
    Namespace.RECLASS: {"manga": "漫画"},
    Namespace.LANGUAGE: {"english": "英语"},
    Namespace.PARODY: {"sea": "海<b>"},
    Namespace.CHARACTER: {"sea": "海"},
    Namespace.GROUP: {"river": "河社"},
    Namespace.ARTIST: {"tostring": "串", "river": "河"},
    Namespace.COSPLAYER: {"moon": "月"},
    Namespace.MALE: {"glasses": "眼镜", "tail": "尾巴♂"},
    Namespace.FEMALE: {"glasses": "眼镜", "kimono": "和服", "tail": "尾巴"},
    Namespace.MIXED: {"tail": "尾"},
    Namespace.OTHER: {"full color": "彩色"},
    Namespace.LOCATION: {"lake": "湖"},
}
HEAD = """---
name: {name}
description: 一组词
---

| 原始标签 | 名称 | 描述 | 外部链接 |
| -------- | ---- | ---- | -------- |
"""


def tag_file(name: str, *rows: str) -> bytes:
    """The file of a namespace with these rows."""
    return (HEAD.format(name=name) + "".join(f"{row}\n" for row in rows)).encode()


def tag_snapshot(files: dict[Namespace, bytes]) -> TagSnapshot:
    """A database of these files, at some commit."""
    when = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    author = Signature("Lin", "lin@a.example", when)
    return TagSnapshot.from_files(
        files, 7, CommitRecord("0" * 40, "加一条河\n", author, author), "https://a.example/words"
    )


@pytest.fixture(scope="session")
def glossary() -> TagSnapshot:
    """A word or two in each namespace; "tail", "river" and "sea" are in several."""
    return tag_snapshot(
        {
            namespace: tag_file(namespace.value, *(f"| {raw} | {name} |  |  |" for raw, name in names.items()))
            for namespace, names in NAMES.items()
        }
    )
