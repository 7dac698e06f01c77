"""URLs as the releases write them: readable, with what would end a link or a title percent-encoded."""

from __future__ import annotations

import re

from services.ehtag.markup.javascript import SPACES, trim

# nothing here is encoded, decoded, or recoded: most URLs of the database, told at a glance
_READY = re.compile(
    r"https?://[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,3}(?::[0-9]+)?(?:[/?#][^%\s\x00-\x1f\x7f-\xa0\[\]()'\"`{}<>\ufeff\u2028\u2029]*)?\Z"
)
_RECODED_PROTOCOLS = (None, "http:", "https:", "mailto:")
_KEPT_ENCODED = ";/?:@&=+$,#%"
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_ENCODED = re.compile("[\\t\\n\\v\\f\\r \\[\\]()'\"`{}<>]")
_PASSED_OVER = SPACES + "".join(map(chr, range(0x20)))
_BAD_PROTOCOL = re.compile(r"(?:vbscript|javascript|file|data):")
_GOOD_DATA = re.compile(r"data:image/(?:gif|png|jpeg|webp);")


def normalise_url(url: str) -> str:
    """A URL with its host in Unicode and its percent-encoding undone, except where that would change its meaning.

    Brackets, quotes, backticks and ASCII blanks come out as `%` and bare lower-case hex ("(" is "%28", LF is "%a").
    """
    if _READY.match(url) and "xn--" not in url:
        return url
    import mdurl

    url = trim(url)
    # mdurl trims what JavaScript would not: keep it out of its sight
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

    Stricter than the releases in one thing: browsers pass over leading control characters, so they hide nothing here.
    """
    if url.startswith(("https:", "http:")):
        return True
    lowered = url.lstrip(_PASSED_OVER).lower()
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
