"""URLs as `new URL` reads them."""

from __future__ import annotations

import pytest

from services.ehtag.markup.links import is_safe_url, normalise_url
from services.ehtag.markup.whatwg import parse_url


@pytest.mark.parametrize(
    ("text", "host", "pathname"),
    [
        ("https://a.example/b/c.png", "a.example", "/b/c.png"),
        ("HTTP://A.Example:80", "a.example", "/"),
        ("https://a.example:8443/", "a.example:8443", "/"),
        (" \x01https:/\\a.example\\b\t/c ", "a.example", "/b/c"),
        ("http:a.example", "a.example", "/"),
        ("https://u:p@q@a.example/", "a.example", "/"),
        ("https://a.example?b/c.png", "a.example", "/"),
        ("https://a.example/b.png/..", "a.example", "/"),
        ("https://a.example/b/%2E%2e/c.png/.", "a.example", "/c.png/"),
        ("https://ＡＢ。example/", "ab.example", "/"),
        ("https://%61.example/", "a.example", "/"),
        ("https://河.example/", "xn--ovw.example", "/"),
        ("https://xn--ovw.example/", "xn--ovw.example", "/"),
        ("https://a_b.example./", "a_b.example.", "/"),
        ("https://א.a.example/", "xn--4db.a.example", "/"),
        ("https://aא.example/", "xn--a-0hc.example", "/"),
        ("http://0x7f.1/", "127.0.0.1", "/"),
        ("http://010.1/", "8.0.0.1", "/"),
        ("http://[2001:DB8::1]:90/", "[2001:db8::1]:90", "/"),
        ("mailto:a@b.png?c", "", "a@b.png"),
        ("foo://Bar/x/../y.png", "Bar", "/y.png"),
        ("foo:///x", "", "/x"),
        ("foo:/x", "", "/x"),
        ("file:///x.png", "", "/x.png"),
        ("file://localhost/x", "", "/x"),
    ],
)
def test_a_url_has_a_host_and_a_path(text: str, host: str, pathname: str) -> None:
    url = parse_url(text)

    assert url is not None
    assert (url.host, url.pathname) == (host, pathname)


@pytest.mark.parametrize(
    "text",
    [
        "", "a/b", "//a.example", "#", "1:2", "http://", "http://?", "http://u@/", "http://a b/", "http://a<b/",
        "http://a%00b/", "http://a:x/", "http://a:65536/", "http://a:80:90/", "http://[::1/", "http://[1:2]/",
        "http://256.1.1.1/", "http://1.2.3.4.5/", "http://a.08/", "http://xn--/", "http://xn--a/",
        "http://\u0301a.example/", "http://a\u200db.example/", "http://\u00ad/", "foo://b ar/", "foo://:1",
        "file://a b/", "http://אa.example/", "http://aאb.example/", "http://א-.example/", "http://א1٢.example/",
    ],
)  # fmt: skip
def test_other_texts_are_no_urls(text: str) -> None:
    assert parse_url(text) is None


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://a.example/b?c#d", "https://a.example/b?c#d"),
        ("https://a.example/%E6%B2%B3%2F%23%25", "https://a.example/河%2F%23%25"),
        ("https://a.example/(b)[c]'d'", "https://a.example/%28b%29%5bc%5d%27d%27"),
        ('https://a.example/`e`{f}<g>"h" \t\n', "https://a.example/%60e%60%7bf%7d%3cg%3e%22h%22"),
        ("https://a.example/%0A%09", "https://a.example/%a%9"),
        ("https://a.example/%ff%E6%B2", "https://a.example/\ufffd\ufffd\ufffd"),
        ("https://xn--ovw.example/", "https://河.example/"),
        ("https://xn--ovw。example/", "https://河.example/"),
        ("ftp://xn--ovw.example/", "ftp://xn--ovw.example/"),
        ("https://xn--99999999.example/", "https://xn--99999999.example/"),
        ("mailto:a@xn--ovw.example", "mailto:a@河.example"),
        ("\ufeffhttps://a.example/\u3000", "https://a.example/"),
        ("\x85https://xn--ovw.example/", "\x85https://xn--ovw.example/"),
        ("https://xn--ovw.example/\x1c", "https://河.example/\x1c"),
    ],
)
def test_a_url_is_written_readably(url: str, normal: str) -> None:
    assert normalise_url(url) == normal


@pytest.mark.parametrize(
    "url",
    ["javascript:a", " JavaScript:a", "\x01vbscript:a", "file:///a", "data:text/html,a", "data:image/svg+xml;a"],
)
def test_some_urls_become_no_links(url: str) -> None:
    assert not is_safe_url(url)


@pytest.mark.parametrize(
    "url", ["https://a.example", "a", "", "data:image/png;base64,a", "mailto:a@b.example", "x-javascript:a"]
)
def test_the_others_do(url: str) -> None:
    assert is_safe_url(url)
