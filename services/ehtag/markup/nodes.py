"""Nodes of a parsed cell: plain dicts in the key order of the releases, ready for JSON."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from services.ehtag.records import Namespace

Node: TypeAlias = dict[str, Any]
Nsfw: TypeAlias = Literal[False, "R18", "R18G"]


def line_break() -> Node:
    """The end of a line within a paragraph."""
    return {"type": "br"}


def text(value: str) -> Node:
    """Plain text."""
    return {"type": "text", "text": value}


def container(kind: Literal["paragraph", "emphasis", "strong"], content: list[Node]) -> Node:
    """A paragraph, emphasis or strong emphasis around other nodes."""
    return {"type": kind, "content": content}


def link(url: str, title: str, content: list[Node]) -> Node:
    """A link around other nodes."""
    return {"type": "link", "url": url, "title": title, "content": content}


def image(content: list[Node], url: str, title: str, nsfw: Nsfw) -> Node:
    """An image; `content` is its alternative text."""
    return {"type": "image", "content": content, "url": url, "title": title, "nsfw": nsfw}


def linked_image(url: str, title: str, nsfw: Nsfw) -> Node:
    """An image that was written as a link to one."""
    return {"type": "image", "url": url, "title": title, "content": [], "nsfw": nsfw}


def reference(shown: str, tag: str, namespace: Namespace, explicit: bool) -> Node:
    """A reference to an existing tag."""
    node: Node = {"type": "tagref", "text": shown, "tag": tag, "ns": namespace.value}
    if explicit:
        node["explicitNs"] = True
    return node


def failed_reference(shown: str) -> Node:
    """A reference that could not be resolved."""
    return {"type": "tagref", "text": shown, "tag": ""}
