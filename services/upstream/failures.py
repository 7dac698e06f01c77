"""Why an attempt at the site failed, by the status, headers and text of the answer, or by what was raised.

Only unwanted answers are classified: an album whose description says "maintenance" is an album.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from curl_cffi.requests import exceptions as curl
from jmcomic import JmcomicException, RegularNotMatchException, RequestRetryAllFailException
from jmcomic.jm_exception import ResponseUnexpectedException

from services.errors import UpstreamFailure, UpstreamReason

LONGEST_RETRY_AFTER_S = 3600.0
"""A `Retry-After` beyond this is taken as this."""

_CLASSIFIED_CHARACTERS = 20_000
"""Of a body: block pages say what they are near the top."""

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
    # a CDN in front of the site that can't reach the site
    520: UpstreamReason.UNREACHABLE,
    521: UpstreamReason.UNREACHABLE,
    522: UpstreamReason.TIMEOUT,
    523: UpstreamReason.UNREACHABLE,
    524: UpstreamReason.TIMEOUT,
    525: UpstreamReason.UNREACHABLE,
    526: UpstreamReason.UNREACHABLE,
    530: UpstreamReason.UNREACHABLE,
}

_LOGIN_REFUSALS = frozenset({400, 401, 403})
"""A wrong name or password is 401; an account that may not log in is any of them."""

# a body that does not decrypt, an absent field, a number that is none: all mean an unreadable answer
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)

_CURL: tuple[tuple[type[Exception], UpstreamReason], ...] = (
    (curl.Timeout, UpstreamReason.TIMEOUT),
    (curl.IncompleteRead, UpstreamReason.GARBLED),
    (curl.TooManyRedirects, UpstreamReason.GARBLED),
    (curl.HTTPError, UpstreamReason.GARBLED),
    (curl.RequestException, UpstreamReason.UNREACHABLE),
)


class AttemptError(Exception):
    """One attempt at one host failed. `detail` is for the log: no title, no credentials.

    `message` is for users, where the usual words for the reason say too little. `is_absent`: the host answered
    properly, that it has no such thing. `is_refusal`: it answered properly, that it does not show this one number;
    every host would say the same.
    """

    def __init__(
        self,
        reason: UpstreamReason,
        detail: str = "",
        *,
        message: str | None = None,
        retry_after_s: float | None = None,
        is_absent: bool = False,
        is_refusal: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.message = message
        self.retry_after_s = retry_after_s
        self.is_absent = is_absent
        self.is_refusal = is_refusal

    @property
    def is_answer(self) -> bool:
        """True when the host is well: what it answered is about the number, not about the host."""
        return self.is_absent or self.is_refusal

    def as_failure(self) -> UpstreamFailure:
        """The exception for callers of this package."""
        return UpstreamFailure(self.reason, self.message, retry_after_s=self.retry_after_s)


def attempt_error(error: Exception) -> AttemptError | None:
    """The failure that this exception stands for; None for a bug of ours."""
    if isinstance(error, AttemptError):
        return error
    if isinstance(error, TimeoutError):
        return AttemptError(UpstreamReason.TIMEOUT, "no answer in time")
    for kind, reason in _CURL:
        if isinstance(error, kind):
            return AttemptError(reason, type(error).__name__)
    if isinstance(error, JmcomicException):
        return _of_jmcomic(error)
    if isinstance(error, _UNREADABLE):
        return AttemptError(UpstreamReason.GARBLED, type(error).__name__)
    return None


def check_answer(response: Any) -> None:
    """Raises the `AttemptError` that an answer stands for, unless its status is 200."""
    if response.status_code != 200:
        raise failure_of_response(response)


def _of_jmcomic(error: Any) -> AttemptError:
    if isinstance(error, RequestRetryAllFailException) and error.errors:
        cause = error.errors[-1]["error"]
        return attempt_error(cause) or AttemptError(UpstreamReason.GARBLED, type(cause).__name__)
    if isinstance(error, ResponseUnexpectedException):
        return failure_of_response(error.resp)
    if isinstance(error, RegularNotMatchException):
        return failure_of_answer(200, error.error_text)
    return AttemptError(UpstreamReason.GARBLED, type(error).__name__)


def failure_of_response(response: Any, *, is_about_number: bool = False) -> AttemptError:
    """As `failure_of_answer`, of a response of curl or jmcomic."""
    plain = getattr(response, "resp", response)
    headers = plain.headers
    return failure_of_answer(
        int(plain.status_code),
        plain.text,
        retry_after=headers.get("retry-after"),
        is_challenge=headers.get("cf-mitigated") == "challenge",
        is_about_number=is_about_number,
    )


def failure_of_answer(
    status: int,
    text: str,
    *,
    retry_after: str | None = None,
    is_challenge: bool = False,
    is_about_number: bool = False,
) -> AttemptError:
    """The failure that an unwanted answer stands for.

    `retry_after` is the header as sent; `is_challenge` is what the CDN's own header (`cf-mitigated`) says. An API
    error in JSON (`{"code": 429, "errorMsg": "..."}`) counts by its own code where the HTTP status is 200.
    `is_about_number`: one album or chapter was requested, so that the API may refuse that number alone.
    """
    api_error = _api_error(status, text[:_CLASSIFIED_CHARACTERS])
    status, text = api_error or (status, text[:_CLASSIFIED_CHARACTERS])
    reason = _reason(status, text, is_challenge)
    if api_error and is_about_number and (refused := _refusal(status, text, reason)):
        return AttemptError(refused, f"status {status}", is_refusal=True)
    return AttemptError(reason, f"status {status}", retry_after_s=retry_after_seconds(retry_after))


def is_login_refusal(response: Any) -> bool:
    """True for an error of the API about who logs in; not about the signature, the region or the rate."""
    error = _api_error(int(response.status_code), response.text[:_CLASSIFIED_CHARACTERS])
    if error is None or error[0] not in _LOGIN_REFUSALS or "token" in error[1].lower():
        return False
    return not any(pattern.search(error[1]) for _, pattern in _TEXTS)


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds of a `Retry-After` header, as a number or an HTTP date; None without a readable one."""
    if not header:
        return None
    seconds = float(header) if re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", header) else _seconds_until(header)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def _api_error(status: int, text: str) -> tuple[int, str] | None:
    """Code and message of an error of the API; None for any other answer."""
    if not text.lstrip("\ufeff \r\n\t").startswith("{"):
        return None
    try:
        error = json.loads(text.strip().lstrip("\ufeff"))
        code = int(error.get("code", status))
    except (ValueError, TypeError):
        return None
    return (code if status == 200 else status), str(error.get("errorMsg") or "")


def _refusal(status: int, text: str, reason: UpstreamReason) -> UpstreamReason | None:
    """Why the API does not show this number to anybody here; a refused signature ("Not legal.token") is none."""
    if reason is not UpstreamReason.GARBLED or "token" in text.lower():
        return None
    return {401: UpstreamReason.LOGIN_REQUIRED, 400: UpstreamReason.REFUSED}.get(status)


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
