"""Links and images: canonical URLs, names of known sites, links that are shown as images."""

from __future__ import annotations

import re
from typing import NamedTuple

from services.ehtag.markup import nodes
from services.ehtag.markup.nodes import Node, Nsfw
from services.ehtag.markup.syntax import SPACES
from services.ehtag.markup.whatwg import parse_url

# URLs that are canonical already, as most of the database are
_CANONICAL_URL = re.compile(
    r"https?://[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,3}(?::[0-9]+)?(?:[/?#][^%\s\x00-\x1f\x7f-\xa0\[\]()'\"`{}<>\ufeff\u2028\u2029]*)?\Z"
)
_RECODED_PROTOCOLS = (None, "http:", "https:", "mailto:")
_KEPT_ENCODED = ";/?:@&=+$,#%"
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_ENCODED = re.compile("[\\t\\n\\v\\f\\r \\[\\]()'\"`{}<>]")
_IGNORED_PREFIX = SPACES + "".join(map(chr, range(0x20)))
_BAD_PROTOCOL = re.compile(r"(?:vbscript|javascript|file|data):")
_GOOD_DATA = re.compile(r"data:image/(?:gif|png|jpeg|webp);")

# the sites whose URLs are rewritten
_SITE_WITH_REWRITES = re.compile(
    r"https?://(?:[^./]+\.)*(ehgt\.org|exhentai\.org|pixiv\.net|twitter\.com|x\.com|pximg\.net|wikipedia\.org|moegirl\.org\.cn)/"
)
# the tail: JavaScript's `.` stops at these four
_TAIL = "([^\\n\\r\u2028\u2029]+)\\Z"
_GALLERY_IMAGE = re.compile(r"https?://(?:(?:ul\.)?ehgt\.org(?:/t)?|((?:s\.)?exhentai\.org)/t)/" + _TAIL)
_REWRITES: dict[str, tuple[tuple[str, str], ...]] = {
    "pixiv.net": ((r"(?:www\.)?pixiv\.net/(?:en/)?", "https://www.pixiv.net/{}"),),
    "twitter.com": ((r"(?:mobile\.)?twitter\.com/", "https://x.com/{}"),),
    "x.com": ((r"(?:mobile\.)?x\.com/", "https://x.com/{}"),),
    "pximg.net": ((r"i\.pximg\.net/", "https://i.pixiv.cat/{}"),),
    "wikipedia.org": (
        (r"(\w+)\.m\.wikipedia\.org/", "https://{}.wikipedia.org/{}"),
        (r"zh\.wikipedia\.org/zh(?:-\w+)?/", "https://zh.wikipedia.org/wiki/{}"),
    ),
    "moegirl.org.cn": (
        (r"m?zh\.moegirl\.org\.cn/", "https://zh.moegirl.org.cn/{}"),
        (r"(\w+)\.moegirl\.org\.cn/zh(?:-\w+)?/", "https://{}.moegirl.org.cn/{}"),
    ),
}
_COMPILED_REWRITES = {
    site: [(re.compile("https?://" + pattern + _TAIL, re.ASCII), target) for pattern, target in rules]
    for site, rules in _REWRITES.items()
}
_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg")
_HIDDEN_IMAGE = re.compile(r"https?://[^/]+")
_RATINGS: dict[str, Nsfw] = {"#": "R18", "##": "R18G"}
_SITES = {
    "zh.wikipedia.org": "维基百科",
    "ja.wikipedia.org": "维基百科（日语）",
    "en.wikipedia.org": "维基百科（英语）",
    "moegirl.org.cn": "萌娘百科",
    "bgm.tv": "Bangumi",
    "fandom.com": "Fandom",
    "baike.baidu.com": "百度百科",
    "wiki.biligame.com": "BILIGAME WIKI",
    "huijiwiki.com": "灰机wiki",
    "wiki.52poke.com": "神奇宝贝百科",
    "thwiki.cc": "THBWiki",
    "pixiv.net": "pixiv",
    "bilibili.com": "哔哩哔哩",
    "youtube.com": "YouTube",
    "weibo.com": "微博",
    "x.com": "X",
    "twitter.com": "X",
    "instagram.com": "Instagram",
    "facebook.com": "脸书",
    "tumblr.com": "Tumblr",
    "skeb.jp": "Skeb",
    "fanbox.cc": "FANBOX",
    "patreon.com": "Patreon",
    "fantia.jp": "Fantia",
    "afdian.net": "爱发电",
    "azz.net": "爱赞助",
    "hiccears.com": "HicceArs",
    "gumroad.com": "Gumroad",
    "booth.pm": "BOOTH",
    "dlsite.com": "DLsite",
}


