"""Headers that GraphQL and the other doors read and write alike."""

from __future__ import annotations

STALE_WARNING = '110 - "Response is Stale"'
"""`Warning` of an answer that stands in while the site can't be read."""


def names_etag(if_none_match: str, etag: str) -> bool:
    """Whether `If-None-Match` names this ETag (`"3f2a"`, quotes included), weakly too, or any with `*`."""
    given = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return "*" in given or etag in given


def qualities(header: str) -> dict[str, float]:
    """Each named thing in lower case and its quality, 0 to 1: `"gzip;q=0.5, br"` is `{"gzip": 0.5, "br": 1.0}`."""
    found: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name:
            found.setdefault(name, _quality(parameters))
    return found


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return _number(value)
    return 1.0


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), 1.0) if value == value else 0.0
