"""The documents of the catalogue hold the rules of their formats, whatever a reading app makes of them.

The rules are those that the formats have published, in our own words: OPDS 2.0 (drafts.opds.io/schema), Readium's
manifest (readium.org/webpub-manifest/schema), Authentication for OPDS 1.0, Atom (RFC 4287), OPDS 1.2, OPDS-PSE 1.2.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from services.settings import Settings
from tests.graphql_client import BASE, GraphQLClient, graphql_client
from tests.persons import a_person

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
SINGLE, SERIES = "350234", "900120"
FEEDS = (
    "",
    "/rankings/day",
    "/rankings/all?page=2",
    "/newest",
    "/search?q=雨林",
    "/search?q=nothing-has-this-name",
    f"/albums/{SINGLE}",
    f"/albums/{SERIES}",
    "/continue",
    "/library",
    "/library?page=9",
    "/files",
)

URI = {"type": "string", "pattern": r"^[a-zA-Z][a-zA-Z0-9+.\-]*:[^\s<>\"{}|\\^`]+$"}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
LINK = {
    "type": "object",
    "required": ["href"],
    "properties": {
        "href": TEXT,
        "type": {"type": "string", "pattern": r"^[a-z]+/[\w.+\-]+(;.*)?$"},
        "rel": {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
        "title": TEXT,
        "templated": {"type": "boolean"},
        "width": COUNT,
        "height": COUNT,
        "size": COUNT,
    },
    "if": {"required": ["templated"], "properties": {"templated": {"const": True}}},
    "else": {"properties": {"href": URI}},
}
NAMES = {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": TEXT}}}
PUBLICATION_METADATA = {
    "type": "object",
    "required": ["title"],
    "properties": {
        "@type": URI,
        "conformsTo": URI,
        "identifier": URI,
        "title": TEXT,
        "modified": MOMENT,
        "numberOfPages": COUNT,
        "author": NAMES,
        "subject": NAMES,
        "description": {"type": "string"},
    },
}
ACQUISITION = {"type": "object", "required": ["rel"], "properties": {"rel": {"pattern": "^http://opds-spec.org/acq"}}}
PUBLICATION = {
    "type": "object",
    "required": ["metadata", "links", "images"],
    "properties": {
        "metadata": PUBLICATION_METADATA,
        "links": {"type": "array", "items": LINK, "contains": ACQUISITION, "uniqueItems": True},
        "images": {
            "type": "array",
            "items": LINK,
            "minItems": 1,
            "contains": {"properties": {"type": {"enum": ["image/jpeg", "image/png", "image/gif"]}}},
        },
    },
}
SELF = {"type": "object", "required": ["rel"], "properties": {"rel": {"const": "self"}}}
FEED = {
    "type": "object",
    "required": ["metadata", "links"],
    "properties": {
        "metadata": {
            "type": "object",
            "required": ["title"],
            "properties": {
                "title": TEXT,
                "modified": MOMENT,
                "numberOfItems": {"type": "integer", "minimum": 0},
                "currentPage": COUNT,
            },
        },
        "links": {"type": "array", "items": LINK, "minItems": 1, "uniqueItems": True, "contains": SELF},
        "publications": {"type": "array", "items": PUBLICATION, "minItems": 1, "uniqueItems": True},
        "navigation": {
            "type": "array",
            "items": {"allOf": [LINK, {"required": ["title"]}]},
            "minItems": 1,
            "uniqueItems": True,
        },
    },
    "anyOf": [{"required": ["publications"]}, {"required": ["navigation"]}],
    "additionalProperties": False,
}
MANIFEST = {
    "allOf": [PUBLICATION],
    "required": ["readingOrder"],
    "properties": {
        "metadata": {"required": ["identifier"], "properties": {"conformsTo": {"pattern": "/profiles/divina$"}}},
        "links": {"contains": SELF},
        "readingOrder": {
            "type": "array",
            "items": {"allOf": [LINK, {"required": ["type"], "properties": {"type": {"pattern": "^image/"}}}]},
            "minItems": 1,
            "uniqueItems": True,
        },
    },
}
AUTHENTICATION = {
    "type": "object",
    "required": ["id", "title", "authentication"],
    "properties": {
        "id": URI,
        "title": TEXT,
        "description": TEXT,
        "links": {"type": "array", "items": LINK, "uniqueItems": True},
        "authentication": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type"],
                "properties": {
                    "type": URI,
                    "labels": {"type": "object", "properties": {"login": TEXT, "password": TEXT}},
                },
            },
        },
    },
}


def problems(document: object, schema: dict[str, Any]) -> list[str]:
    """What in a document is against a schema, with where it is."""
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]


@pytest.fixture
async def filled(server: GraphQLClient) -> GraphQLClient:
    """A server whose owner has begun an album and follows one."""
    await server.ask(
        """mutation { setReadingProgress(input: {albumId: "350234", chapterId: "350234", page: 3}) { __typename }
          addToLibrary(input: {albumId: "900120"}) { __typename } }"""
    )
    return server


@pytest.mark.parametrize("path", FEEDS)
async def test_a_feed_of_version_2_is_what_its_schema_says(filled: GraphQLClient, path: str) -> None:
    response = await filled.http.get(f"/opds/v2{path}")

    assert problems(response.json(), FEED) == []


@pytest.mark.parametrize(("path", "schema"), [("", PUBLICATION), ("", MANIFEST), ("/manifest.json", MANIFEST)])
async def test_a_publication_is_what_its_schema_says(
    server: GraphQLClient, path: str, schema: dict[str, Any]
) -> None:
    address = f"/opds/v2/publications/{SINGLE}{path}"

    document = (await server.http.get(address)).json()

    assert problems(document, schema) == []
    assert [each["href"] for each in document["links"] if each["rel"] == "self"] == [BASE + address]


async def test_the_way_to_log_in_is_what_its_schema_says(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings()) as server:
        await a_person(server.services, "alice")
        refused = await server.http.get("/opds")
        named = await server.http.get(refused.json()["id"], headers={"Accept": "*/*"})

    assert problems(refused.json(), AUTHENTICATION) == []
    assert refused.status_code == named.status_code == 401
    assert refused.content == named.content


ATOM = "{http://www.w3.org/2005/Atom}"
PSE = "{http://vaemendis.net/opds-pse/ns}"
CATALOGUE = "application/atom+xml;profile=opds-catalog;kind="
STREAM = "http://vaemendis.net/opds-pse/stream"
IMAGES = ("http://opds-spec.org/image", "http://opds-spec.org/image/thumbnail")
FEED_RELS = {"self", "start", "up", "search", "first", "previous", "next"}


def atom_problems(content: bytes) -> list[str]:
    """What in a feed is against Atom, OPDS 1.2 or OPDS-PSE 1.2."""
    feed = ElementTree.fromstring(content)  # our own answer
    entries = feed.findall(f"{ATOM}entry")
    ids = Counter(entry.findtext(f"{ATOM}id") for entry in entries)
    found = [f"two entries are {id}" for id, count in ids.items() if count > 1]
    found += _problems_of_element(feed, "feed")
    if feed.find(f"{ATOM}author/{ATOM}name") is None:
        found.append("feed: no author")  # which stands for those of entries that have none
    links = [link.get("rel") for link in feed.findall(f"{ATOM}link")]
    found += [f"feed: {rel} is no link of a feed" for rel in links if rel not in FEED_RELS]
    found += [f"feed: {rel} is there {count} times" for rel, count in Counter(links).items() if count > 1]
    for entry in entries:
        found += [f"{entry.findtext(f'{ATOM}id')}: {each}" for each in _problems_of_entry(entry)]
    return found


def _problems_of_element(element: ElementTree.Element, name: str) -> Iterator[str]:
    for child in ("id", "title", "updated"):
        if len(element.findall(f"{ATOM}{child}")) != 1 or not (element.findtext(f"{ATOM}{child}") or "").strip():
            yield f"{name}: not one {child}"
    if not re.fullmatch(MOMENT["pattern"], element.findtext(f"{ATOM}updated") or ""):
        yield f"{name}: no time"
    if not re.fullmatch(URI["pattern"], element.findtext(f"{ATOM}id") or ""):
        yield f"{name}: the id is no IRI"
    for link in element.findall(f"{ATOM}link"):
        address = re.sub(r"\{\w+\}", "1", link.get("href", "")) if link.get("rel") == STREAM else link.get("href", "")
        if not re.fullmatch(URI["pattern"], address) or not urlsplit(address).netloc:
            yield f"{name}: {address} is no absolute address"


def _problems_of_entry(entry: ElementTree.Element) -> Iterator[str]:
    yield from _problems_of_element(entry, "entry")
    links = entry.findall(f"{ATOM}link")
    rels = {link.get("rel", "") for link in links}
    if "subsection" not in rels and STREAM not in rels:
        yield "leads nowhere"
    for link in links:
        rel, media_type = link.get("rel", ""), link.get("type", "")
        if rel == "subsection" and not media_type.startswith(CATALOGUE):
            yield "a feed's media type says that it is one of a catalogue"
        if rel in IMAGES and media_type not in ("image/jpeg", "image/png", "image/gif"):
            yield "a picture is JPEG, PNG or GIF"
        if rel == STREAM:
            yield from _problems_of_stream(link)
    if any(not category.get("term") for category in entry.findall(f"{ATOM}category")):
        yield "a category without a term"


def _problems_of_stream(link: ElementTree.Element) -> Iterator[str]:
    count, last_read = int(link.get(f"{PSE}count", "0")), link.get(f"{PSE}lastRead")
    if count < 1:
        yield "a stream has at least one page"
    if not link.get("type", "").startswith("image/") or "{pageNumber}" not in link.get("href", ""):
        yield "a stream's address is a template of a picture's"
    if last_read is not None and not 1 <= int(last_read) <= count:
        yield "the page that was read last is none"
    if (last_read is None) != (link.get(f"{PSE}lastReadDate") is None):
        yield "a place without its time"


@pytest.mark.parametrize("path", FEEDS)
async def test_a_feed_of_version_1_holds_the_rules_of_its_formats(filled: GraphQLClient, path: str) -> None:
    response = await filled.http.get(f"/opds{path}")

    assert atom_problems(response.content) == []


def test_the_rules_find_what_is_against_them() -> None:
    feed = {"metadata": {"title": ""}, "links": [{"href": "/opds", "rel": "start"}], "publications": []}
    entry = '<entry><link rel="subsection" href="/a" type="text/html"/></entry>'
    atom = f'<feed xmlns="{ATOM[1:-1]}"><id>x</id>{entry}</feed>'

    assert [each.partition(":")[0] for each in problems(feed, FEED)] == [
        "$.metadata.title",
        "$.links[0].href",
        "$.links",
        "$.publications",
    ]
    assert atom_problems(atom.encode()) == [
        "feed: not one title",
        "feed: not one updated",
        "feed: no time",
        "feed: the id is no IRI",
        "feed: no author",
        "None: entry: not one id",
        "None: entry: not one title",
        "None: entry: not one updated",
        "None: entry: no time",
        "None: entry: the id is no IRI",
        "None: entry: /a is no absolute address",
        "None: a feed's media type says that it is one of a catalogue",
    ]


THORIUM = ROOT / "node_modules" / "r2-opds-js"
has_thorium = pytest.mark.skipif(
    not THORIUM.is_dir() or not shutil.which("node"), reason="r2-opds-js is not installed: npm ci"
)


def as_thorium_reads(content: bytes) -> Any:
    """A feed of either version as Thorium Reader's own library understands it, in the words of version 2."""
    command = ["node", str(Path(__file__).with_name("read_opds.cjs"))]
    done = subprocess.run(command, input=content, capture_output=True, cwd=ROOT, timeout=60, check=True)
    return json.loads(done.stdout)


