"""Tags over GraphQL: the database, the translator, edits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.cursors import encode_cursor
from services.settings import Settings
from tests.git_server import TOKEN, GitServer, refuse_pushes
from tests.github import GOOD_TOKEN, NEW_TOKEN, GitHub
from tests.graphql_client import GraphQLClient, graphql_client
from tests.sockets import connected
from tests.tag_repositories import FILES, MakeTagRepository
from tests.tag_tables import table_of
from tests.waiting import until

pytestmark = pytest.mark.anyio

EDIT_ERRORS = "... on Error { code message retryable } ... on UpstreamFailure { reason retryAfter }"
ADD = (
    f"mutation ($input: AddTagInput!) {{ addTag(input: $input) {{ __typename ... on Tag {{ id name }} "
    f"{EDIT_ERRORS} }} }}"
)
UPDATE = (
    f"mutation ($input: UpdateTagInput!) {{ updateTag(input: $input) {{ __typename ... on Tag {{ id name }} "
    f"{EDIT_ERRORS} ... on StaleVersion {{ head }} }} }}"
)
REMOVE = (
    f"mutation ($input: RemoveTagInput!) {{ removeTag(input: $input) {{ __typename ... on RemovedTag {{ id head }} "
    f"{EDIT_ERRORS} }} }}"
)


async def test_the_starter_glossary_serves_until_the_database_is_synced(server: GraphQLClient) -> None:
    data = await server.ask(
        """{ ehtag { repo version isStarter tagCount lastCheckedAt lastError
        head { sha message authorName committedAt } namespaces { namespace name description count } } }"""
    )

    ehtag = data["ehtag"]
    assert (ehtag["isStarter"], ehtag["version"], ehtag["repo"]) == (True, 7, "")
    assert [info["namespace"] for info in ehtag["namespaces"]][:3] == ["ROWS", "RECLASS", "LANGUAGE"]
    assert ehtag["tagCount"] == sum(info["count"] for info in ehtag["namespaces"])
    assert len(ehtag["head"]["sha"]) == 40


async def test_a_record_is_shown_in_every_format(server: GraphQLClient) -> None:
    data = await server.ask(
        """{ tag(namespace: OTHER, raw: " Full Color ") { id namespace raw name raw_: name(format: RAW)
        html: name(format: HTML) intro links ast } }"""
    )

    tag = data["tag"]
    assert (tag["id"], tag["namespace"], tag["raw"]) == ("other:full color", "OTHER", "full color")
    assert tag["html"] == f"<p>{tag['name']}</p>"
    assert tag["ast"]["name"] == [{"type": "paragraph", "content": [{"type": "text", "text": tag["name"]}]}]


async def test_a_missing_record_is_null(server: GraphQLClient) -> None:
    assert await server.ask('{ tag(namespace: OTHER, raw: "no such tag") { id } }') == {"tag": None}
    assert await server.ask('{ tag(namespace: OTHER, raw: "%$#") { id } }') == {"tag": None}


async def test_a_text_is_written_in_the_other_script(server: GraphQLClient) -> None:
    data = await server.ask('{ simplified: otherSpellings(text: "机器人") latin: otherSpellings(text: "robot") }')

    assert data == {"simplified": ["機器人"], "latin": []}


async def test_names_are_translated_in_the_order_given(server: GraphQLClient) -> None:
    data = await server.ask(
        "query ($n: [String!]!) { translateTags(names: $n) { name match translation { id } alternatives { id } } }",
        n=["眼鏡", "nothing of the kind", "全彩", "眼鏡"],
    )

    joined = [(tag["name"], tag["translation"] and tag["translation"]["id"]) for tag in data["translateTags"]]
    assert joined == [
        ("眼鏡", "female:glasses"),
        ("nothing of the kind", None),
        ("全彩", "other:full color"),
        ("眼鏡", "female:glasses"),
    ]


async def test_works_tell_characters_of_one_name_apart(
    make_settings: Callable[..., Settings], make_tag_repository: MakeTagRepository
) -> None:
    """The demo's album 183462 is drawn after "Original" and has the character "Finn"."""
    works = table_of({"ship": "船", "original": "原创"})
    characters = table_of({"finn": ("Finn", "所属作品：`ship`"), "finn 2": ("Finn", "所属作品：`original`")})
    files = {**FILES, "database/parody.md": works, "database/character.md": characters}
    tag = "{ match translation { raw } alternatives { raw } }"
    query = f"""query ($w: [String!]) {{ album(id: "183462") {{ characters {tag} }}
      translateTags(names: ["Finn"], kind: CHARACTER, works: $w) {tag} }}"""

    async with graphql_client(make_settings(ehtag_repository=make_tag_repository(files=files).folder)) as server:
        without = await server.ask(query)
        beside = await server.ask(query, w=["船"])
        error = await server.error(query, w=["船"] * 21)

    first, second = {"raw": "finn"}, {"raw": "finn 2"}
    assert without["album"]["characters"] == [{"match": "EXACT", "translation": second, "alternatives": [first]}]
    assert without["translateTags"] == [{"match": "AMBIGUOUS", "translation": first, "alternatives": [second]}]
    assert beside["translateTags"] == [{"match": "EXACT", "translation": first, "alternatives": [second]}]
    assert error["code"] == "INVALID_INPUT"


