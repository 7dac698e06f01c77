"""Headers in which a client says how much it likes what: `Accept`, `Accept-Encoding`."""

from __future__ import annotations


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
