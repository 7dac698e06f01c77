"""The catalogue for reading apps, read as they read it: by a public parser of feeds, and by its addresses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest
from PIL import Image

from services.downloads import DownloadState
from services.settings import Settings
from tests.graphql_client import BASE, GraphQLClient, graphql_client, running_worker
from tests.persons import a_person

pytestmark = pytest.mark.anyio

ATOM = "{http://www.w3.org/2005/Atom}"
PSE = "{http://vaemendis.net/opds-pse/ns}"
STREAM = "http://vaemendis.net/opds-pse/stream"
ACQUIRE = "http://opds-spec.org/acquisition/open-access"
SINGLE, SERIES = "350234", "900120"
FEEDS = ("", "/rankings/day", "/rankings/week", "/rankings/month", "/rankings/all", "/newest", "/search?q=雨林")
OWN_FEEDS = ("/continue", "/library", "/files")


async def feed_at(server: GraphQLClient, address: str) -> Any:
    """The feed at an address, by feedparser; fails where that finds anything wrong with it."""
    response = await server.http.get(address)
    assert response.status_code == 200, response.text
    parsed = feedparser.parse(response.content, response_headers={"content-type": response.headers["content-type"]})
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


async def entries_at(server: GraphQLClient, path: str) -> dict[str, ElementTree.Element]:
    """The entries of a feed by their id."""
    response = await server.http.get(f"/opds{path}")
    root = ElementTree.fromstring(response.content)  # our own answer
    return {str(entry.findtext(f"{ATOM}id")): entry for entry in root.iter(f"{ATOM}entry")}


def link(entry: ElementTree.Element, rel: str) -> ElementTree.Element:
    """The only link of an entry with this relation."""
    (found,) = [each for each in entry.iter(f"{ATOM}link") if each.get("rel") == rel]
    return found


@pytest.mark.parametrize("path", [*FEEDS, *OWN_FEEDS])
async def test_a_feed_is_whole(server: GraphQLClient, path: str) -> None:
    parsed = await feed_at(server, f"/opds{path}")

    rels = {each.rel: each.href for each in parsed.feed.links}
    assert parsed.feed.id.startswith("urn:jmgraph:")
    assert parsed.feed.title
    assert parsed.feed.updated_parsed
    assert {"self", "start", "up", "search"} <= rels.keys()
    assert all(address.startswith(f"{BASE}/opds") for address in rels.values())
    assert all(entry.id and entry.title and entry.updated_parsed for entry in parsed.entries)


async def test_every_link_of_the_first_feed_leads_to_a_feed_without_a_redirect(server: GraphQLClient) -> None:
    for version, media_type in (("/opds", "application/atom+xml"), ("/opds/v2", "application/opds+json")):
        response = await server.http.get(version)
        addresses = set(re.findall(rf"{BASE}/opds[^\"<{{]*", response.text)) - {f"{BASE}/opds/search"}

        for address in sorted(addresses - {f"{BASE}/opds/v2/search"}):
            answer = await server.http.get(address)
            assert answer.status_code == 200, address
            expected = "application/opensearchdescription+xml" if address.endswith(".xml") else media_type
            assert answer.headers["content-type"].startswith(expected), address


async def test_a_list_goes_on_while_there_are_more(server: GraphQLClient) -> None:
    first = await feed_at(server, "/opds/rankings/all")
    rels = {each.rel: each.href for each in first.feed.links}

    second = await feed_at(server, rels["next"])

    back = {each.rel: each.href for each in second.feed.links}
    assert len(first.entries) == 80
    assert "previous" not in rels
    assert back["previous"] == rels["self"]
    assert {entry.id for entry in first.entries} & {entry.id for entry in second.entries} == set()


async def test_an_album_of_one_chapter_is_streamed_page_by_page(server: GraphQLClient) -> None:
    entry = (await entries_at(server, f"/search?q={SINGLE}"))[f"urn:jmgraph:album:{SINGLE}"]

    stream = link(entry, STREAM)
    template = str(stream.get("href"))
    count = int(str(stream.get(f"{PSE}count")))
    first = await server.http.get(template.replace("{pageNumber}", "0").replace("{maxWidth}", "300"))
    last = await server.http.get(template.replace("{pageNumber}", str(count - 1)).replace("{maxWidth}", "100000"))
    beyond = await server.http.get(template.replace("{pageNumber}", str(count)).replace("{maxWidth}", "300"))
    unfilled = await server.http.get(template.replace("{pageNumber}", "0"))

    assert stream.get("type") == "image/jpeg"
    assert template == f"{BASE}/opds/pages/{SINGLE}/{{pageNumber}}?width={{maxWidth}}"
    assert [answer.headers["content-type"] for answer in (first, last, unfilled)] == ["image/jpeg"] * 3
    assert picture(first.content).width == 300
    assert picture(last.content).width == picture(unfilled.content).width > 300
    assert beyond.status_code == 404


async def test_an_entry_says_who_made_it_and_what_is_in_it(server: GraphQLClient) -> None:
    album = (await server.ask('{ album(id: "350234") { title authors { name } } }'))["album"]
    entry = (await entries_at(server, f"/search?q={SINGLE}"))[f"urn:jmgraph:album:{SINGLE}"]

    terms = [str(category.get("term")) for category in entry.iter(f"{ATOM}category")]
    authors = [author.findtext(f"{ATOM}name") for author in entry.iter(f"{ATOM}author")]
    covers = [
        await server.http.get(str(link(entry, rel).get("href")), headers={"Accept": "*/*"})
        for rel in ("http://opds-spec.org/image", "http://opds-spec.org/image/thumbnail")
    ]

    assert entry.findtext(f"{ATOM}title") == album["title"]
    assert authors == [author["name"] for author in album["authors"]]
    assert "全彩" in terms
    assert [cover.headers["content-type"] for cover in covers] == ["image/jpeg", "image/jpeg"]
    assert picture(covers[1].content).width == 300


async def test_a_series_is_a_feed_of_its_chapters(server: GraphQLClient) -> None:
    way = (await entries_at(server, "/search?q=" + SERIES))[f"urn:jmgraph:album:{SERIES}"]
    chapters = await entries_at(server, f"/albums/{SERIES}")

    listed = (await server.ask("query ($id: String!) { album(id: $id) { chapters { id } } }", id=SERIES))["album"]
    assert link(way, "subsection").get("href") == f"{BASE}/opds/albums/{SERIES}"
    assert list(chapters) == [f"urn:jmgraph:chapter:{chapter['id']}" for chapter in listed["chapters"]]
    assert all(int(str(link(entry, STREAM).get(f"{PSE}count"))) > 0 for entry in chapters.values())


async def test_a_finished_file_can_be_taken(server: GraphQLClient) -> None:
    start = (
        "mutation ($id: String!) { startDownload(input: {albumId: $id, archive: CBZ}) { ... on Download { id } } }"
    )
    async with running_worker(server.services):
        id = (await server.ask(start, id=SINGLE))["startDownload"]["id"]
        await anext(
            record async for record in server.services.downloads.watch(id) if record.state is DownloadState.READY
        )
    file = (await server.ask("query ($id: ID!) { download(id: $id) { file { url size } } }", id=id))["download"][
        "file"
    ]

    acquired = link((await entries_at(server, "/files"))[f"urn:jmgraph:album:{SINGLE}"], ACQUIRE)

    assert acquired.get("type") == "application/vnd.comicbook+zip"
    assert acquired.get("href") == file["url"]
    assert acquired.get("length") == str(file["size"])
    head = await server.http.head(str(acquired.get("href")), headers={"Accept": "*/*"})
    # where KOReader has the name of the file from
    assert re.search(r'filename="([^"]+)"', head.headers["content-disposition"])[1].endswith(".cbz")  # type: ignore[index]
    assert head.headers["content-length"] == acquired.get("length")


async def test_streamed_pages_move_the_reader_forward_only(server: GraphQLClient) -> None:
    for number in (4, 2):
        await server.http.get(f"/opds/pages/{SINGLE}/{number}?width=100")
    await server.services.streamed.aclose()

    stream = link((await entries_at(server, "/continue"))[f"urn:jmgraph:album:{SINGLE}"], STREAM)
    assert stream.get(f"{PSE}lastRead") == "5"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(stream.get(f"{PSE}lastReadDate")))


async def test_a_search_is_described_and_found(server: GraphQLClient) -> None:
    described = (await server.http.get("/opds/search.xml")).text
    template = re.findall(r'template="([^"]+)"', described)[0].replace("&amp;", "&")

    found = await feed_at(server, template.replace("{searchTerms}", "雨林"))

    assert f"urn:jmgraph:album:{SINGLE}" in {entry.id for entry in found.entries}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rankings/year", 404),
        ("/rankings/day?page=0", 400),
        ("/rankings/day?page=x", 400),
        ("/albums/abc", 400),
        ("/albums/999999999", 404),
        ("/pages/350234/-1", 400),
        ("/pages/350234/x", 400),
        ("/covers/999999999", 404),
        ("/nothing", 404),
    ],
)
async def test_what_can_not_be_is_a_problem_in_json(server: GraphQLClient, path: str, status: int) -> None:
    response = await server.http.get(f"/opds{path}")

    assert response.status_code == status
    assert response.json().keys() == {"code", "message", "retryable"}


@pytest.mark.parametrize(
    "path", ["", "/", "/rankings/day", "/search.xml", "/v2", "/v2/rankings/day", "/pages/350234/0"]
)
async def test_old_readers_ask_head_with_any_accept(server: GraphQLClient, path: str) -> None:
    headers = {"Accept": "*/*", "User-Agent": "KOReader/2024.1 (https://koreader.rocks/) LuaSocket/3.0-rc1"}

    head = await server.http.head(f"/opds{path}", headers=headers)
    get = await server.http.get(f"/opds{path}", headers=headers)

    assert (head.status_code, get.status_code) == (200, 200)
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]


KOREADER_ACCEPT = "application/opds+json, application/atom+xml;profile=opds-catalog, */*"


async def test_koreader_gets_pages_to_stream_though_it_would_take_json(server: GraphQLClient) -> None:
    """It prefers version 2 where a server lets it choose, and streams pages of version 1 alone (opdsbrowser.lua)."""
    response = await server.http.get(f"/opds/albums/{SINGLE}", headers={"Accept": KOREADER_ACCEPT})

    assert response.headers["content-type"].startswith("application/atom+xml")
    assert STREAM in response.text


async def test_koreader_fills_the_whole_template_of_the_search(server: GraphQLClient) -> None:
    """It replaces `{searchTerms}` and sends every other variable as it stands; in version 2 it puts `query` in."""
    described = (await server.http.get("/opds/search.xml")).text
    template = re.findall(r'template="([^"]+)"', described)[0].replace("&amp;", "&")
    ways = (await server.http.get("/opds/v2")).json()["links"]
    (second,) = [re.sub(r"{.*}", "?query=雨林", way["href"]) for way in ways if way["rel"] == "search"]

    found = await feed_at(server, template.replace("{searchTerms}", "雨林"))
    found_in_json = (await server.http.get(second)).json()

    assert "{" not in template.replace("{searchTerms}", "")
    assert {entry.id for entry in found.entries} == {
        *(each["metadata"]["identifier"] for each in found_in_json["publications"]),
        *(f"urn:jmgraph:album:{way['href'].rpartition('/')[2]}" for way in found_in_json.get("navigation", ())),
    }


@pytest.mark.parametrize("path", [*FEEDS, f"/albums/{SINGLE}"])
async def test_small_parsers_of_xml_find_what_they_know(server: GraphQLClient, path: str) -> None:
    """KOReader's knows no comments, no CDATA, and no quotes but double ones (opdsparser.lua)."""
    text = (await server.http.get(f"/opds{path}")).text

    assert "<!" not in text
    assert re.findall(r"\s[\w:]+='", text) == []


