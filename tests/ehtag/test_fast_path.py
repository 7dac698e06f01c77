"""The quick reader against the parser."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from services.ehtag.markup.parser import Code, MarkdownParser, Piece, Target, Text, read_everyday, split_paragraphs

PARSER = MarkdownParser()
PIECES = [
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
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_the_quick_reader_reads_is_what_the_parser_reads(source: str) -> None:
    for paragraph in split_paragraphs(unicodedata.normalize("NFC", source)):
        quick = read_everyday(paragraph)

        assert quick is None or quick == _pieces(PARSER.tokens(paragraph))


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
def test_everyday_paragraphs_need_no_parser(paragraph: str) -> None:
    assert read_everyday(paragraph) == _pieces(PARSER.tokens(paragraph))


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
def test_what_may_be_more_is_left_to_the_parser(paragraph: str) -> None:
    assert read_everyday(paragraph) is None


def _pieces(tokens: list[Token]) -> list[Piece]:
    """Tokens in the quick reader's words; a link that holds more than text has none."""
    pieces: list[Piece] = []
    rest = iter(tokens)
    for token in rest:
        if token.type == "text":
            pieces.append(Text(token.content))
        elif token.type == "code_inline":
            pieces.append(Code(token.content))
        elif token.type == "image":
            label = "".join(child.content for child in token.children or [])
            pieces.append(Target(True, label, str(token.attrs["src"]), str(token.attrs.get("title", ""))))
        elif token.type == "link_open":
            label = ""
            while (inner := next(rest)).type != "link_close":
                assert inner.type == "text"
                label += inner.content
            pieces.append(Target(False, label, str(token.attrs["href"]), str(token.attrs.get("title", ""))))
        else:
            assert token.type in ("softbreak", "hardbreak")
            pieces.append("br")
    return pieces
