from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import UpstreamReason
from services.upstream.failures import failure_of_answer, retry_after_seconds

CHALLENGE = "<html><head><title>Just a moment...</title></head><body>cf_chl_opt</body></html>"


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (403, "<html><body>Restricted Access! This area is not served.</body></html>", "REGION_BLOCKED"),
        (200, "Restricted Access!", "REGION_BLOCKED"),
        (403, "Forbidden", "REGION_BLOCKED"),
        (451, "", "REGION_BLOCKED"),
        (403, "error code: 1020", "REGION_BLOCKED"),
        (403, "<title>Access denied</title> Error 1009 The owner banned the country or region", "REGION_BLOCKED"),
        (200, "很抱歉，您所在的地區無法瀏覽本站", "REGION_BLOCKED"),
        (403, CHALLENGE, "CHALLENGED"),
        (503, CHALLENGE, "CHALLENGED"),
        (200, CHALLENGE, "CHALLENGED"),
        (200, "<title>Attention Required! | Cloudflare</title>", "CHALLENGED"),
        (429, "", "RATE_LIMITED"),
        (429, CHALLENGE, "RATE_LIMITED"),
        (403, "error code: 1015", "RATE_LIMITED"),
        (503, "<h1>網站維護中</h1>", "MAINTENANCE"),
        (200, "<h1>Site under maintenance</h1>", "MAINTENANCE"),
        (200, "Could not connect to mysql! Please check your database settings!", "MAINTENANCE"),
        (503, "", "MAINTENANCE"),
        (504, "", "TIMEOUT"),
        (524, "", "TIMEOUT"),
        (408, "", "TIMEOUT"),
        (502, "<h1>Bad Gateway</h1>", "UNREACHABLE"),
        (521, "", "UNREACHABLE"),
        (500, "Internal Server Error", "GARBLED"),
        (200, "<html><body>An ordinary page.</body></html>", "GARBLED"),
        (200, "", "GARBLED"),
        (404, "not here", "GARBLED"),
    ],
)
def test_a_failed_response_is_classified_by_its_status_and_text(status: int, text: str, reason: str) -> None:
    assert failure_of_answer(status, text).reason is UpstreamReason(reason)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"code": 429, "errorMsg": "slow down"}, "RATE_LIMITED"),
        ({"code": 500, "errorMsg": "系統維護中"}, "MAINTENANCE"),
        ({"code": 403, "data": [], "errorMsg": ""}, "REGION_BLOCKED"),
        ({"code": 401, "data": [], "errorMsg": "Not legal.token"}, "GARBLED"),
        ({"code": None, "data": 7}, "GARBLED"),
    ],
)
def test_an_error_in_json_counts_by_its_own_code(said: object, reason: str) -> None:
    assert failure_of_answer(200, json.dumps(said)).reason is UpstreamReason(reason)


def test_the_header_of_the_cdn_names_a_challenge_whatever_the_text() -> None:
    assert failure_of_answer(403, "denied", is_challenge=True).reason is UpstreamReason.CHALLENGED


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("", None), ("7", 7.0), (" 2.5 ", 2.5), ("soon", None), ("999999", 3600.0), ("-3", None)],
)
def test_retry_after_is_read_in_seconds_and_bounded(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)

    seconds = retry_after_seconds(format_datetime(later, usegmt=True))

    assert seconds is not None
    assert 85 <= seconds <= 90
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@given(st.integers(100, 599), st.text(max_size=300))
def test_any_answer_has_a_reason(status: int, text: str) -> None:
    assert failure_of_answer(status, text).reason in UpstreamReason