async def test_the_last_page_that_a_reader_asks_for_finishes_the_album(server: GraphQLClient) -> None:
    """Panels asks for no page behind it (Kavita's issue 4281)."""
    entry = (await entries_at(server, f"/albums/{SINGLE}"))[f"urn:jmgraph:album:{SINGLE}"]
    count = int(str(link(entry, STREAM).get(f"{PSE}count")))

    await server.http.get(f"/opds/pages/{SINGLE}/{count - 1}?width=100")
    await server.services.streamed.aclose()

    assert await entries_at(server, "/continue") == {}
    progress = (await server.ask('{ album(id: "350234") { progress { page isFinished } } }'))["album"]["progress"]
    assert progress == {"page": count, "isFinished": True}


async def test_a_long_library_goes_on_in_both_versions(server: GraphQLClient) -> None:
    ranking = "query ($page: Int!) { ranking(page: $page) { entries { album { id } } } }"
    lists = [(await server.ask(ranking, page=page))["ranking"]["entries"] for page in (1, 2)]
    ids = [line["album"]["id"] for entries in lists for line in entries][:82]
    for id in ids:
        await server.ask("mutation ($id: ID!) { addToLibrary(input: {albumId: $id}) { __typename } }", id=id)

    first = await feed_at(server, "/opds/library")
    rels = {each.rel: each.href for each in first.feed.links}
    second = await feed_at(server, rels["next"])
    in_json = (await server.http.get("/opds/v2/library?page=2")).json()

    back = {each.rel: each.href for each in second.feed.links}
    listed = [entry.id.rpartition(":")[2] for feed in (first, second) for entry in feed.entries]
    assert listed == ids[::-1]
    assert len(second.entries) == len(in_json.get("publications", ())) + len(in_json.get("navigation", ())) == 2
    assert back["previous"] == rels["self"]
    assert "next" not in back


