"""Links, images and bare URLs in cells."""

from __future__ import annotations

import pytest

from services.ehtag import CellSources, TagSnapshot, normalise_record
from services.ehtag.records import Namespace

# source, raw, text, html: as the official implementation gives them, for a cell of `other`
LINKS = [
    ("[河](https://a.example/b)", "[河](https://a.example/b)", "河", '<p><a href="https://a.example/b">河</a></p>'),
    ("[a](<b c> 't')", '[a](b%20c "t")', "a", '<p><a href="b%20c" title="t">a</a></p>'),
    ("[a](b(c)d)", "[a](b%28c%29d)", "a", '<p><a href="b%28c%29d">a</a></p>'),
    ('[a](b "c&quot;d")', '[a](b "c"d")', "a", '<p><a href="b" title="c&quot;d">a</a></p>'),
    ("[a][b]", "[a][b]", "[a][b]", "<p>[a][b]</p>"),
    ("[[a](b)](c)", "[[a](b)](c)", "[a](c)", '<p>[<a href="b">a</a>](c)</p>'),
    ("[](u)", "[](u)", "", '<p><a href="u"></a></p>'),
    ("[a](javascript:x)", "[a](javascript:x)", "[a](javascript:x)", "<p>[a](javascript:x)</p>"),
    ("[a](data:image/png;x)", "[a](data:image/png;x)", "a", '<p><a href="data:image/png;x">a</a></p>'),
    (
        "[a](http://x.example/%28%29%20%0A%25)",
        "[a](http://x.example/%28%29%20%a%25)",
        "a",
        '<p><a href="http://x.example/%28%29%20%a%25">a</a></p>',
    ),
    ("[a](//xn--fiqs8s.example)", "[a](//中国.example)", "a", '<p><a href="//中国.example">a</a></p>'),
    (
        "[a <https://b.example> c](d)",
        "[a [https://b.example](https://b.example) c](d)",
        "a https://b.example c",
        '<p><a href="d">a <a href="https://b.example">https://b.example</a> c</a></p>',
    ),
    (
        "[//a.example <https://b.example>](d)",
        "[[//a.example](//a.example) [https://b.example](https://b.example)](d)",
        "//a.example https://b.example",
        '<p><a href="d"><a href="//a.example">//a.example</a> <a href="https://b.example">https://b.example</a></a></p>',
    ),
    (
        "[[[[[[[[[[[[[[[[[[[[[a](b)",
        "[[[[[[[[[[[[[[[[[[[[[a](b)",
        "[[[[[[[[[[[[[[[[[[[[[a](b)",
        "<p>[[[[[[[[[[[[[[[[[[[[[a](b)</p>",
    ),
    ("[a](b 'c' d)", "[a](b 'c' d)", "[a](b 'c' d)", "<p>[a](b 'c' d)</p>"),
    # a look-ahead takes the word before the bracket for a scheme, and skips the code span after it
    (
        "hill[ftp://`glasses`](u)",
        "hill[ftp://\\`glasses\\`](u)",
        "hillftp://`glasses`",
        '<p>hill<a href="u">ftp://`glasses`</a></p>',
    ),
    ('[a\nb](c\n"d")', '[a\nb](c "d")', "a\nb", '<p><a href="c" title="d">a<br>b</a></p>'),
]
SITES = [
    (
        "[X](http://mobile.twitter.com/a?b=1)",
        "[X](https://x.com/a?b=1)",
        "X",
        '<p><a href="https://x.com/a?b=1">X</a></p>',
    ),
    (
        "[维基](https://zh.m.wikipedia.org/zh-cn/%E5%B1%B1)",
        "[维基](https://zh.wikipedia.org/wiki/山)",
        "维基",
        '<p><a href="https://zh.wikipedia.org/wiki/山">维基</a></p>',
    ),
    (
        "https://www.pixiv.net/en/users/1",
        "[pixiv](https://www.pixiv.net/users/1)",
        "pixiv",
        '<p><a href="https://www.pixiv.net/users/1">pixiv</a></p>',
    ),
    (
        "[PIXIV](http://pixiv.net/u)",
        "[pixiv](https://www.pixiv.net/u)",
        "pixiv",
        '<p><a href="https://www.pixiv.net/u">pixiv</a></p>',
    ),
    (
        "[pixiv](https://www.pixiv.net:8080/a)",
        "[pixiv](https://www.pixiv.net:8080/a)",
        "pixiv",
        '<p><a href="https://www.pixiv.net:8080/a">pixiv</a></p>',
    ),
    (
        "[pixiv](https://www.pixiv.net:443/a)",
        "[pixiv](https://www.pixiv.net:443/a)",
        "pixiv",
        '<p><a href="https://www.pixiv.net:443/a">pixiv</a></p>',
    ),
    ("[a](https://i.pximg.net/b)", "[a](https://i.pixiv.cat/b)", "a", '<p><a href="https://i.pixiv.cat/b">a</a></p>'),
    (
        "[萌娘百科](http://mzh.moegirl.org.cn/山)",
        "[萌娘百科](https://zh.moegirl.org.cn/山)",
        "萌娘百科",
        '<p><a href="https://zh.moegirl.org.cn/山">萌娘百科</a></p>',
    ),
    (
        "[**X**](http://x.com/a)",
        "[**X**](https://x.com/a)",
        "X",
        '<p><a href="https://x.com/a"><strong>X</strong></a></p>',
    ),
    (
        "[a](https://www.pixiv.net/en/)",
        "[a](https://www.pixiv.net/en/)",
        "a",
        '<p><a href="https://www.pixiv.net/en/">a</a></p>',
    ),
    ("[a](http://notx.com/b)", "[a](http://notx.com/b)", "a", '<p><a href="http://notx.com/b">a</a></p>'),
    (
        "[哔哩哔哩](http://www.bilibili.com)",
        "[哔哩哔哩](http://www.bilibili.com)",
        "哔哩哔哩",
        '<p><a href="http://www.bilibili.com">哔哩哔哩</a></p>',
    ),
]
IMAGES = [
    (
        "[图](https://a.example/b.PNG)",
        "![](https://a.example/b.PNG)",
        "",
        '<p><img src="https://a.example/b.PNG"></p>',
    ),
    (
        "[](https://a.example/b.png)",
        "[](https://a.example/b.png)",
        "",
        '<p><a href="https://a.example/b.png"></a></p>',
    ),
    (
        '[图](https://a.example/b.png "题")',
        '![](https://a.example/b.png "题")',
        "",
        '<p><img src="https://a.example/b.png" title="题"></p>',
    ),
    ("[图](mailto:a@b.png)", "![](mailto:a@b.png)", "", '<p><img src="mailto:a@b.png"></p>'),
    (
        "[图](https://a.example/b.png?c)",
        "![](https://a.example/b.png?c)",
        "",
        '<p><img src="https://a.example/b.png?c"></p>',
    ),
    (
        "[图](https://a.example/b.png/..)",
        "[图](https://a.example/b.png/..)",
        "图",
        '<p><a href="https://a.example/b.png/..">图</a></p>',
    ),
    (
        '![图](# "https://exhentai.org/t/ab/cd.jpg")',
        '![图](# "https://ehgt.org/ab/cd.jpg")',
        "",
        '<p><img src="https://ehgt.org/ab/cd.jpg" alt="图" nsfw="R18"></p>',
    ),
    (
        '![图](## "http://a.example/b%20c.jpg")',
        '![图](## "http://a.example/b%20c.jpg")',
        "",
        '<p><img src="http://a.example/b%20c.jpg" alt="图" nsfw="R18G"></p>',
    ),
    ('![图](# "a.example/b")', '![图](# "a.example/b")', "", '<p><img src="#" title="a.example/b" alt="图"></p>'),
    ("![a\\_b](u)", "![a\\_b](u)", "", '<p><img src="u" alt="a_b"></p>'),
    (
        "![图](https://ul.ehgt.org/t/a/b.jpg)",
        "![图](https://ehgt.org/a/b.jpg)",
        "",
        '<p><img src="https://ehgt.org/a/b.jpg" alt="图"></p>',
    ),
    (
        '![图](https://s.exhentai.org/t/a/b.jpg "题")',
        '![图](# "https://ehgt.org/a/b.jpg")',
        "",
        '<p><img src="https://ehgt.org/a/b.jpg" title="题" alt="图" nsfw="R18"></p>',
    ),
    ("![a `river` *b*\nc](u)", "![a `river` *b*\nc](u)", "", '<p><img src="u" alt="a 河社(river) b\nc"></p>'),
    (
        "![https://a.example](u)",
        "![[https://a.example](https://a.example)](u)",
        "",
        '<p><img src="u" alt="https://a.example"></p>',
    ),
    (
        "[图](https://exhentai.org/t/a/b.jpg)",
        '![](# "https://ehgt.org/a/b.jpg")',
        "",
        '<p><img src="https://ehgt.org/a/b.jpg" nsfw="R18"></p>',
    ),
]
BARE = [
    (
        "看 https://例え.jp/山(川)。好",
        "看 [https://例え.jp/山%28川%29。好](https://例え.jp/山%28川%29。好)",
        "看 https://例え.jp/山%28川%29。好",
        '<p>看 <a href="https://例え.jp/山%28川%29。好">https://例え.jp/山%28川%29。好</a></p>',
    ),
    (
        "mailto:a@b.example。",
        "[mailto:a@b.example](mailto:a@b.example)。",
        "mailto:a@b.example。",
        '<p><a href="mailto:a@b.example">mailto:a@b.example</a>。</p>',
    ),
    (
        "ftp://a.example/b, c",
        "[ftp://a.example/b](ftp://a.example/b), c",
        "ftp://a.example/b, c",
        '<p><a href="ftp://a.example/b">ftp://a.example/b</a>, c</p>',
    ),
    (
        "//a.example/x",
        "[//a.example/x](//a.example/x)",
        "//a.example/x",
        '<p><a href="//a.example/x">//a.example/x</a></p>',
    ),
    ("//a", "//a", "//a", "<p>//a</p>"),
    (
        "HTTPS://A.EXAMPLE/B",
        "[HTTPS://A.EXAMPLE/B](HTTPS://A.EXAMPLE/B)",
        "HTTPS://A.EXAMPLE/B",
        '<p><a href="HTTPS://A.EXAMPLE/B">HTTPS://A.EXAMPLE/B</a></p>',
    ),
    (
        "<https://a.example/<>",
        "<[https://a.example/](https://a.example/)<>",
        "<https://a.example/<>",
        '<p>&lt;<a href="https://a.example/">https://a.example/</a>&lt;&gt;</p>',
    ),
    (
        "<a@b.example>",
        "[a@b.example](mailto:a@b.example)",
        "a@b.example",
        '<p><a href="mailto:a@b.example">a@b.example</a></p>',
    ),
    ("<a@b.example\n>", "<a@b.example\n>", "<a@b.example\n>", "<p>&lt;a@b.example<br>&gt;</p>"),
    (
        "http://a.example/b**c**",
        "[http://a.example/b\\*\\*c](http://a.example/b**c)\\*\\*",
        "http://a.example/b**c**",
        '<p><a href="http://a.example/b**c">http://a.example/b**c</a>**</p>',
    ),
    (
        "**http://a.example/**",
        "**[http://a.example/](http://a.example/)**",
        "http://a.example/",
        '<p><strong><a href="http://a.example/">http://a.example/</a></strong></p>',
    ),
    (
        "https://u:p@a.example:80/b?c#d",
        "[https://u:p@a.example:80/b?c#d](https://u:p@a.example:80/b?c#d)",
        "https://u:p@a.example:80/b?c#d",
        '<p><a href="https://u:p@a.example:80/b?c#d">https://u:p@a.example:80/b?c#d</a></p>',
    ),
    (
        "http://a.example:99999/",
        "http://a.example:99999/",
        "http://a.example:99999/",
        "<p>http://a.example:99999/</p>",
    ),
    (
        "http://a.example/b_c_d",
        "[http://a.example/b\\_c\\_d](http://a.example/b_c_d)",
        "http://a.example/b_c_d",
        '<p><a href="http://a.example/b_c_d">http://a.example/b_c_d</a></p>',
    ),
    ("_//a.example_", "*//a.example*", "//a.example", "<p><em>//a.example</em></p>"),
    (
        "http://a.example/a&amp;b",
        "[http://a.example/a&amp;b](http://a.example/a&amp;b)",
        "http://a.example/a&amp;b",
        '<p><a href="http://a.example/a&amp;amp;b">http://a.example/a&amp;amp;b</a></p>',
    ),
    (
        "https://a.example/(b)[c]{d}'e'",
        "[https://a.example/%28b%29%5bc%5d%7bd%7d%27e%27](https://a.example/%28b%29%5bc%5d%7bd%7d%27e%27)",
        "https://a.example/%28b%29%5bc%5d%7bd%7d%27e%27",
        '<p><a href="https://a.example/%28b%29%5bc%5d%7bd%7d%27e%27">https://a.example/%28b%29%5bc%5d%7bd%7d%27e%27</a></p>',
    ),
    (
        "http://a.example/a...",
        "[http://a.example/a](http://a.example/a)...",
        "http://a.example/a...",
        '<p><a href="http://a.example/a">http://a.example/a</a>...</p>',
    ),
    (
        "http://a.example/%E5%B1%B1%",
        "[http://a.example/山%](http://a.example/山%)",
        "http://a.example/山%",
        '<p><a href="http://a.example/山%">http://a.example/山%</a></p>',
    ),
    (
        "http://𐄀.example/",
        "[http://𐄀.example/](http://𐄀.example/)",
        "http://𐄀.example/",
        '<p><a href="http://𐄀.example/">http://𐄀.example/</a></p>',
    ),
    (
        "a.example www.a.example a@b.example",
        "a.example www.a.example a@b.example",
        "a.example www.a.example a@b.example",
        "<p>a.example www.a.example a@b.example</p>",
    ),
    ("http://[::1]/", "http://[::1]/", "http://[::1]/", "<p>http://[::1]/</p>"),
]


