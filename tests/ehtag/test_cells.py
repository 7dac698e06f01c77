"""Text, line breaks, emphasis, escapes and references in cells."""

from __future__ import annotations

import pytest

from services.ehtag import CellSources, TagSnapshot, normalise_record
from services.ehtag.records import Namespace

# source, raw, text, html: as the official implementation gives them, for a cell of `other`
PLAIN = [
    ("山 & 水", "山 & 水", "山 & 水", "<p>山 &amp; 水</p>"),
    ("风\n雨", "风\n雨", "风\n雨", "<p>风<br>雨</p>"),
    ("第一\n\n第二", "第一\n\n第二", "第一\n\n第二", "<p>第一</p><p>第二</p>"),
    ("第一\n \t\n第二", "第一\n\n第二", "第一\n\n第二", "<p>第一</p><p>第二</p>"),
    ("\u3000\n\nx", "x", "x", "<p>x</p>"),
    ("a  \nb\\\nc", "a\nb\nc", "a\nb\nc", "<p>a<br>b<br>c</p>"),
    ("# 标题\n- 列\n> 引", "# 标题\n- 列\n> 引", "# 标题\n- 列\n> 引", "<p># 标题<br>- 列<br>&gt; 引</p>"),
    ("[a]: b", "[a]: b", "[a]: b", "<p>[a]: b</p>"),
    ("a\rb\r\nc", "a\nb\nc", "a\nb\nc", "<p>a<br>b<br>c</p>"),
    ("e\u0301", "é", "é", "<p>é</p>"),
    ("a\u2028b", "a\u2028b", "a\u2028b", "<p>a\u2028b</p>"),
    ("<b>粗</b>", "<b>粗</b>", "<b>粗</b>", "<p>&lt;b&gt;粗&lt;/b&gt;</p>"),
    ("a\0b", "a�b", "a�b", "<p>a�b</p>"),
    ("☃\ufe0f 𠮷😀", "☃\ufe0f 𠮷😀", "☃\ufe0f 𠮷😀", "<p>☃\ufe0f 𠮷😀</p>"),
]
EMPHASIS = [
    ("a_b*c", "a\\_b\\*c", "a_b*c", "<p>a_b*c</p>"),
    ("**雨**声", "**雨**声", "雨声", "<p><strong>雨</strong>声</p>"),
    ("*a*字", "*a*字", "a字", "<p><em>a</em>字</p>"),
    ("***a***", "***a***", "a", "<p><em><strong>a</strong></em></p>"),
    ("字**「雨」**字", "字\\*\\*「雨」\\*\\*字", "字**「雨」**字", "<p>字**「雨」**字</p>"),
    ("**「雨」**字", "\\*\\*「雨」\\*\\*字", "**「雨」**字", "<p>**「雨」**字</p>"),
    ("**𐄀雨**字", "**𐄀雨**字", "𐄀雨字", "<p><strong>𐄀雨</strong>字</p>"),
    ("*😀*a", "*😀*a", "😀a", "<p><em>😀</em>a</p>"),
    ("_a_b_", "*a\\_b*", "a_b", "<p><em>a_b</em></p>"),
    ("*a **b* c**", "*a **b* c**", "a b c", "<p><em>a <em><em>b</em> c</em></em></p>"),
]
ESCAPES = [
    ("\\*a\\*", "\\*a\\*", "*a*", "<p>*a*</p>"),
    ("\\!\\a", "!\\a", "!\\a", "<p>!\\a</p>"),
    ("a\\|b", "a|b", "a|b", "<p>a|b</p>"),
    ("a!\\[b](c)", "a![b](c)", "a![b](c)", "<p>a![b](c)</p>"),
    ("\\![b](c)", "\\![b](c)", "!b", '<p>!<a href="c">b</a></p>'),
    ("&lt;&ltt;&#x1F600;&#0;&nbsp;x", "<<t;😀�\u00a0x", "<<t;😀�\u00a0x", "<p>&lt;&lt;t;😀�&nbsp;x</p>"),
    ("&bogus; &copy &COPY;", "&bogus; &copy ©", "&bogus; &copy ©", "<p>&amp;bogus; &amp;copy ©</p>"),
    ("http\\://a.example", "http://a.example", "http://a.example", "<p>http://a.example</p>"),
]
CODE = [
    ("`river`", "`river`", "河社(river)", '<p><abbr title="river" ns="group">河社</abbr></p>'),
    ("`f:kimono`", "`f:kimono`", "和服(f:kimono)", '<p><abbr title="f:kimono" ns="female">和服</abbr></p>'),
    ("` F : Kimono `", "`f:kimono`", "和服(f:kimono)", '<p><abbr title="f:kimono" ns="female">和服</abbr></p>'),
    (
        "`o:Full Color`",
        "`o:full color`",
        "彩色(full color)",
        '<p><abbr title="full color" ns="other">彩色</abbr></p>',
    ),
    ("`zz:lake`", "`lake`", "湖(lake)", '<p><abbr title="lake" ns="location">湖</abbr></p>'),
    ("`:lake`", "`lake`", "湖(lake)", '<p><abbr title="lake" ns="location">湖</abbr></p>'),
    ("`sea`", "`sea`", "海<b>(sea)", '<p><abbr title="sea" ns="parody">海&lt;b&gt;</abbr></p>'),
    ("`c:sea`", "`c:sea`", "海(sea)", '<p><abbr title="sea" ns="character">海</abbr></p>'),
    ("`tail`", "`tail`", "尾巴(tail)", '<p><abbr title="tail" ns="female">尾巴</abbr></p>'),
    ("`toString:river`", "`river`", "河社(river)", '<p><abbr title="river" ns="group">河社</abbr></p>'),
    ("`nope`", "`nope`", "nope", "<p><abbr>nope</abbr></p>"),
    ("`f:nope`", "`f:nope`", "f:nope", "<p><abbr>f:nope</abbr></p>"),
    ("`no|pe`", "`no|pe`", "no|pe", "<p><abbr>no|pe</abbr></p>"),
    ("`` a`b ``", "``a`b``", "a`b", "<p><abbr>a`b</abbr></p>"),
    ("` `` `", "``` `` ```", "``", "<p><abbr>``</abbr></p>"),
    ("`x``y``", "\\`x`y`", "`xy", "<p>`x<abbr>y</abbr></p>"),
    ("`[`a``b`]`", "`[`a\\`\\`b`]`", "[a``b]", "<p><abbr>[</abbr>a``b<abbr>]</abbr></p>"),
    ("[`a``](u) b``", "[\\`a`](u) b`", "[`a](u) b", "<p>[`a<abbr>](u) b</abbr></p>"),
    ("`a\nb`", "`a b`", "a b", "<p><abbr>a b</abbr></p>"),
    ("`river", "\\`river", "`river", "<p>`river</p>"),
]


