"""The part of `new URL(text)` that a rendering shows: whether it fails, the host, the path.

Source: WHATWG URL Standard, basic URL parser without a base, and UTS #46 for domain names.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_TRIMMED = "".join(map(chr, range(0x21)))  # C0 controls and the space
_REMOVED = {ord(char): None for char in "\t\n\r"}
# host and path need no change: no port, no escape, no dot segment, and a last label that is no number
_SIMPLE_URL = re.compile(
    r"(https?)://((?!xn--)[a-z0-9\-]+(?:\.(?!xn--)[a-z0-9\-]+)*\.[a-z]+)(/(?:[^\\?#\s%./]|(?<!/)\.|(?<!/)/)+)\Z"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "file": None}
_FORBIDDEN_HOST = frozenset("\0\t\n\r #/:<>?@[\\]^|")
_FORBIDDEN_DOMAIN = _FORBIDDEN_HOST | frozenset(map(chr, range(0x20))) | {"%", "\x7f"}
_MAX_PORT = 65535
_DOT = frozenset({".", "%2e"})
_TWO_DOTS = frozenset({"..", ".%2e", "%2e.", "%2e%2e"})
# bidirectional classes: those of right-to-left text, and those that any label may contain
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_NEUTRAL = frozenset({"ES", "CS", "ET", "ON", "BN", "NSM"})


class WebUrl(NamedTuple):
    """`host` with a port only where it is not the scheme's own ("zh.wikipedia.org", "a.b:8080"); "" where none."""

    scheme: str
    host: str
    pathname: str


def parse_url(text: str) -> WebUrl | None:
    """The URL, or None where `new URL(text)` throws."""
    if match := _SIMPLE_URL.match(text):
        return WebUrl(match[1], match[2], match[3])
    text = text.strip(_TRIMMED).translate(_REMOVED)
    match = _SCHEME.match(text)
    if match is None:
        return None
    scheme, rest = match[1].lower(), text[match.end() :]
    rest = rest.partition("#")[0].partition("?")[0]
    if scheme in _DEFAULT_PORTS:
        return _special(scheme, rest.replace("\\", "/"))
    if rest.startswith("//"):
        return _with_authority(scheme, rest[2:])
    return WebUrl(scheme, "", _resolved(rest) if rest.startswith("/") else rest)


def _special(scheme: str, rest: str) -> WebUrl | None:
    if scheme != "file":
        return _with_authority(scheme, rest.lstrip("/"))
    if not rest.startswith("//"):
        return WebUrl(scheme, "", _resolved(rest))
    host, slash, path = rest[2:].partition("/")
    domain = _domain(host) if host else ""
    return (
        None if domain is None else WebUrl(scheme, "" if domain == "localhost" else domain, _resolved(slash + path))
    )


def _with_authority(scheme: str, rest: str) -> WebUrl | None:
    special = scheme in _DEFAULT_PORTS
    authority, slash, path = rest.partition("/")
    _, at, host_port = authority.rpartition("@")
    host, port = _split_port(host_port)
    if port is None or (not host and (special or at or host_port)):
        return None
    parsed = _host(host, special)
    if parsed is None:
        return None
    number = int(port) if port else None
    if number is not None and number > _MAX_PORT:
        return None
    shown = parsed if number is None or number == _DEFAULT_PORTS.get(scheme) else f"{parsed}:{number}"
    resolved = _resolved(slash + path) if slash or special else ""
    return WebUrl(scheme, shown, resolved)


def _split_port(host_port: str) -> tuple[str, str | None]:
    """Host and port digits ("" where none); the port is None when it is no number."""
    bracket = host_port.rfind("]")
    colon = host_port.find(":", bracket + 1 if host_port.startswith("[") else 0)
    if colon < 0:
        return host_port, ""
    port = host_port[colon + 1 :]
    return host_port[:colon], port if not port or (port.isascii() and port.isdigit()) else None


def _host(host: str, special: bool) -> str | None:
    if host.startswith("["):
        return _ipv6(host)
    if special:
        return _domain(host)
    return None if _FORBIDDEN_HOST & set(host) else host


def _ipv6(host: str) -> str | None:
    if not host.endswith("]") or "%" in host:
        return None
    try:
        return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        return None


