"""Apprise in its process, against a real server: what arrives, and what is refused there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.push import AppriseClient, NotificationEvent, NotificationMessage, SendOutcome, SendResult
from services.tasks import gather_bounded
from tests.webhook_server import WebhookServer, webhook_server

pytestmark = pytest.mark.anyio

NOTIFICATION = NotificationMessage(
    "msg_1", NotificationEvent.NEW_CHAPTERS, datetime(2026, 7, 1, tzinfo=UTC), {"albumId": "100", "chapterIds": ["7"]}
)


@pytest.fixture
async def site() -> AsyncIterator[WebhookServer]:
    async with webhook_server() as server:
        yield server


async def send(url: str, *, allows_private: bool = True, timeout_s: float = 20.0) -> SendResult:
    return await AppriseClient(allows_private=allows_private, timeout_s=timeout_s).send(url, NOTIFICATION)


async def test_a_notification_arrives_as_the_service_has_it(site: WebhookServer) -> None:
    result = await send(f"json://127.0.0.1:{site.port}/hook")

    assert result.outcome is SendOutcome.DELIVERED
    (request,) = site.received
    assert request.path == "/hook"
    assert (request.json["title"], request.json["message"]) == ("有新章节 · New chapters", "JM100 · 1")


async def test_addresses_are_known_that_lead_elsewhere_and_need_no_file_of_the_host() -> None:
    urls = {
        "ntfy://topic": True,
        "tgram://123456789:abcdefg_hijklmnop/12315544/": True,
        "https://discord.com/api/webhooks/12345/abcdef-ghij": True,
        "mailto://me:pass@gmail.com": True,
        "https://hooks.example/without-a-secret": False,
        "nonsense": False,
        "syslog://": False,
        "file:///etc/passwd": False,
    }

    known = await AppriseClient(allows_private=False).check(list(urls))

    assert dict(zip(urls, known, strict=True)) == urls


async def test_a_private_address_gets_nothing_whatever_the_service(site: WebhookServer) -> None:
    urls = [
        f"json://localhost:{site.port}",
        f"ntfy://127.0.0.1:{site.port}/topic",
        f"mailto://me:pass@localhost:{site.port}",
    ]

    results = await gather_bounded(lambda url: send(url, allows_private=False), urls, 2)

    assert {result.message for result in results} == {
        "Its address is a private one, which this server does not notify (JMGRAPH_NOTIFY_PRIVATE)."
    }
    assert site.received == []


async def test_a_redirect_is_not_followed_even_where_the_address_asks_for_it(site: WebhookServer) -> None:
    site.statuses, site.location = [302], f"{site.url}/private"

    result = await send(f"json://127.0.0.1:{site.port}/hook?redirect=yes")

    assert result.outcome is SendOutcome.REFUSED
    assert [request.path for request in site.received] == ["/hook"]


async def test_a_service_that_is_away_is_to_be_tried_again_and_one_that_refuses_is_not(site: WebhookServer) -> None:
    outcomes = []
    for status in (503, 403):
        site.statuses = [status]
        outcomes.append((await send(f"json://127.0.0.1:{site.port}")).outcome)

    assert outcomes == [SendOutcome.UNANSWERED, SendOutcome.REFUSED]


async def test_an_answer_that_does_not_end_is_left_after_bounded_bytes(site: WebhookServer) -> None:
    site.mode = "endless"

    result = await send(f"json://127.0.0.1:{site.port}")

    assert result == SendResult(SendOutcome.REFUSED, "The answer is too long.")
    assert site.sent_bytes < 32 * 1024 * 1024  # what the system's buffers take


async def test_a_slow_answer_ends_with_the_process(site: WebhookServer) -> None:
    site.mode = "slow"
    began = time.monotonic()

    result = await send(f"json://127.0.0.1:{site.port}", timeout_s=2.0)

    assert result.outcome is SendOutcome.UNANSWERED
    assert time.monotonic() - began < 15


def test_the_process_connects_to_no_name_reads_no_file_of_the_host_and_starts_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    secret.write_text("secret")
    program = f"""
import os, socket, subprocess, sys, syslog
from services.push.apprise_process import _Guard
guard = _Guard(allows_private=False)
sys.addaudithook(guard.hook)
def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))
attempts = (
    lambda: socket.create_connection(("localhost", 9)),
    lambda: socket.socket().connect(("localhost", 9)),
    lambda: socket.socket(socket.AF_UNIX).connect("/run/docker.sock"),
    udp,
    lambda: open({str(secret)!r}),
    lambda: open("/dev/null", "w"),
    lambda: os.remove({str(secret)!r}),
    lambda: os.system("true"),
    lambda: subprocess.run(["true"]),
    lambda: syslog.syslog("x"),
)
for attempt in attempts:
    try:
        attempt()
    except PermissionError:
        print("refused")
    else:
        print("done")
import wave  # a module that nothing has imported yet
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.split() == ["refused"] * 10
    assert secret.read_text() == "secret"
