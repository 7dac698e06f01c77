"""Notifications over GraphQL: what a person sets and sees, and what a worker then sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import update

from demo.server import RunningDemo
from services.container import library_checker, notifier
from services.database.models import AlbumRow
from services.people import TokenScope
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client, running_worker
from tests.persons import a_person, bearer
from tests.webhook_server import WebhookServer, webhook_server

pytestmark = pytest.mark.anyio

SECRET = "#whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SERIES = "205238"
SET = """mutation ($urls: [String!]!, $events: [NotificationEvent!]!) {
  setNotifications(input: {urls: $urls, events: $events}) {
    __typename ... on NotificationSettings { urls events } ... on Error { code message } ... on InvalidInput { field }
  } }"""
TEST = "mutation { testNotifications { url ok message } }"
SEEN = "{ viewer { notifications { urls events } } }"


@pytest.fixture
async def site() -> AsyncIterator[WebhookServer]:
    async with webhook_server() as server:
        yield server


@pytest.fixture
async def notifying(make_settings: Callable[..., Settings]) -> AsyncIterator[GraphQLClient]:
    """A server that may notify this machine, with titles."""
    async with graphql_client(make_settings(notify_private=True, notify_titles=True)) as server:
        yield server


async def set_to(server: GraphQLClient, *urls: str, events: list[str]) -> Any:
    return (await server.ask(SET, urls=list(urls), events=events))["setNotifications"]


async def test_what_is_set_is_seen_masked_and_can_be_tested(notifying: GraphQLClient, site: WebhookServer) -> None:
    server = notifying
    settings = await set_to(server, f"{site.url}/hidden{SECRET}", events=["NEW_CHAPTERS", "DOWNLOAD_READY"])

    seen = await server.ask(SEEN)
    site.statuses = [503]
    tested = await server.ask(TEST)

    shown = {"urls": ["http://127.0.0.1/****"], "events": ["DOWNLOAD_READY", "NEW_CHAPTERS"]}
    assert settings == {"__typename": "NotificationSettings", **shown}
    assert seen == {"viewer": {"notifications": shown}}
    assert tested == {
        "testNotifications": [{"url": "http://127.0.0.1/****", "ok": False, "message": "The server answers 503."}]
    }


async def test_an_address_that_can_t_be_used_is_refused_without_being_repeated(server: GraphQLClient) -> None:
    refused = await set_to(server, "https://me:hidden@hooks.example/" + SECRET, events=[])

    assert (refused["__typename"], refused["code"], refused["field"]) == ("InvalidInput", "INVALID_INPUT", "urls")
    assert "hidden" not in refused["message"]
    assert await server.ask(SEEN) == {"viewer": {"notifications": {"urls": [], "events": []}}}


async def test_without_the_host_s_leave_nothing_is_sent_to_its_own_network(
    server: GraphQLClient, site: WebhookServer
) -> None:
    await set_to(server, site.url + SECRET, events=[])

    (test,) = (await server.ask(TEST))["testNotifications"]

    assert (test["ok"], site.received) == (False, [])
    assert "JMGRAPH_NOTIFY_PRIVATE" in test["message"]


async def test_each_person_has_their_own_and_a_token_for_reading_changes_none(
    notifying: GraphQLClient, site: WebhookServer
) -> None:
    server = notifying
    await set_to(server, f"{site.url}/owner{SECRET}", events=["DOWNLOAD_READY"])
    admin = await a_person(server.services, "alice")
    reader = await a_person(server.services, "reader")
    read_only = bearer(await admin.access_token(TokenScope.READ))

    owners = await server.answer(SEEN, admin.headers)
    readers = await server.answer(SEEN, reader.headers)
    guests = await server.answer(TEST)
    by_reading_token = await server.answer(SET, read_only, urls=[], events=[])

    assert owners["data"]["viewer"]["notifications"]["urls"] == ["http://127.0.0.1/****"]
    assert readers["data"]["viewer"]["notifications"] == {"urls": [], "events": []}
    assert guests["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert by_reading_token["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await server.answer(TEST, reader.headers))["data"] == {"testNotifications": []}


async def test_a_ready_download_is_told_with_its_title_where_the_host_allows_it(
    notifying: GraphQLClient, site: WebhookServer
) -> None:
    server = notifying
    await set_to(server, site.url + SECRET, events=["DOWNLOAD_READY"])
    start = 'mutation { startDownload(input: {albumId: "302166"}) { ... on Download { id title } } }'
    async with running_worker(server.services):
        download = (await server.ask(start))["startDownload"]
        async for _ in server.services.downloads.watch(download["id"]):
            pass

    await notifier(server.services).send_due()

    (request,) = site.received
    assert request.json["data"] == {
        "albumId": "302166",
        "downloadId": download["id"],
        "isComplete": True,
        "title": download["title"],
    }


async def test_new_chapters_are_told_to_who_follows_wants_it_and_has_not_blocked_the_album(
    notifying: GraphQLClient, site: WebhookServer, demo: RunningDemo
) -> None:
    server = notifying
    people = {name: await a_person(server.services, name) for name in ("alice", "quiet", "blocking")}
    for name, person in people.items():
        urls, events = [f"{site.url}/{name}{SECRET}"], ["NEW_CHAPTERS"]
        await server.answer(SET, person.headers, urls=urls, events=events)
        await server.services.library.add(person.user.id, SERIES, notify=name != "quiet")
    album = await server.services.catalog.get_album(SERIES)
    block = "mutation ($tags: [String!]!) { setBlockedTags(tags: $tags) { __typename } }"
    await server.answer(block, people["blocking"].headers, tags=[album.tags[0]])
    number = demo.publish_chapter(SERIES)
    async with server.services.database.write() as session:
        await session.execute(update(AlbumRow).values(requested_at_ms=1))

    await library_checker(server.services).finish_requests()
    await notifier(server.services).send_due()

    (request,) = site.received
    assert request.path == "/alice"
    assert (request.json["type"], request.json["data"]["albumId"]) == ("NEW_CHAPTERS", SERIES)
    assert request.json["data"]["chapterIds"] == [str(number)]


async def test_a_login_at_the_site_that_has_run_out_is_told_once(
    notifying: GraphQLClient, site: WebhookServer, demo: RunningDemo
) -> None:
    server = notifying
    await set_to(server, site.url + SECRET, events=["SITE_LOGIN_EXPIRED"])
    connect = """mutation { connectSiteAccount(input: {username: "reader", password: "correct-horse"}) {
      ... on SiteAccount { state } } }"""
    await server.ask(connect)
    demo.members.end_sessions("reader")

    for _ in range(2):
        await server.answer("{ viewer { siteAccount { folders { id } } } }")
    await notifier(server.services).send_due()

    assert [(request.json["type"], request.json["data"]) for request in site.received] == [("SITE_LOGIN_EXPIRED", {})]
