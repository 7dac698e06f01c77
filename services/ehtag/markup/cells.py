"""Cells of a record: markdown in; raw, text, HTML and AST out, each rendered on first use."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from services.ehtag.markup import nodes
from services.ehtag.markup.fast_path import Code, Inline, Text, parse_simple, split_paragraphs
from services.ehtag.markup.links import image_node, link_node
from services.ehtag.markup.nodes import Node
from services.ehtag.markup.render import escape_text, render_html, render_raw, render_text
from services.ehtag.markup.syntax import SPACES
from services.ehtag.records import SEARCH_ORDERS, Namespace, parse_namespace, parse_raw_tag

if TYPE_CHECKING:
    from markdown_it.token import Token

    from services.ehtag.markup.parser import MarkdownParser

# what may be markup, a link, or a character that the parser replaces; everything else is text
_MAYBE_MARKUP = re.compile(r"[\n\r\0\\`*_\[<&:]|//")
_MAX_DEPTH = 24  # of names that refer to other names

_being_parsed = threading.local()  # the cells this thread is parsing, outermost first


class Cell:
    """One cell of a record. `source` is its markdown, trimmed."""

    __slots__ = ("_ast", "_html", "_is_plain", "_problems", "_raw", "_reader", "_text", "source")

    def __init__(self, source: str, reader: CellReader) -> None:
        self.source = source
        self._reader = reader
        self._is_plain: bool | None = None
        self._ast: list[Node] | None = None
        self._problems: tuple[str, ...] = ()
        self._raw: str | None = None
        self._text: str | None = None
        self._html: str | None = None

    @property
    def ast(self) -> list[Node]:
        """Paragraphs, not to be changed: `[{"type": "paragraph", "content": [{"type": "text", "text": "风"}]}]`."""
        if self._ast is None:
            if self._plain():
                self._ast = [nodes.container("paragraph", [nodes.text(self.text)])] if self.text else []
            else:
                self._ast, self._problems = self._read()
        return self._ast

    @property
    def raw(self) -> str:
        """Canonical markdown, as it is written into the table (newlines and `|` not yet escaped)."""
        if self._raw is None and not self._plain():
            self._raw = render_raw(self.ast)
        return self._raw or ""

    @property
    def text(self) -> str:
        """Plain text."""
        if self._text is None and not self._plain():
            self._text = render_text(self.ast)
        return self._text or ""

    @property
    def html(self) -> str:
        """HTML that is safe to insert: no markup of the source survives."""
        if self._html is None:
            if not self._plain():
                self._html = render_html(self.ast)
            else:
                self._html = f"<p>{escape_text(self.text)}</p>" if self.text else ""
        return self._html

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems in it, a line each: references to missing tags, invalid links."""
        _ = self.ast
        return self._problems

    @property
    def can_be_read(self) -> bool:
        """False while this thread is parsing it, or too many others: rendering it now would recurse without end."""
        active: list[Cell] = getattr(_being_parsed, "cells", [])
        return len(active) < _MAX_DEPTH and self not in active

    def _plain(self) -> bool:
        """Whether the cell needs no parser; its raw form and its text are known then."""
        if self._is_plain is None:
            self._raw = self._text = plain_text(self.source)
            self._is_plain = self._text is not None
        return self._is_plain

    def _read(self) -> tuple[list[Node], tuple[str, ...]]:
        active: list[Cell] = _being_parsed.__dict__.setdefault("cells", [])
        active.append(self)
        try:
            return self._reader.read(self.source)
        finally:
            active.pop()


def plain_text(source: str) -> str | None:
    """The text of a cell without markup, which is also its raw form; None when it may have some."""
    if _MAYBE_MARKUP.search(source):
        return None
    return unicodedata.normalize("NFC", source).strip(SPACES)


class TagLookup(Protocol):
    """Looks up the tags that references name."""

    def has(self, namespace: Namespace, raw: str) -> bool:
        """Whether the database has this tag."""

    def name_of(self, namespace: Namespace, raw: str) -> str | None:
        """The text of the tag's name; None while that name is being parsed."""


class ParsedCell(NamedTuple):
    """The paragraphs of a cell, and one line for each problem in it."""

    ast: list[Node]
    problems: tuple[str, ...]


class CellReader:
    """Reads the cells of one namespace."""

    __slots__ = ("_names", "_namespace")

    def __init__(self, namespace: Namespace, names: TagLookup) -> None:
        self._namespace = namespace
        self._names = names

    def read(self, source: str) -> ParsedCell:
        """The nodes of a cell."""
        problems: list[str] = []
        paragraphs = split_paragraphs(unicodedata.normalize("NFC", source))
        ast = [nodes.container("paragraph", self._paragraph(paragraph, problems)) for paragraph in paragraphs]
        return ParsedCell(ast, tuple(problems))

    def _paragraph(self, paragraph: str, problems: list[str]) -> list[Node]:
        inlines = parse_simple(paragraph)
        if inlines is None:
            return self._nodes(_parser().tokens(paragraph), problems)
        return [self._inline(inline, problems) for inline in inlines]

    def _inline(self, inline: Inline, problems: list[str]) -> Node:
        if isinstance(inline, Text):
            return nodes.text(inline.value)
        if isinstance(inline, Code):
            return self._reference(inline.value, problems)
        if isinstance(inline, str):
            return nodes.line_break()
        content = [nodes.text(inline.label)] if inline.label else []
        if inline.is_image:
            return image_node(inline.href, inline.title, content)
        return self._link(inline.href, inline.title, content, problems)

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
        node, problem = resolve_reference(code, self._namespace, self._names)
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
    """The parser of the process, loaded on first use: most cells don't need it."""
    from services.ehtag.markup.parser import MarkdownParser

    return MarkdownParser()


class ResolvedReference(NamedTuple):
    """The node of a reference, and its problem, if any."""

    node: Node
    problem: str | None


def resolve_reference(code: str, own: Namespace, names: TagLookup) -> ResolvedReference:
    """The reference that a code span in namespace `own` makes.

    `f:ahegao` is looked up in one namespace; `ahegao`, or one with an unknown prefix, in all, by `SEARCH_ORDERS`.
    """
    shown = code.strip(SPACES)
    prefix, colon, rest = shown.partition(":")
    explicit = parse_namespace(prefix) if colon else None
    raw = parse_raw_tag(rest if colon else shown)
    if raw is None:
        return ResolvedReference(nodes.failed_reference(shown), f"无效标签引用：`{shown}` 不是一个有效的标签。")
    namespaces = SEARCH_ORDERS[own] if explicit is None else (explicit,)
    found = next((namespace for namespace in namespaces if names.has(namespace, raw)), None)
    if found is None:
        return ResolvedReference(nodes.failed_reference(shown), f"无效标签引用：`{shown}` 在数据库中不存在。")
    name = names.name_of(found, raw)
    if name is None:
        return ResolvedReference(
            nodes.reference(raw, raw, found, explicit is not None), f"无效标签引用：`{shown}` 引用了自身。"
        )
    return ResolvedReference(nodes.reference(name, raw, found, explicit is not None), None)