@pytest.mark.parametrize(("source", "raw", "text", "html"), [*PLAIN, *EMPHASIS, *ESCAPES, *CODE])
def test_a_cell_has_the_forms_of_the_releases(
    glossary: TagSnapshot, source: str, raw: str, text: str, html: str
) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources(source, "", "")).name

    assert (cell.raw, cell.text, cell.html) == (raw, text, html)


def test_an_empty_cell_has_no_paragraph(glossary: TagSnapshot) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources(" \u3000\ufeff", "", "")).name

    assert (cell.source, cell.raw, cell.text, cell.html, cell.ast) == ("", "", "", "", [])


def test_a_paragraph_of_wide_spaces_is_empty(glossary: TagSnapshot) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources("a\n\n\u3000\n\nb", "", "")).name

    assert [paragraph["content"] for paragraph in cell.ast] == [
        [{"type": "text", "text": "a"}],
        [],
        [{"type": "text", "text": "b"}],
    ]
    assert cell.raw == "a\n\n\n\nb"


def test_markup_leaves_empty_texts_where_the_releases_have_them(glossary: TagSnapshot) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources("**雨**声", "", "")).name

    assert cell.ast == [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": ""},
                {"type": "strong", "content": [{"type": "text", "text": "雨"}]},
                {"type": "text", "text": "声"},
            ],
        }
    ]


def test_a_form_is_made_once(glossary: TagSnapshot) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources("`river` **雨**", "", "")).name

    assert cell.ast is cell.ast
    assert cell.html is cell.html
    assert cell.raw is cell.raw
    assert cell.text is cell.text
