"""The outbox and the notifier, with a real database, a real queue of downloads and a real web server."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from services.database import Database
from services.database.models import OWNER_ID, NotificationDeliveryRow, NotificationTargetRow, UserRow
from services.downloads import DownloadRequest, Ownership
from services.errors import InvalidInput, RateLimited
from services.observability import set_up_log
from services.people import SecretBox
from services.push import (
    AppriseClient,
    NotificationEvent,
    NotificationMessage,
    NotificationSender,
    Notifier,
    Outbox,
    PushNotifications,
    WebhookClient,
)
from services.redis import Events, Locks, RedisClient
from services.tasks import cancel_and_wait
from tests.download_fakes import DownloadHarness, open_harness
from tests.fakes import Clock
from tests.postgresql import PostgreSQL
from tests.waiting import until
from tests.webhook_server import WebhookServer, webhook_server

pytestmark = pytest.mark.anyio

SECRET = "#whsec_" + base64.b64encode(b"a key of 24 bytes or so.").decode()
ALL = list(NotificationEvent)
NEW_CHAPTERS = NotificationEvent.NEW_CHAPTERS
NewNotifier = Callable[[], Notifier]


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, or what a test says: what differs between databases is few statements."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return ""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


ON_BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
async def site() -> AsyncIterator[WebhookServer]:
    async with webhook_server() as server:
        yield server


@pytest.fixture
def sender(clock: Clock) -> NotificationSender:
    """Of a host that allows private addresses."""
    webhooks = WebhookClient(allows_private=True, timeout_s=2.0)
    return NotificationSender(webhooks, AppriseClient(allows_private=True), clock=clock)


@pytest.fixture
def push(database: Database, sender: NotificationSender) -> PushNotifications:
    """What people set, encrypted with the key "one"."""
    return PushNotifications(database, SecretBox(b"one"), sender)


@pytest.fixture
def outbox(events: Events, clock: Clock) -> Outbox:
    return Outbox(events, has_titles=False, clock=clock)


@pytest.fixture
async def harness(redis_url: str, tmp_path: Path) -> AsyncIterator[DownloadHarness]:
    async with open_harness(redis_url, tmp_path, maintained=False) as harness:
        yield harness


@pytest.fixture
def new_notifier(
    database: Database,
    harness: DownloadHarness,
    outbox: Outbox,
    sender: NotificationSender,
    events: Events,
    redis_client: RedisClient,
    clock: Clock,
) -> NewNotifier:
    """Makes the notifiers of several workers, or of one that is started again."""

    def make(key: bytes = b"one") -> Notifier:
        locks = Locks(redis_client)
        return Notifier(database, harness.downloads, outbox, sender, SecretBox(key), events, locks, clock=clock)

    return make


async def add(database: Database, outbox: Outbox, user_id: str = OWNER_ID, **more: Any) -> None:
    """Put a notification of new chapters into the outbox."""
    async with database.write() as session:
        await outbox.add(session, [user_id], NEW_CHAPTERS, {"albumId": "100", "chapterIds": ["1003"]}, **more)


async def waiting(database: Database) -> Sequence[NotificationDeliveryRow]:
    """What is to be sent."""
    async with database.read() as session:
        return (await session.scalars(select(NotificationDeliveryRow))).all()


async def another_user(database: Database, id: str) -> str:
    async with database.write() as session:
        session.add(UserRow(id=id, name=id, name_key=id, is_admin=False, created_at_ms=0))
    return id


@ON_BOTH
async def test_a_download_that_ends_is_told_to_its_owner_once(
    database: Database,
    push: PushNotifications,
    new_notifier: NewNotifier,
    harness: DownloadHarness,
    site: WebhookServer,
) -> None:
    ann = await another_user(database, "ann")
    for user_id in (OWNER_ID, ann):
        await push.set(user_id, [f"{site.url}/{user_id}{SECRET}"], ALL)
    harness.work()
    owners = await harness.downloads.owned(Ownership(None)).start(DownloadRequest("100"))
    await harness.until_ended(owners.id)
    harness.pipeline.missing = {2}
    anns = await harness.downloads.owned(Ownership("ann")).start(DownloadRequest("100", chapter_ids=("100",)))
    await harness.until_ended(anns.id)

    await new_notifier().send_due()
    await new_notifier().send_due()

    told = {request.path: request.json for request in site.received}
    assert len(site.received) == 2
    assert (told["/owner"]["type"], told["/owner"]["data"]) == (
        "DOWNLOAD_READY",
        {"albumId": "100", "downloadId": owners.id, "isComplete": True},
    )
    assert (told["/ann"]["type"], told["/ann"]["data"]) == (
        "DOWNLOAD_FAILED",
        {"albumId": "100", "downloadId": anns.id, "code": "UPSTREAM_BROKEN"},
    )
    assert await waiting(database) == []


async def test_a_download_that_is_cancelled_removed_or_of_a_guest_is_told_to_nobody(
    push: PushNotifications, new_notifier: NewNotifier, harness: DownloadHarness, site: WebhookServer
) -> None:
    await push.set(OWNER_ID, [site.url + SECRET], ALL)
    cancelled = await harness.start("100")
    await harness.downloads.cancel(cancelled.id)
    harness.work()
    removed = await harness.start("100", force=True)
    await harness.until_ended(removed.id)
    await harness.downloads.remove(removed.id)
    guests = await harness.downloads.owned(Ownership("guest")).start(DownloadRequest("100"))
    await harness.until_ended(guests.id)

    await new_notifier().send_due()

    assert site.received == []


async def test_what_a_person_did_not_ask_for_is_not_sent(
    database: Database, push: PushNotifications, outbox: Outbox, new_notifier: NewNotifier, site: WebhookServer
) -> None:
    await push.set(OWNER_ID, [site.url + SECRET], [NotificationEvent.DOWNLOAD_READY])

    await add(database, outbox)

    assert await waiting(database) == []


@ON_BOTH
@pytest.mark.parametrize("statuses", [[500, 429, 503, 500, 200], [500, 500, 500, 500, 500]])
async def test_what_does_not_arrive_is_sent_again_after_five_seconds_a_minute_ten_and_an_hour(
    database: Database,
    push: PushNotifications,
    outbox: Outbox,
    new_notifier: NewNotifier,
    clock: Clock,
    site: WebhookServer,
    statuses: list[int],
) -> None:
    await push.set(OWNER_ID, [site.url + SECRET], ALL)
    site.statuses = list(statuses)
    await add(database, outbox)
    await new_notifier().send_due()

    for count, delay_s in enumerate((5, 60, 600, 3600), 1):
        clock.move(delay_s - 1)
        await new_notifier().send_due()  # of a worker that was started again meanwhile
        assert len(site.received) == count
        clock.move(1)
        await new_notifier().send_due()
        assert len(site.received) == count + 1

    clock.move(86400)
    await new_notifier().send_due()
    assert len(site.received) == 5
    assert await waiting(database) == []
    assert {request.headers["webhook-id"] for request in site.received} == {site.received[0].headers["webhook-id"]}
    assert len({request.body for request in site.received}) == 1
    stamps = [int(request.headers["webhook-timestamp"]) for request in site.received]
    assert [later - earlier for earlier, later in pairwise(stamps)] == [5, 60, 600, 3600]


@ON_BOTH
async def test_an_address_that_is_gone_is_removed_and_gets_nothing_more(
    database: Database, push: PushNotifications, outbox: Outbox, new_notifier: NewNotifier, site: WebhookServer
) -> None:
    ann = await another_user(database, "ann")
    for user_id in (OWNER_ID, ann):
        await push.set(user_id, [f"{site.url}/{user_id}{SECRET}"], ALL)
    site.statuses = [410]
    await add(database, outbox)

    await new_notifier().send_due()
    await add(database, outbox)
    await add(database, outbox, ann)
    await new_notifier().send_due()

    assert (await push.find(OWNER_ID)).urls == ()
    assert (await push.find(ann)).urls == ("http://127.0.0.1/****",)
    assert [request.path for request in site.received] == ["/owner", "/ann"]
    assert await waiting(database) == []


async def test_titles_are_sent_where_the_host_allows_them(
    database: Database, push: PushNotifications, events: Events, new_notifier: NewNotifier, site: WebhookServer
) -> None:
    await push.set(OWNER_ID, [site.url + SECRET], ALL)
    for has_titles in (False, True):
        await add(database, Outbox(events, has_titles=has_titles, clock=lambda: 0.0), title="山行")
        await new_notifier().send_due()

    assert [request.json["data"].get("title") for request in site.received] == [None, "山行"]


@ON_BOTH
async def test_what_has_the_same_key_is_in_the_outbox_once(
    database: Database, push: PushNotifications, outbox: Outbox, site: WebhookServer
) -> None:
    await push.set(OWNER_ID, [site.url + SECRET], ALL)

    for key in ("a", "a", "b", None, None):
        await add(database, outbox, key=key)

    assert len(await waiting(database)) == 4


async def test_with_another_secret_key_nothing_is_sent_and_one_line_says_so(
    database: Database,
    push: PushNotifications,
    sender: NotificationSender,
    outbox: Outbox,
    new_notifier: Callable[[bytes], Notifier],
    site: WebhookServer,
    capfd: pytest.CaptureFixture[str],
) -> None:
    await push.set(OWNER_ID, [site.url + SECRET], ALL)
    other = PushNotifications(database, SecretBox(b"other"), sender)
    notifier = new_notifier(b"other")
    for _ in range(2):
        await add(database, outbox)
        await notifier.send_due()

    (test,) = await other.test(OWNER_ID)

    assert site.received == []
    assert (await other.find(OWNER_ID)).urls == ("****",)
    assert (test.is_ok, test.message) == (
        False,
        "It was stored with another secret key, and can't be read: set it again.",
    )
    logged = "".join(capfd.readouterr())
    assert logged.count("encrypted with another secret key") == 1


async def test_addresses_are_stored_encrypted_and_shown_masked(
    database: Database, push: PushNotifications, site: WebhookServer
) -> None:
    urls = [f"https://hooks.example/{path}{SECRET}" for path in ("secret", "secret2")]

    shown = await push.set(OWNER_ID, urls, ALL)

    async with database.read() as session:
        rows = (await session.scalars(select(NotificationTargetRow))).all()
    assert shown == await push.find(OWNER_ID)
    assert shown.urls == ("https://hooks.example/****",) * 2
    assert shown.events == tuple(ALL)
    assert all(b"secret" not in row.encrypted_url and b"hooks" not in row.encrypted_url for row in rows)


@ON_BOTH
async def test_a_masked_address_stays_as_it_is_with_what_is_to_be_sent_there(
    database: Database, push: PushNotifications, outbox: Outbox, new_notifier: NewNotifier, site: WebhookServer
) -> None:
    await push.set(OWNER_ID, [f"{site.url}/one{SECRET}", f"{site.url}/two{SECRET}"], ALL)
    await add(database, outbox)

    shown = await push.set(
        OWNER_ID,
        [f"https://hooks.example/{SECRET}", "http://127.0.0.1/****", "http://127.0.0.1/****"],
        [NEW_CHAPTERS],
    )
    fewer = await push.set(OWNER_ID, ["http://127.0.0.1/****"], [NEW_CHAPTERS])
    await new_notifier().send_due()

    assert shown.urls == ("https://hooks.example/****", "http://127.0.0.1/****", "http://127.0.0.1/****")
    assert fewer.urls == ("http://127.0.0.1/****",)
    assert [request.path for request in site.received] == ["/one"]


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        (["ntfy://topic", "nonsense"], "Address 2 is neither one that Apprise knows"),
        (["https://hooks.example/#whsec_***"], "Address 1: The secret of a webhook is Base64"),
        (["ntfy://****"], "Address 1 is masked, and is none of yours"),
        (["a\nb"], "Address 1 is not a line of 1 to 2000 characters."),
        ([""], "Address 1 is not a line of 1 to 2000 characters."),
        (["ntfy://" + "a" * 2000], "Address 1 is not a line of 1 to 2000 characters."),
        ([f"ntfy://topic{number}" for number in range(21)], "At most 20 addresses, not 21."),
    ],
)
async def test_what_can_t_be_notified_is_refused_and_changes_nothing(
    push: PushNotifications, urls: list[str], message: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await push.set(OWNER_ID, urls, ALL)

    assert refusal.value.message.startswith(message)
    assert (await push.find(OWNER_ID)).urls == ()


async def test_a_test_says_of_each_address_what_became_of_it(push: PushNotifications, site: WebhookServer) -> None:
    await push.set(OWNER_ID, [f"{site.url}/{path}{SECRET}" for path in ("a", "b")], [])
    site.statuses = [200, 404]

    tests = await push.test(OWNER_ID)

    assert {(test.url, test.is_ok, test.message) for test in tests} == {
        ("http://127.0.0.1/****", True, "Delivered."),
        ("http://127.0.0.1/****", False, "The server answers 404."),
    }
    assert [request.json["type"] for request in site.received] == ["TEST", "TEST"]


async def test_one_test_of_a_person_is_sent_at_a_time(push: PushNotifications, site: WebhookServer) -> None:
    await push.set(OWNER_ID, [site.url + SECRET], [])
    site.mode = "slow"
    first = asyncio.create_task(push.test(OWNER_ID))
    await until(lambda: len(site.received) == 1)

    with pytest.raises(RateLimited):
        await push.test(OWNER_ID)

    (test,) = await first
    assert (test.is_ok, test.message) == (False, "There is no answer.")


@pytest.fixture
def debug_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that a host can have logged."""
    words = io.StringIO()
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr("sys.stderr", words)
    set_up_log("debug", "json")
    yield words
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


