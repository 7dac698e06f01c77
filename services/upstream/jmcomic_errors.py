"""What jmcomic, curl and our own time limits raise, turned into one thing: a failed try with its reason."""

from __future__ import annotations

from typing import Any

from curl_cffi.requests import exceptions as curl
from jmcomic import JmcomicException, RegularNotMatchException, RequestRetryAllFailException
from jmcomic.jm_exception import ResponseUnexpectedException

from services.errors import UpstreamReason
from services.upstream.failures import AttemptError, failure_of_answer

# A body that does not decrypt, a field that is not there, a number that is none: all mean an unreadable answer.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)

_CURL: tuple[tuple[type[Exception], UpstreamReason], ...] = (
    (curl.Timeout, UpstreamReason.TIMEOUT),
    (curl.IncompleteRead, UpstreamReason.GARBLED),
    (curl.TooManyRedirects, UpstreamReason.GARBLED),
    (curl.HTTPError, UpstreamReason.GARBLED),
    (curl.RequestException, UpstreamReason.UNREACHABLE),
)


def attempt_error(error: Exception) -> AttemptError | None:
    """The failure this exception stands for; None for one that is none of the site's doing."""
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
    """Return for an HTTP answer with status 200; else raise the `AttemptError` it stands for."""
    if response.status_code != 200:
        raise _of_response(response)


def _of_jmcomic(error: Any) -> AttemptError:
    if isinstance(error, RequestRetryAllFailException) and error.errors:
        cause = error.errors[-1]["error"]
        return attempt_error(cause) or AttemptError(UpstreamReason.GARBLED, type(cause).__name__)
    if isinstance(error, ResponseUnexpectedException):
        return _of_response(error.resp)
    if isinstance(error, RegularNotMatchException):
        return failure_of_answer(200, error.error_text)
    return AttemptError(UpstreamReason.GARBLED, type(error).__name__)


def _of_response(response: Any) -> AttemptError:
    plain = getattr(response, "resp", response)
    headers = plain.headers
    return failure_of_answer(
        int(plain.status_code),
        plain.text,
        retry_after=headers.get("retry-after"),
        is_challenge=headers.get("cf-mitigated") == "challenge",
    )
