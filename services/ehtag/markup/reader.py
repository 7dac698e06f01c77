"""Reads cells to nodes: parses the markdown, normalises links, resolves references to other records."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from services.ehtag.markup import nodes
from services.ehtag.markup.javascript import trim
from services.ehtag.markup.links import image_node, link_node
from services.ehtag.markup.nodes import Node
from services.ehtag.markup.parser import Code, Piece, Text, read_everyday, split_paragraphs
from services.ehtag.records import SEARCH_ORDERS, Namespace, parse_namespace, parse_raw_tag


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


if TYPE_CHECKING:
    from markdown_it.token import Token

    from services.ehtag.markup.parser import MarkdownParser


class Reading(NamedTuple):
    """A cell's paragraphs, and one line for each thing that is wrong in it."""

    ast: list[Node]
    problems: tuple[str, ...]


class CellReader:
    """Reads the cells of one namespace."""

    __slots__ = ("_names", "_namespace")

    def __init__(self, namespace: Namespace, names: Names) -> None:
        self._namespace = namespace
        self._names = names

    def read(self, source: str) -> Reading:
        """The nodes of a cell."""
        problems: list[str] = []
        paragraphs = split_paragraphs(unicodedata.normalize("NFC", source))
        ast = [nodes.container("paragraph", self._paragraph(paragraph, problems)) for paragraph in paragraphs]
        return Reading(ast, tuple(problems))

    def _paragraph(self, paragraph: str, problems: list[str]) -> list[Node]:
        pieces = read_everyday(paragraph)
        if pieces is None:
            return self._nodes(_parser().tokens(paragraph), problems)
        return [self._piece(piece, problems) for piece in pieces]

    def _piece(self, piece: Piece, problems: list[str]) -> Node:
        if isinstance(piece, Text):
            return nodes.text(piece.value)
        if isinstance(piece, Code):
            return self._reference(piece.value, problems)
        if isinstance(piece, str):
            return nodes.line_break()
        content = [nodes.text(piece.label)] if piece.label else []
        if piece.is_image:
            return image_node(piece.href, piece.title, content)
        return self._link(piece.href, piece.title, content, problems)

    def _nodes(self, tokens: list[Token], problems: list[str]) -> list[Node]:
        content: list[Node] = []
        open_tokens: list[tuple[Token, list[Node]]] = []
        for token in tokens:
            if token.nesting > 0:
                open_tokens.append((token, content))
                content = []
            elif token.nesting < 0:
                opening, outer = open_tokens.pop()
                outer.append(self._closed(opening, content, problems))
                content = outer
            else:
                content.append(self._leaf(token, problems))
        return content

    def _leaf(self, token: Token, problems: list[str]) -> Node:
        match token.type:
            case "code_inline":
                return self._reference(token.content, problems)
            case "softbreak" | "hardbreak":
                return nodes.line_break()
            case "image":
                title = str(token.attrs.get("title", ""))
                return image_node(str(token.attrs["src"]), title, self._nodes(token.children or [], problems))
            case _:
                return nodes.text(token.content)

    def _closed(self, opening: Token, content: list[Node], problems: list[str]) -> Node:
        match opening.type:
            case "em_open":
                return nodes.container("emphasis", content)
            case "strong_open":
                return nodes.container("strong", content)
            case _:
                title = str(opening.attrs.get("title", ""))
                return self._link(str(opening.attrs["href"]), title, content, problems)

    def _reference(self, code: str, problems: list[str]) -> Node:
        node, problem = resolve(code, self._namespace, self._names)
        if problem is not None:
            problems.append(problem)
        return node

    def _link(self, href: str, title: str, content: list[Node], problems: list[str]) -> Node:
        node, bad_url = link_node(href, title, content)
        if bad_url is not None:
            problems.append(f"无效链接：`{bad_url}` 不是一个有效的 URL。")
        return node


@cache
def _parser() -> MarkdownParser:
    """One parser for the process. Late: a database opens without it, and most cells never need it."""
    from services.ehtag.markup.parser import MarkdownParser

    return MarkdownParser()
