"""Tag references: the code spans of a cell, each pointing at a record of the database."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from services.ehtag.markup import nodes
from services.ehtag.markup.javascript import trim
from services.ehtag.markup.nodes import Node
from services.ehtag.namespaces import SEARCH_ORDERS, parse_namespace, parse_raw_tag
from services.ehtag.records import Namespace


class Names(Protocol):
    """Where references are looked up."""

    def has(self, namespace: Namespace, raw: str) -> bool:
        """Whether the database has this tag."""

    def name_of(self, namespace: Namespace, raw: str) -> str | None:
        """The text of the tag's name; None when it can't be told because it is just being read."""


class Resolved(NamedTuple):
    """A reference's node, and what is wrong with it, if anything."""

    node: Node
    problem: str | None


def resolve(code: str, own: Namespace, names: Names) -> Resolved:
    """The reference a code span makes, standing in namespace `own`.

    `f:ahegao` looks in one namespace; `ahegao`, and one with a prefix that nobody knows, in all, nearest first.
    """
    shown = trim(code)
    prefix, colon, rest = shown.partition(":")
    explicit = parse_namespace(prefix) if colon else None
    raw = parse_raw_tag(rest if colon else shown)
    if raw is None:
        return Resolved(nodes.failed_reference(shown), f"无效标签引用：`{shown}` 不是一个有效的标签。")
    places = SEARCH_ORDERS[own] if explicit is None else (explicit,)
    found = next((namespace for namespace in places if names.has(namespace, raw)), None)
    if found is None:
        return Resolved(nodes.failed_reference(shown), f"无效标签引用：`{shown}` 在数据库中不存在。")
    name = names.name_of(found, raw)
    if name is None:
        return Resolved(
            nodes.reference(raw, raw, found, explicit is not None), f"无效标签引用：`{shown}` 引用了自身。"
        )
    return Resolved(nodes.reference(name, raw, found, explicit is not None), None)