def normalise_url(url: str) -> str:
    """A URL with its host in Unicode and its percent-encoding undone, except where that would change its meaning.

    Brackets, quotes, backticks and ASCII blanks come out as `%` and bare lower-case hex ("(" is "%28", LF is "%a").
    """
    if _CANONICAL_URL.match(url) and "xn--" not in url:
        return url
    import mdurl

    url = url.strip(SPACES)
    # mdurl trims what JavaScript would not: hand it the rest only
    core = url.strip()
    start = url.index(core) if core else 0
    before, after = url[:start], url[start + len(core) :]
    if before:  # no protocol then, hence no host
        return _encoded(mdurl.decode(url, _KEPT_ENCODED))
    parsed = mdurl.parse(core, slashes_denote_host=True)
    if parsed.hostname and parsed.protocol in _RECODED_PROTOCOLS:
        parsed = parsed._replace(hostname=_unicode_host(parsed.hostname))
    return _encoded(mdurl.decode(mdurl.format(parsed) + after, _KEPT_ENCODED))


def is_safe_url(url: str) -> bool:
    """Whether a (normalised) URL may become a link: no script, no file, no data but images.

    Stricter than the releases in one thing: browsers ignore leading control characters, so this does too.
    """
    if url.startswith(("https:", "http:")):
        return True
    lowered = url.lstrip(_IGNORED_PREFIX).lower()
    return _BAD_PROTOCOL.match(lowered) is None or _GOOD_DATA.match(lowered) is not None


def _unicode_host(host: str) -> str:
    """The host with its `xn--` labels decoded; as it is when one of them can't be."""
    try:
        return ".".join(map(_unicode_label, _DOTS.split(host)))
    except UnicodeError:
        return host


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    encoded = label[4:].lower().encode("ascii")
    if encoded.rfind(b"-") == 0:
        raise UnicodeError("no digits before the delimiter")
    decoded = encoded.decode("punycode")
    decoded.encode()  # half of a surrogate pair is no character
    return decoded


def _encoded(url: str) -> str:
    return _ENCODED.sub(lambda match: f"%{ord(match[0]):x}", url)


class LinkAddress(NamedTuple):
    """The target of a link or an image; `adult` when it was a picture of the restricted gallery."""

    url: str
    adult: bool


def address_of(url: str) -> LinkAddress:
    """The canonical address of a page or a picture, from a normalised URL."""
    site = _SITE_WITH_REWRITES.match(url)
    if site is None:
        return LinkAddress(url, adult=False)
    if match := _GALLERY_IMAGE.match(url):
        return LinkAddress(f"https://ehgt.org/{match[2]}", match[1] is not None)
    for pattern, target in _COMPILED_REWRITES.get(site[1], ()):  # in order: the second sees what the first made
        if match := pattern.match(url):
            url = target.format(*match.groups())
    return LinkAddress(url, adult=False)


def link_node(href: str, title: str, content: list[Node]) -> tuple[Node, str | None]:
    """The node of a link, and its URL if that is invalid."""
    url = normalise_url(href)
    address = address_of(url)
    if len(content) != 1 or content[0]["type"] != "text":
        return nodes.link(address.url, title, content), None
    parsed = parse_url(url)
    if parsed is None:
        return nodes.link(address.url, title, content), url
    if parsed.pathname.lower().endswith(_IMAGE_ENDINGS):
        return nodes.linked_image(address.url, title, "R18" if address.adult else False), None
    name = _site_name(parsed.host)
    label = content[0]["text"]
    if name is not None and (label == url or label.lower() == name.lower()):
        content = [nodes.text(name)]
    return nodes.link(address.url, title, content), None


def image_node(src: str, title: str, content: list[Node]) -> Node:
    """The node of an image. `#` and `##` as its source hide the address in the title and rate it."""
    rating: Nsfw = False
    if src in _RATINGS and _HIDDEN_IMAGE.match(title):
        rating, src, title = _RATINGS[src], title, ""
    address = address_of(normalise_url(src))
    return nodes.image(content, address.url, title, rating or ("R18" if address.adult else False))


def _site_name(host: str) -> str | None:
    while host:
        if name := _SITES.get(host):
            return name
        host = host.partition(".")[2]
    return None