async def test_a_worker_sends_at_once_and_logs_no_address(
    database: Database,
    push: PushNotifications,
    outbox: Outbox,
    new_notifier: NewNotifier,
    site: WebhookServer,
    debug_log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    await push.set(OWNER_ID, [f"{site.url}/hidden-path{SECRET}"], ALL)
    site.statuses = [200, 404]
    running = asyncio.create_task(new_notifier().run())

    for _ in site.statuses[:]:
        await add(database, outbox)
    await outbox.wake_up()
    await until(lambda: len(site.received) == 2)
    await until(lambda: "was not delivered" in debug_log.getvalue())
    await cancel_and_wait(running)

    logged = debug_log.getvalue() + "".join(capfd.readouterr())
    assert "hidden-path" not in logged
    assert str(site.port) not in logged


def test_the_text_of_a_notification_says_which_album() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)

    def text(event: NotificationEvent, **data: object) -> str:
        return NotificationMessage("msg_1", event, at, {"albumId": "100", **data}).text

    assert text(NEW_CHAPTERS, chapterIds=["1", "2"]) == "JM100 · 2"
    assert text(NotificationEvent.DOWNLOAD_READY, title="山行", isComplete=True) == "山行 (JM100)"
    assert text(NotificationEvent.DOWNLOAD_FAILED, code="TIMEOUT") == "JM100 · TIMEOUT"
    assert text(NotificationEvent.SITE_LOGIN_EXPIRED) == "请重新登录。 Log in again."