async def test_all_addresses_stay_under_the_sub_path_of_a_proxy(server: GraphQLClient) -> None:
    prefixed = {"X-Forwarded-Prefix": "/comics", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}

    for path in ("/opds/rankings/day", "/opds/v2/rankings/day"):
        text = (await server.http.get(path, headers=prefixed)).text
        addresses = re.findall(r'href="([^"]+)"|"href":"([^"]+)"', text)
        assert {"https://localhost/comics"} == {
            "".join(urlsplit(one or other)[0:1]) + "://" + urlsplit(one or other).netloc + "/comics"
            for one, other in addresses
            if urlsplit(one or other).path.startswith("/comics/")
        }
        assert all(urlsplit(one or other).path.startswith("/comics/") for one, other in addresses)


async def test_a_feed_of_opds_2_has_publications_with_sizes_once_they_are_known(server: GraphQLClient) -> None:
    await server.http.get(f"/opds/covers/{SINGLE}")

    feed = (await server.http.get(f"/opds/v2/search?query={SINGLE}")).json()
    (publication,) = [
        each for each in feed["publications"] if each["metadata"]["identifier"] == f"urn:jmgraph:album:{SINGLE}"
    ]
    own = (await server.http.get(publication["links"][0]["href"])).json()

    assert feed["links"][0] == {
        "rel": "self",
        "href": f"{BASE}/opds/v2/search?q={SINGLE}",
        "type": "application/opds+json",
    }
    assert publication["images"][0].keys() == {"href", "type", "width", "height"}
    assert len(own["readingOrder"]) == own["metadata"]["numberOfPages"] == publication["metadata"]["numberOfPages"]
    assert (await server.http.get(own["readingOrder"][0]["href"])).headers["content-type"] == "image/jpeg"


@pytest.fixture
async def closed(make_settings: Callable[..., Settings]) -> AsyncIterator[GraphQLClient]:
    """A client without a credential of a server with an account."""
    async with graphql_client(make_settings()) as client:
        yield client


async def test_a_closed_server_says_how_to_log_in(closed: GraphQLClient) -> None:
    person = await a_person(closed.services, "alice")

    refused = await closed.http.get("/opds/v2")
    by_token = await closed.http.get("/opds/v2", auth=("alice", person.session))
    wrong = await closed.http.get("/opds", auth=("alice", "jmg_wrong"))

    assert refused.status_code == wrong.status_code == 401
    assert refused.headers["content-type"] == "application/opds-authentication+json"
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert refused.json()["authentication"][0]["type"] == "http://opds-spec.org/auth/basic"
    assert by_token.status_code == 200


def picture(data: bytes) -> Image.Image:
    """The decoded picture."""
    image: Image.Image = Image.open(BytesIO(data))
    image.load()
    return image
