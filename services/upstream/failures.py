"""Why a try at the site failed, told from the status, the headers and the text of what came instead of an answer.

Only asked about answers that were not what was wanted: an album whose description says "maintenance" is an album.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from services.errors import UpstreamFailure, UpstreamReason

LONGEST_RETRY_AFTER_S = 3600.0
"""A `Retry-After` beyond this is taken as this."""

_LOOKED_AT = 20_000
"""Characters of a body that are searched: block pages say who they are near the top."""

_TEXTS: tuple[tuple[UpstreamReason, re.Pattern[str]], ...] = (
    (
        UpstreamReason.REGION_BLOCKED,
        re.compile(
            r"restricted access!|error(?: code)?:? 10(?:09|20)\b|your (?:country|region)|country or region"
            r"|unavailable for legal reasons|(?:所在|您的|你的)的?(?:ip)?地[區区]|ip地[區区]",
            re.IGNORECASE,
        ),
    ),
    (
        UpstreamReason.RATE_LIMITED,
        re.compile(r"error(?: code)?:? 1015\b|too many requests|rate limit|請求過於頻繁|请求过于频繁", re.IGNORECASE),
    ),
    (
        UpstreamReason.CHALLENGED,
        re.compile(
            r"just a moment\.\.\.|cf[-_]chl|challenge-platform|challenge-form|checking your browser|cf-turnstile"
            r"|<title>[^<]*captcha|attention required!|you are (?:a )?human|enable javascript and cookies|ddos-guard",
            re.IGNORECASE,
        ),
    ),
    (
        UpstreamReason.MAINTENANCE,
        re.compile(r"could not connect to mysql|maintenance|維護|维护|維修中|维修中", re.IGNORECASE),
    ),
)

_STATUSES: dict[int, UpstreamReason] = {
    403: UpstreamReason.REGION_BLOCKED,
    408: UpstreamReason.TIMEOUT,
    425: UpstreamReason.RATE_LIMITED,
    429: UpstreamReason.RATE_LIMITED,
    451: UpstreamReason.REGION_BLOCKED,
    502: UpstreamReason.UNREACHABLE,
    503: UpstreamReason.MAINTENANCE,
    504: UpstreamReason.TIMEOUT,
    # a CDN in front of the site that can't reach it
    520: UpstreamReason.UNREACHABLE,
    521: UpstreamReason.UNREACHABLE,
    522: UpstreamReason.TIMEOUT,
    523: UpstreamReason.UNREACHABLE,
    524: UpstreamReason.TIMEOUT,
    525: UpstreamReason.UNREACHABLE,
    526: UpstreamReason.UNREACHABLE,
    530: UpstreamReason.UNREACHABLE,
}


class AttemptError(Exception):
    """One try at one host came to nothing. `detail` is for the log: no title, no credentials.

    `is_absent` marks a host that answers properly that it has no such file.
    """

    def __init__(
        self,
        reason: UpstreamReason,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        is_absent: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.is_absent = is_absent

    def as_failure(self) -> UpstreamFailure:
        """What the caller of the gateway gets to see."""
        return UpstreamFailure(self.reason, retry_after_s=self.retry_after_s)


def failure_of_answer(
    status: int, text: str, *, retry_after: str | None = None, is_challenge: bool = False
) -> AttemptError:
    """The failure that an unwanted answer stands for.

    `retry_after` is the header as sent; `is_challenge` is what the CDN's own header (`cf-mitigated`) says. An API
    error in JSON (`{"code": 429, "errorMsg": "..."}`) counts by its own code, whatever the HTTP status.
    """
    status, text = _said_in_json(status, text[:_LOOKED_AT])
    reason = _reason(status, text, is_challenge)
    return AttemptError(reason, f"status {status}", retry_after_s=retry_after_seconds(retry_after))


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for, as a number or an HTTP date; None without a readable one."""
    if not header:
        return None
    seconds = float(header) if re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", header) else _seconds_until(header)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def _said_in_json(status: int, text: str) -> tuple[int, str]:
    if not text.lstrip("\ufeff \r\n\t").startswith("{"):
        return status, text
    try:
        said = json.loads(text.strip().lstrip("\ufeff"))
        code = int(said.get("code", status))
    except (ValueError, TypeError):
        return status, text
    return (code if status == 200 else status), str(said.get("errorMsg") or "")


def _reason(status: int, text: str, is_challenge: bool) -> UpstreamReason:
    if status == 429:
        return UpstreamReason.RATE_LIMITED
    if is_challenge:
        return UpstreamReason.CHALLENGED
    for reason, pattern in _TEXTS:
        if pattern.search(text):
            return reason
    return _STATUSES.get(status, UpstreamReason.GARBLED)


def _seconds_until(http_date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()