def _domain(host: str) -> str | None:
    """A domain as `domain to ASCII` leaves it, or an IPv4 address; None when it is neither."""
    decoded = unquote_to_bytes(host).decode("utf-8", "replace")
    ascii_only = decoded.isascii() and "xn--" not in decoded.lower()
    domain = decoded.lower() if ascii_only else _to_ascii(decoded)
    if not domain or _FORBIDDEN_DOMAIN & set(domain):
        return None
    labels = domain.split(".")
    last = labels[-2] if labels[-1] == "" and len(labels) > 1 else labels[-1]
    return _ipv4(labels) if _is_number(last) else domain


def _to_ascii(domain: str) -> str | None:
    import idna

    try:
        mapped = idna.uts46_remap(domain, std3_rules=False, transitional=False)
        labels = [_decoded(label) for label in mapped.split(".")]
        for label in labels:
            _check_label(label)
        return ".".join(_encoded(label) for label in labels)
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        return None


def _decoded(label: str) -> str:
    """A label in Unicode. Raises IDNAError for an `xn--` label that no other spelling gives."""
    import idna

    if not label.startswith("xn--"):
        return label
    decoded = label[4:].encode("ascii").decode("punycode")
    if not decoded or decoded.isascii() or idna.uts46_remap(decoded, std3_rules=False, transitional=False) != decoded:
        raise idna.IDNAError("not a canonical label")
    return decoded


def _encoded(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def _check_label(label: str) -> None:
    """Raises IDNAError where the releases' `new URL` refuses a label in Unicode.

    That is UTS #46 with CheckJoiners; directions are checked only in labels with right-to-left text.
    """
    import idna

    if label.isascii():
        return
    if unicodedata.category(label[0]).startswith("M"):
        raise idna.IDNAError("starts with a mark")
    for position, char in enumerate(label):
        if char in "\u200c\u200d" and not idna.valid_contextj(label, position):
            raise idna.IDNAError("joiner out of place")
    directions = list(map(unicodedata.bidirectional, label))
    if not _RIGHT_TO_LEFT.isdisjoint(directions) and not _obeys_bidi_rule(directions):
        raise idna.IDNAError("directions mixed")


def _obeys_bidi_rule(directions: list[str]) -> bool:
    """RFC 5893, section 2, as `new URL` has it: the end of a left-to-right label is not checked."""
    while directions[-1] == "NSM":
        directions.pop()
    if directions[0] == "L":
        return {"L", "EN", *_NEUTRAL}.issuperset(directions[:-1])
    return (
        {*_RIGHT_TO_LEFT, "EN", *_NEUTRAL}.issuperset(directions)
        and directions[-1] in {*_RIGHT_TO_LEFT, "EN"}
        and not {"EN", "AN"}.issubset(directions)
    )


def _is_number(label: str) -> bool:
    return bool(label) and ((label.isascii() and label.isdigit()) or _number(label) is not None)


def _number(label: str) -> int | None:
    lowered = label.lower()
    if lowered.startswith("0x"):
        digits, base = lowered[2:], 16
    elif len(lowered) > 1 and lowered.startswith("0"):
        digits, base = lowered[1:], 8
    else:
        digits, base = lowered, 10
    if not digits:
        return 0
    allowed = "0123456789abcdef"[:base]
    return int(digits, base) if all(char in allowed for char in digits) else None


def _ipv4(labels: list[str]) -> str | None:
    if labels[-1] == "" and len(labels) > 1:
        labels = labels[:-1]
    if len(labels) > 4:
        return None
    numbers = [_number(label) if label else None for label in labels]
    if None in numbers:
        return None
    values = [number for number in numbers if number is not None]
    if any(value > 255 for value in values[:-1]) or values[-1] >= 256 ** (5 - len(values)):
        return None
    address = values[-1] + sum(value << (8 * (3 - index)) for index, value in enumerate(values[:-1]))
    return str(ipaddress.IPv4Address(address))


def _resolved(path: str) -> str:
    """An absolute path without its dot segments; percent-encoding is left as it is (it hides no file extension)."""
    segments: list[str] = []
    parts = path.removeprefix("/").split("/")
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        lowered = part.lower()
        if lowered in _TWO_DOTS:
            del segments[-1:]
            if last:
                segments.append("")
        elif lowered in _DOT:
            if last:
                segments.append("")
        else:
            segments.append(part)
    return "/" + "/".join(segments)
