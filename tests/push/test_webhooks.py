"""Webhooks against a real server: what is sent, how it is signed, and where nothing is sent to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from services.errors import InvalidInput
from services.network import is_public_address
from services.push import (
    NotificationEvent,
    NotificationMessage,
    SendOutcome,
    SendResult,
    Webhook,
    WebhookClient,
    masked,
    parse_webhook,
)
from tests.webhook_server import WebhookServer, webhook_server

pytestmark = pytest.mark.anyio

KEY = b"a key of 24 bytes or so."
SECRET = "whsec_" + base64.b64encode(KEY).decode()
AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOTIFICATION = NotificationMessage("msg_1", NotificationEvent.DOWNLOAD_READY, AT, {"albumId": "350234"})


@pytest.fixture
async def site() -> AsyncIterator[WebhookServer]:
    async with webhook_server() as server:
        yield server


async def post(url: str, client: WebhookClient | None = None) -> SendResult:
    """Send the notification to an address, by default where private ones are allowed."""
    client = client or WebhookClient(allows_private=True, timeout_s=1.0)
    return await client.send(parse_webhook(f"{url}#{SECRET}"), NOTIFICATION, AT)


async def test_a_webhook_is_signed_as_standard_webhooks_has_it(site: WebhookServer) -> None:
    result = await post(f"{site.url}/hook?for=me")

    (request,) = site.received
    stamp = str(int(AT.timestamp()))
    signed = f"msg_1.{stamp}.".encode() + request.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert result == SendResult(SendOutcome.DELIVERED, "Delivered.")
    assert request.path == "/hook?for=me"
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["webhook-timestamp"] == stamp
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{site.port}"
    assert request.json == {
        "type": "DOWNLOAD_READY",
        "timestamp": "2026-07-01T12:00:00Z",
        "data": {"albumId": "350234"},
    }


def test_a_signature_is_that_of_the_specification_s_example() -> None:
    hook = parse_webhook("https://hooks.example/#whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = hook.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, SendOutcome.DELIVERED),
        (204, SendOutcome.DELIVERED),
        (400, SendOutcome.REFUSED),
        (404, SendOutcome.REFUSED),
        (410, SendOutcome.GONE),
        (429, SendOutcome.UNANSWERED),
        (500, SendOutcome.UNANSWERED),
        (503, SendOutcome.UNANSWERED),
    ],
)
def test_a_status_says_whether_to_try_again(status: int, outcome: SendOutcome) -> None:
    assert SendResult.of_status(status).outcome is outcome


async def test_a_redirect_is_not_followed(site: WebhookServer) -> None:
    site.statuses, site.location = [302], f"{site.url}/private"

    result = await post(f"{site.url}/hook")

    assert result.outcome is SendOutcome.REFUSED
    assert [request.path for request in site.received] == ["/hook"]


async def test_no_answer_and_a_closed_port_are_to_be_tried_again(site: WebhookServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    site.mode = "silent"
    client = WebhookClient(allows_private=True, timeout_s=0.2)

    assert (await post(site.url, client)).outcome is SendOutcome.UNANSWERED
    assert (await post(f"http://127.0.0.1:{port}", client)).outcome is SendOutcome.UNANSWERED
    assert (await post("http://nowhere.invalid", client)).outcome is SendOutcome.UNANSWERED


async def test_an_answer_that_does_not_end_is_left_after_bounded_bytes(site: WebhookServer) -> None:
    site.mode = "endless"

    result = await post(site.url, WebhookClient(allows_private=True, timeout_s=20.0))

    assert result == SendResult(SendOutcome.REFUSED, "The answer is too long.")
    assert site.sent_bytes < 8 * 1024 * 1024  # what the system's buffers take


async def test_a_slow_answer_is_left_after_bounded_time(site: WebhookServer) -> None:
    site.mode = "slow"
    began = time.monotonic()

    result = await post(site.url, WebhookClient(allows_private=True, timeout_s=0.4))

    assert result.outcome is SendOutcome.UNANSWERED
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
async def test_a_private_address_gets_nothing_however_it_is_written(site: WebhookServer, host: str) -> None:
    client = WebhookClient(allows_private=False, timeout_s=2.0)

    result = await post(f"http://{host}:{site.port}/", client)

    assert result.outcome is not SendOutcome.DELIVERED
    assert site.received == []


async def test_a_name_is_connected_to_at_the_address_that_was_checked(site: WebhookServer) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["192.0.2.1" if len(asked) > 1 else "127.0.0.1"]  # the second answer is never asked for

    client = WebhookClient(allows_private=True, resolve=rebinding, timeout_s=1.0)

    assert (await post(f"http://hooks.example:{site.port}", client)).outcome is SendOutcome.DELIVERED
    assert asked == ["hooks.example"]
    assert site.received[0].headers["host"] == f"hooks.example:{site.port}"


async def test_a_name_that_turns_private_gets_nothing_at_its_next_send(site: WebhookServer) -> None:
    answers = [["1.1.1.1", "127.0.0.1"], ["127.0.0.1"], ["::1"], ["169.254.169.254"], ["100.64.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    client = WebhookClient(allows_private=False, resolve=rebinding, timeout_s=1.0)
    results = [await post(f"http://hooks.example:{site.port}", client) for _ in list(answers)]

    assert {result.outcome for result in results} == {SendOutcome.REFUSED}
    assert {result.message for result in results} == {
        "Its address is a private one, which this server does not notify (JMGRAPH_NOTIFY_PRIVATE)."
    }
    assert site.received == []


async def test_a_resolver_that_does_not_answer_takes_no_longer_than_a_server() -> None:
    async def stuck(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    client = WebhookClient(allows_private=False, resolve=stuck, timeout_s=0.1)

    assert (await post("https://hooks.example", client)).outcome is SendOutcome.UNANSWERED


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("64:ff9b::1.1.1.1", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("127.8.8.8", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b:1::a00:1", False),
        ("2002:a00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("hooks.example", False),
        ("", False),
    ],
)
def test_public_addresses_are_those_that_the_internet_routes(address: str, is_public: bool) -> None:
    assert is_public_address(address) is is_public


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://hooks.example#whsec_YQ==", "https://hooks.example/"),
        ("https://hooks.example/a/b?c=d#whsec_YQ", "https://hooks.example/a/b?c=d"),
        ("json+webhook https://hooks.example:8443/a#whsec_YQ==", "https://hooks.example:8443/a"),
        ("json+webhook:https://hooks.example/a#whsec_YQ==", "https://hooks.example/a"),
        ("json+webhook+http://hooks.example/a#whsec_YQ==", "http://hooks.example/a"),
        ("JSON+Webhook://hooks.example/a#whsec_YQ==", "https://hooks.example/a"),
        ("https://山.example/路#whsec_YQ==", "https://xn--rht.example/%E8%B7%AF"),
        ("https://[2606:4700::1]:8443/#whsec_YQ==", "https://[2606:4700::1]:8443/"),
    ],
)
def test_a_webhook_is_written_in_several_ways(text: str, url: str) -> None:
    assert parse_webhook(text) == Webhook(url, b"a")


@pytest.mark.parametrize(
    "text",
    [
        "https://hooks.example/#whsec_",
        "https://hooks.example/#whsec_***",
        "json+webhook https://hooks.example/",
        "json+webhook https://hooks.example/#YQ==",
        "ftp://hooks.example/#whsec_YQ==",
        "https://#whsec_YQ==",
        "https://me:pass@hooks.example/#whsec_YQ==",
        "https://hooks.example:99999/#whsec_YQ==",
        "https://[::1/#whsec_YQ==",
        "https://-.-/#whsec_YQ==",
    ],
)
def test_what_is_no_webhook_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_webhook(text)

    assert refusal.value.field == "urls"
    assert "hooks.example" not in refusal.value.message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://hooks.example/secret?token=secret#{SECRET}", "https://hooks.example/****"),
        (f"json+webhook http://127.0.0.1:8000/secret#{SECRET}", "http://127.0.0.1/****"),
        ("https://discord.com/api/webhooks/12345/secret", "https://discord.com/****"),
        ("ntfy://secret", "ntfy://****"),
        ("ntfy://secret.topic", "ntfy://****"),
        ("ntfys://ntfy.example.org/secret", "ntfys://ntfy.example.org/****"),
        ("tgram://123456789:AbCdEf_secret/12315544", "tgram://****"),
        ("mailto://me:secret@mail.example", "mailto://mail.example/****"),
        ("bark://10.0.0.5/secret", "bark://10.0.0.5/****"),
        ("discord://123.Secret.45/token", "discord://****"),
        ("secret", "****"),
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert "secret" not in repr(parse_webhook(url)) if "whsec_" in url else True