@pytest.mark.parametrize(("source", "raw", "text", "html"), [*LINKS, *SITES, *IMAGES, *BARE])
def test_a_cell_has_the_forms_of_the_releases(
    glossary: TagSnapshot, source: str, raw: str, text: str, html: str
) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources(source, "", "")).name

    assert (cell.raw, cell.text, cell.html) == (raw, text, html)


def test_texts_in_an_image_stay_separate(glossary: TagSnapshot) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources("![a\\_b](u)", "", "")).name

    assert cell.ast[0]["content"] == [
        {
            "type": "image",
            "content": [{"type": "text", "text": piece} for piece in ("a", "_", "b")],
            "url": "u",
            "title": "",
            "nsfw": False,
        }
    ]


def test_a_link_to_a_picture_is_an_image_without_content(glossary: TagSnapshot) -> None:
    cell = normalise_record(
        glossary, Namespace.OTHER, "cell", CellSources('[河](http://ul.ehgt.org/a.jpg "题")', "", "")
    ).name

    assert list(cell.ast[0]["content"][0].items()) == [
        ("type", "image"),
        ("url", "https://ehgt.org/a.jpg"),
        ("title", "题"),
        ("content", []),
        ("nsfw", False),
    ]


@pytest.mark.parametrize("prefix", ["%01", "&#1;", "\x01", " \x1f", "\ufeff\x02"])
def test_a_control_character_hides_no_script(glossary: TagSnapshot, prefix: str) -> None:
    cell = normalise_record(
        glossary, Namespace.OTHER, "cell", CellSources(f"[a](<{prefix}javascript:b>)", "", "")
    ).name

    assert 'href="javascript' not in cell.html
    assert 'href="\x01' not in cell.html


@pytest.mark.parametrize("url", [f"https://{'u' * 60}@a.example/b", f"mailto:{'m' * 70}@a.example"])
def test_a_long_user_name_is_part_of_its_url(glossary: TagSnapshot, url: str) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources(url, "", "")).name

    assert cell.raw == f"[{url}]({url})"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.example/b(c｜d)e", "https://a.example/b%28c｜d%29e"),
        ("https://a.example/b(c d)", "https://a.example/b"),
        ("https://a.example/b[c", "https://a.example/b"),
        ("https://a.example/b{c}d}", "https://a.example/b%7bc%7dd"),
        ("https://a.example/b'c", "https://a.example/b%27c"),
        ("https://a.example/b'", "https://a.example/b"),
        ("https://a.example/b?!c!!", "https://a.example/b?!c"),
        ("https://a.example/b｜c", "https://a.example/b"),
    ],
)
def test_a_bare_url_ends_before_brackets_that_are_not_closed(glossary: TagSnapshot, text: str, url: str) -> None:
    cell = normalise_record(glossary, Namespace.OTHER, "cell", CellSources(text, "", "")).name

    assert cell.ast[0]["content"][0]["url"] == url