@has_thorium
@pytest.mark.parametrize("path", ["", f"/albums/{SINGLE}", f"/albums/{SERIES}", "/search?q=nothing-has-this-name"])
async def test_thorium_understands_both_versions_alike(server: GraphQLClient, path: str) -> None:
    first = as_thorium_reads((await server.http.get(f"/opds{path}")).content)
    second = as_thorium_reads((await server.http.get(f"/opds/v2{path}")).content)

    assert _seen(first, "/opds") == _seen(second, "/opds/v2")


@has_thorium
async def test_thorium_takes_a_series_of_version_2_for_a_way(server: GraphQLClient) -> None:
    """Of version 1 it takes it for a publication, as anything that has an author."""
    feed = as_thorium_reads((await server.http.get("/opds/v2/rankings/day")).content)

    album = (await server.ask("query ($id: String!) { album(id: $id) { title } }", id="221350"))["album"]
    (way,) = [way for way in feed["navigation"] if way["title"] == album["title"]]
    assert way["href"] == f"{BASE}/opds/v2/albums/221350"


def _seen(feed: Any, root: str) -> Any:
    """Title, ways and publications of a feed, with addresses from this version's root on."""
    ways = [(way["title"], way["href"].removeprefix(BASE + root)) for way in feed.get("navigation", ())]
    publications = [
        (
            each["metadata"]["title"],
            each["metadata"]["identifier"],
            _names(each["metadata"].get("author", ())),
            _names(each["metadata"].get("subject", ())),
            {image["href"] for image in each["images"]},
        )
        for each in feed.get("publications", ())
    ]
    return feed["metadata"]["title"], [way for way in ways if way[1]], publications


def _names(values: Any) -> list[str]:
    return [value if isinstance(value, str) else value["name"] for value in values]


@has_thorium
async def test_thorium_finds_the_manifest_with_the_pages(server: GraphQLClient) -> None:
    feed = as_thorium_reads((await server.http.get(f"/opds/v2/albums/{SINGLE}")).content)

    (publication,) = feed["publications"]
    (manifest,) = [link for link in publication["links"] if link["type"] == "application/divina+json"]
    assert manifest["rel"] == "http://opds-spec.org/acquisition/open-access"
    assert (await server.http.get(manifest["href"])).json()["metadata"]["title"] == publication["metadata"]["title"]
