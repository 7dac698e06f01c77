"""The fast path against the parser."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from services.ehtag.markup.fast_path import Code, Inline, LinkOrImage, Text, parse_simple, split_paragraphs
from services.ehtag.markup.parser import MarkdownParser

PARSER = MarkdownParser()
FRAGMENTS = [
    *"ab 字。!?:;&/|~#=+-.,\"'()[]<>*_`\\\n\t",
    *(
        "  ",
        "\u3000",
        "\x0b",
        "\u200b",
        "😀",
        "//",
        "http:",
        "http://",
        "mailto:",
        "a@b.example",
        "&amp;",
        "&#35;",
        "&a",
    ),
    *(
        "`河`",
        "`f:a`",
        "``",
        "[a](b)",
        "![a](b)",
        '[a](b "c")',
        "[河](https://a.example/b_c?d=e&f#g)",
        "](",
        "![",
        "[](",
    ),
    *(
        "[a](javascript:b)",
        "[a](b;c&d;e)",
        "[a](b(c))",
        "[a:b](c)",
        "![a//b](c)",
        "\\_",
        "\\!",
        "\\[",
        "\\a",
        " \n ",
        "<br>",
    ),
]


@settings(max_examples=1000, deadline=None)  # the first example compiles the patterns
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_the_fast_path_reads_what_the_parser_reads(source: str) -> None:
    for paragraph in split_paragraphs(unicodedata.normalize("NFC", source)):
        simple = parse_simple(paragraph)

        assert simple is None or simple == _inlines(PARSER.tokens(paragraph))


@pytest.mark.parametrize(
    "paragraph",
    [
        "河水流过\\_山谷\\|，见`river`与`f:tail`！",
        "第一行\n第二行",
        '![图](# "https://a.example/b.jpg")![图](https://a.example/c.jpg)',
        "[河](https://a.example/b) | [海](http://b.example/?c=d&e=f)",
        "A & B: C!",
        "雨[夜] ![a] [b][c]",
        "a//b",
    ],
)
def test_simple_paragraphs_need_no_parser(paragraph: str) -> None:
    assert parse_simple(paragraph) == _inlines(PARSER.tokens(paragraph))


@pytest.mark.parametrize(
    "paragraph",
    [
        "*a*",
        "a_b",
        "[a](",
        "[a] [b](c)",
        "`a",
        "``a``",
        "<a@b.example>",
        "&lt;",
        "https://a.example",
        "//a.example",
        "[[a](b)](c)",
        "a\\\nb",
    ],
)
def test_other_paragraphs_are_left_to_the_parser(paragraph: str) -> None:
    assert parse_simple(paragraph) is None


def _inlines(tokens: list[Token]) -> list[Inline]:
    """Tokens as the fast path gives them; it gives no link that holds more than text."""
    inlines: list[Inline] = []
    rest = iter(tokens)
    for token in rest:
        if token.type == "text":
            inlines.append(Text(token.content))
        elif token.type == "code_inline":
            inlines.append(Code(token.content))
        elif token.type == "image":
            label = "".join(child.content for child in token.children or [])
            inlines.append(LinkOrImage(True, label, str(token.attrs["src"]), str(token.attrs.get("title", ""))))
        elif token.type == "link_open":
            label = ""
            while (inner := next(rest)).type != "link_close":
                assert inner.type == "text"
                label += inner.content
            inlines.append(LinkOrImage(False, label, str(token.attrs["href"]), str(token.attrs.get("title", ""))))
        else:
            assert token.type in ("softbreak", "hardbreak")
            inlines.append("br")
    return inlines