async def test_tags_that_were_seen_often_come_with_their_numbers_without_blocked_ones(
    make_settings: Callable[..., Settings],
) -> None:
    query = "{ frequentTags(first: 1) { albumCount tag { id } } }"
    async with graphql_client(make_settings(blocked_tags=["female:glasses"])) as server:
        await server.ask('{ albums(ids: ["145590", "350234"]) { id } }')
        data = await server.ask(query)
        error = await server.error("{ frequentTags(first: 101) { albumCount } }")

    counts = {found["tag"]["id"]: found["albumCount"] for found in data["frequentTags"]}
    assert counts["other:full color"] == 2
    assert "female:glasses" not in counts
    assert len({id.partition(":")[0] for id in counts}) == len(counts)
    assert error["code"] == "INVALID_INPUT"


async def test_records_are_browsed_page_by_page(server: GraphQLClient) -> None:
    query = """query ($after: String) { tags(first: 30, after: $after, filter: {namespaces: [FEMALE]}) { totalCount
      nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
    ids: list[str] = []
    after = None
    while True:
        page = (await server.ask(query, after=after))["tags"]
        ids += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(ids) == len(set(ids)) == page["totalCount"]
    assert all(id.startswith("female:") for id in ids)


async def test_an_empty_list_of_namespaces_or_states_lists_nothing(server: GraphQLClient) -> None:
    await server.ask('mutation { startDownload(input: {albumId: "163348"}) { __typename } }')

    assert await server.ask(
        """{ tags(filter: {namespaces: []}) { totalCount nodes { id } pageInfo { hasNextPage } }
        downloads(states: []) { totalCount nodes { id } pageInfo { hasNextPage } } all: downloads { totalCount } }"""
    ) == {
        "tags": {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False}},
        "downloads": {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False}},
        "all": {"totalCount": 1},
    }


@pytest.mark.parametrize("query", ["glasses", "眼鏡", "眼镜"])
async def test_records_are_found_in_either_language(server: GraphQLClient, query: str) -> None:
    data = await server.ask("query ($q: String!) { tags(filter: {query: $q}) { nodes { id } } }", q=query)

    assert [node["id"] for node in data["tags"]["nodes"]][:2] == ["female:glasses", "male:glasses"]


async def test_a_found_record_says_which_text_matched_and_where(server: GraphQLClient) -> None:
    query = """query ($q: String) { tags(filter: {query: $q}, first: 1) { edges { node { id }
      matched { text field start length } } } }"""

    async def first(q: str | None) -> Any:
        return (await server.ask(query, q=q))["tags"]["edges"][0]

    assert await first("f:GLASS") == {
        "node": {"id": "female:glasses"},
        "matched": {"text": "glasses", "field": "RAW", "start": 0, "length": 5},
    }
    assert (await first("quancai"))["matched"] == {"text": "全彩", "field": "PINYIN", "start": 0, "length": 2}
    assert (await first("絲襪"))["matched"]["field"] == "ALIAS"
    assert (await first(None))["matched"] is None


async def test_found_records_are_browsed_page_by_page_in_one_order(server: GraphQLClient) -> None:
    query = """query ($first: Int!, $after: String) { tags(first: $first, after: $after, filter: {query: "女"}) {
      totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
    whole = (await server.ask(query, first=100))["tags"]
    ids: list[str] = []
    after, has_next = None, True
    while has_next:
        page = (await server.ask(query, first=7, after=after))["tags"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        ids += [node["id"] for node in page["nodes"]]
        after, has_next = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert ids[:100] == [node["id"] for node in whole["nodes"]]
    assert len(ids) == len(set(ids)) == whole["totalCount"] > 100


async def test_a_page_goes_on_after_the_record_of_its_cursor_wherever_that_stands_now(server: GraphQLClient) -> None:
    query = """query ($after: String) { tags(first: 2, after: $after, filter: {query: "女"}) {
      edges { cursor node { id } } } }"""

    async def page(after: str | None = None) -> list[str]:
        return [edge["node"]["id"] for edge in (await server.ask(query, after=after))["tags"]["edges"]]

    start, following = await page(), await page(encode_cursor("tag:", "2"))
    moved = encode_cursor("tag:", f"9:{start[1]}")
    gone = encode_cursor("tag:", "2:female:no such record")

    assert len({*start, *following}) == 4
    assert await page(encode_cursor("tag:", f"2:{start[1]}")) == following
    assert await page(moved) == following
    assert await page(gone) == following


@pytest.mark.parametrize("position", ["x", "-1:female:glasses", "1.5", ":female:glasses"])
async def test_what_is_no_cursor_of_the_list_is_refused(server: GraphQLClient, position: str) -> None:
    answer = await server.answer(
        "query ($a: String) { tags(after: $a) { totalCount } }", a=encode_cursor("tag:", position)
    )

    assert answer["errors"][0]["extensions"]["code"] == "INVALID_INPUT"
    assert answer["errors"][0]["message"] == "after must be a cursor of this list"


async def test_albums_of_a_tag_are_searched_by_the_sites_spelling(server: GraphQLClient) -> None:
    data = await server.ask('{ tag(namespace: OTHER, raw: "full color") { albums { total items { id } } } }')

    assert data["tag"]["albums"]["total"] > 80
    assert len(data["tag"]["albums"]["items"]) == 80


@pytest.fixture
async def editable(
    make_settings: Callable[..., Settings], make_tag_repository: MakeTagRepository, github: GitHub
) -> AsyncIterator[GraphQLClient]:
    """A server on a small tag database of its own, with a server that verifies GitHub tokens."""
    async with graphql_client(
        make_settings(ehtag_repository=make_tag_repository().folder, github_api_url=github.url)
    ) as server:
        yield server


async def edit(server: GraphQLClient, mutation: str, token: str | None, **input: Any) -> Any:
    """What an edit answers."""
    headers = {"X-Token": token} if token else {}
    answer = await server.answer(mutation, headers=headers, input=input)
    assert "errors" not in answer, answer["errors"]
    return next(iter(answer["data"].values()))


async def head_of(server: GraphQLClient) -> str:
    """The version now."""
    sha: str = (await server.ask("{ ehtag { head { sha } } }"))["ehtag"]["head"]["sha"]
    return sha


async def test_an_edit_needs_a_version_and_a_token(editable: GraphQLClient, github: GitHub) -> None:
    head = await head_of(editable)
    cells = {"namespace": "FEMALE", "raw": "lighthouse", "name": "灯塔"}

    stale = await edit(editable, ADD, GOOD_TOKEN, **cells, ifMatch="0" * 40)
    anonymous = await edit(editable, ADD, None, **cells, ifMatch=head)
    added = await edit(editable, ADD, GOOD_TOKEN, **cells, ifMatch=head)

    assert (stale["__typename"], stale["code"], stale["retryable"]) == ("StaleVersion", "STALE", True)
    assert (anonymous["__typename"], anonymous["code"]) == ("AccessDenied", "UNAUTHENTICATED")
    assert added == {"__typename": "Tag", "id": "female:lighthouse", "name": "灯塔"}
    assert await head_of(editable) != head
    assert (await editable.ask('{ tag(namespace: FEMALE, raw: "lighthouse") { name } }'))["tag"]["name"] == "灯塔"


@pytest.mark.parametrize(
    ("token", "settings", "reason"),
    [
        (NEW_TOKEN, {}, "15 days old"),
        (GOOD_TOKEN, {"ehtag_editors": "Gardener"}, "cook is not among those who may edit"),
    ],
)
async def test_who_may_not_edit_is_denied_with_the_reason(
    make_settings: Callable[..., Settings],
    make_tag_repository: MakeTagRepository,
    github: GitHub,
    token: str,
    settings: dict[str, str],
    reason: str,
) -> None:
    folder = make_tag_repository().folder
    async with graphql_client(
        make_settings(ehtag_repository=folder, github_api_url=github.url, **settings)
    ) as server:
        denied = await edit(server, REMOVE, token, namespace="FEMALE", raw="apron", ifMatch="*")

    assert (denied["__typename"], denied["code"], denied["retryable"]) == ("AccessDenied", "FORBIDDEN", False)
    assert reason in denied["message"]


async def test_a_refused_edit_is_a_typed_result(editable: GraphQLClient, github: GitHub) -> None:
    cells = {"namespace": "FEMALE", "raw": "lighthouse", "name": "灯塔", "ifMatch": "*"}
    await edit(editable, ADD, GOOD_TOKEN, **cells)

    twice = await edit(editable, ADD, GOOD_TOKEN, **cells)
    nameless = await edit(editable, UPDATE, GOOD_TOKEN, **{**cells, "name": ""})
    missing = await edit(editable, UPDATE, GOOD_TOKEN, **{**cells, "raw": "nothing"})
    bad = await edit(editable, UPDATE, GOOD_TOKEN, **{**cells, "raw": "%"})

    assert (twice["__typename"], twice["code"]) == ("TagConflict", "CONFLICT")
    assert (nameless["__typename"], nameless["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert (missing["__typename"], missing["code"]) == ("TagNotFound", "NOT_FOUND")
    assert (bad["__typename"], bad["code"]) == ("InvalidInput", "INVALID_INPUT")


async def test_what_the_remote_says_to_an_edit_is_a_typed_result(
    make_settings: Callable[..., Settings], git_server: GitServer, github: GitHub
) -> None:
    remote = {"ehtag_remote": git_server.url, "ehtag_push": True, "github_api_url": github.url}
    removal = {"namespace": "FEMALE", "ifMatch": "*"}
    async with graphql_client(make_settings(ehtag_token=TOKEN, **remote)) as server:
        await server.services.tags.sync()
        git_server.takes_pushes.clear()
        hanging = asyncio.create_task(edit(server, REMOVE, GOOD_TOKEN, raw="apron", **removal))
        await until(lambda: git_server.pushes == 1)
        busy = await edit(server, REMOVE, GOOD_TOKEN, raw="glasses", **removal)
        git_server.takes_pushes.set()
        assert (await hanging)["__typename"] == "RemovedTag"
        refuse_pushes(git_server.repository, "GH006: Protected branch update failed.")
        declined = await edit(server, REMOVE, GOOD_TOKEN, raw="glasses", **removal)
    async with graphql_client(make_settings(ehtag_token="gho_old", **remote)) as server:
        refused = await edit(server, REMOVE, GOOD_TOKEN, raw="glasses", **removal)

    assert (busy["__typename"], busy["code"], busy["retryAfter"]) == ("UpstreamFailure", "BUSY", 5)
    assert (declined["__typename"], declined["code"]) == ("TagConflict", "CONFLICT")
    assert "Protected branch" in declined["message"]
    assert (refused["__typename"], refused["code"]) == ("UpstreamFailure", "UPSTREAM_BROKEN")
    assert (refused["reason"], refused["retryable"]) == ("CREDENTIALS_REFUSED", False)


async def test_a_record_is_changed_and_removed(editable: GraphQLClient, github: GitHub) -> None:
    cells = {"namespace": "FEMALE", "raw": "lighthouse", "name": "灯塔", "ifMatch": "*"}
    await edit(editable, ADD, GOOD_TOKEN, **cells)

    changed = await edit(editable, UPDATE, GOOD_TOKEN, **{**cells, "name": "大灯塔"})
    removed = await edit(editable, REMOVE, GOOD_TOKEN, namespace="FEMALE", raw="lighthouse", ifMatch="*")

    assert changed["name"] == "大灯塔"
    assert (removed["__typename"], removed["id"]) == ("RemovedTag", "female:lighthouse")
    assert removed["head"] == await head_of(editable)


async def test_an_edit_is_sent_to_subscribers(editable: GraphQLClient, github: GitHub) -> None:
    async with connected(editable.app, "/graphql", protocol="graphql-transport-ws") as socket:
        await socket.send({"type": "connection_init"})
        await socket.receive()
        query = "subscription { ehtagUpdated { head { sha } tagCount } }"
        await socket.send({"id": "1", "type": "subscribe", "payload": {"query": query}})
        await socket.send({"id": "2", "type": "subscribe", "payload": {"query": "{ ehtag { tagCount } }"}})
        before = (await socket.receive())["payload"]["data"]["ehtag"]["tagCount"]
        await socket.receive()
        await edit(editable, ADD, GOOD_TOKEN, namespace="FEMALE", raw="lighthouse", name="灯塔", ifMatch="*")
        frame = await socket.receive()

    assert frame["payload"]["data"]["ehtagUpdated"]["tagCount"] == before + 1


async def test_the_starter_glossary_is_read_only(make_settings: Callable[..., Settings], github: GitHub) -> None:
    async with graphql_client(make_settings(github_api_url=github.url)) as server:
        refused = await edit(server, ADD, GOOD_TOKEN, namespace="FEMALE", raw="lighthouse", name="灯塔", ifMatch="*")

    assert (refused["__typename"], refused["code"]) == ("TagConflict", "CONFLICT")
    assert "jmgraph ehtag sync" in refused["message"]
