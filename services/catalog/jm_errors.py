"""What jmcomic, curl and our own time limits raise, turned into one thing: a failed try with its reason."""

from __future__ import annotations

from typing import Any

from curl_cffi.requests import exceptions as curl
from jmcomic import JmcomicException, RegularNotMatchException, RequestRetryAllFailException
from jmcomic.jm_exception import ResponseUnexpectedException

from services.catalog.reasons import TryFailed, failure_of_answer
from services.errors import UpstreamReason

# A body that does not decrypt, a field that is not there, a number that is none: all mean an unreadable answer.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)

_CURL: tuple[tuple[type[Exception], UpstreamReason], ...] = (
    (curl.Timeout, UpstreamReason.TIMEOUT),
    (curl.IncompleteRead, UpstreamReason.GARBLED),
    (curl.TooManyRedirects, UpstreamReason.GARBLED),
    (curl.HTTPError, UpstreamReason.GARBLED),
    (curl.RequestException, UpstreamReason.UNREACHABLE),
)


def try_failed(error: Exception) -> TryFailed | None:
    """The failure this exception stands for; None for one that is none of the site's doing."""
    if isinstance(error, TryFailed):
        return error
    if isinstance(error, TimeoutError):
        return TryFailed(UpstreamReason.TIMEOUT, "no answer in time")
    for kind, reason in _CURL:
        if isinstance(error, kind):
            return TryFailed(reason, type(error).__name__)
    if isinstance(error, JmcomicException):
        return _of_jmcomic(error)
    if isinstance(error, _UNREADABLE):
        return TryFailed(UpstreamReason.GARBLED, type(error).__name__)
    return None


def check_answer(response: Any) -> None:
    """Return for an HTTP answer with status 200; else raise the `TryFailed` it stands for."""
    if response.status_code != 200:
        raise _of_response(response)


def _of_jmcomic(error: Any) -> TryFailed:
    if isinstance(error, RequestRetryAllFailException) and error.errors:
        cause = error.errors[-1]["error"]
        return try_failed(cause) or TryFailed(UpstreamReason.GARBLED, type(cause).__name__)
    if isinstance(error, ResponseUnexpectedException):
        return _of_response(error.resp)
    if isinstance(error, RegularNotMatchException):
        return failure_of_answer(200, error.error_text)
    return TryFailed(UpstreamReason.GARBLED, type(error).__name__)


def _of_response(response: Any) -> TryFailed:
    plain = getattr(response, "resp", response)
    headers = plain.headers
    return failure_of_answer(
        int(plain.status_code),
        plain.text,
        retry_after=headers.get("retry-after"),
        is_challenge=headers.get("cf-mitigated") == "challenge",
    )
