"""OPDS 2.0: feeds and publications as JSON, and how to log in (Authentication for OPDS 1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest.opds.feeds import FIRST_PAGE, Entry, Feed, Stream, moment
from rest.opds.links import Links
from services.catalog import ImageInfo

FEED = "application/opds+json"
PUBLICATION = "application/opds-publication+json"
DIVINA = "application/divina+json"
AUTHENTICATION = "application/opds-authentication+json"

_ACQUIRE = "http://opds-spec.org/acquisition/open-access"
_DIVINA_PROFILE = "https://readium.org/webpub-manifest/profiles/divina"

Json = dict[str, Any]


def json_feed(feed: Feed, links: Links, cover_of: dict[str, ImageInfo]) -> Json:
    """The feed; `cover_of` has what is known of covers, by album."""
    ways = [_way(entry, links) for entry in feed.entries if entry.stream is None]
    publications = [
        _publication(entry, entry.stream, links, cover_of) for entry in feed.entries if entry.stream is not None
    ]
    metadata: Json = {"title": feed.title, "modified": feed.updated.isoformat()}
    if feed.total is not None:
        metadata |= {"numberOfItems": feed.total, "currentPage": feed.page}
    document: Json = {"metadata": metadata, "links": list(_feed_links(feed, links))}
    if ways:
        document["navigation"] = ways
    if publications:
        document["publications"] = publications
    if not feed.entries:  # a feed has one of them, and neither may be empty
        document["navigation"] = [{"href": links.feed(), "title": "jmgraph", "type": FEED, "rel": "start"}]
    return document


def json_publication(entry: Entry, links: Links, cover_of: dict[str, ImageInfo], media_type: str) -> Json:
    """A publication with all of its pages in reading order; as OPDS has it, or as a manifest of Readium."""
    assert entry.stream is not None  # noqa: S101  # a publication is a chapter with pages
    chapter_id, count = entry.stream.chapter_id, entry.stream.page_count
    document = _publication(entry, entry.stream, links, cover_of)
    if media_type == DIVINA:
        document["links"][0] = {"rel": "self", "href": links.manifest(chapter_id), "type": DIVINA}
    document["readingOrder"] = [
        {"href": links.page(chapter_id, str(number)), "type": "image/jpeg"} for number in range(count)
    ]
    return document


def how_to_authenticate(links: Links) -> Json:
    """How to log in: a name with its password, or an access token in the password's place, by HTTP Basic."""
    return {
        "id": links.feed("/auth"),
        "title": "jmgraph",
        "description": "Your name and password, or an access token in place of the password.",
        "links": [{"rel": "start", "href": links.feed(), "type": FEED}],
        "authentication": [
            {
                "type": "http://opds-spec.org/auth/basic",
                "labels": {"login": "Name", "password": "Password or access token"},
            }
        ],
    }


def _feed_links(feed: Feed, links: Links) -> Iterator[Json]:
    yield {"rel": "self", "href": links.page_of(feed, feed.page), "type": FEED}
    yield {"rel": "start", "href": links.feed(), "type": FEED}
    yield {"rel": "up", "href": links.feed(feed.up), "type": FEED}
    yield {"rel": "search", "href": links.feed("/search") + "{?query}", "type": FEED, "templated": True}
    if feed.page > FIRST_PAGE:
        yield {"rel": "first", "href": links.page_of(feed, FIRST_PAGE), "type": FEED}
        yield {"rel": "previous", "href": links.page_of(feed, feed.page - 1), "type": FEED}
    if feed.has_next:
        yield {"rel": "next", "href": links.page_of(feed, feed.page + 1), "type": FEED}


def _way(entry: Entry, links: Links) -> Json:
    return {"href": links.feed(entry.path), "title": entry.title, "type": FEED, "rel": "subsection"}


def _publication(entry: Entry, stream: Stream, links: Links, cover_of: dict[str, ImageInfo]) -> Json:
    metadata: Json = {
        "@type": "http://schema.org/ComicIssue",
        "conformsTo": _DIVINA_PROFILE,
        "identifier": entry.urn,
        "title": entry.title,
        "modified": moment(entry.updated).isoformat(),
        "numberOfPages": stream.page_count,
    }
    if entry.authors:
        metadata["author"] = [{"name": author} for author in entry.authors]
    if entry.categories:
        metadata["subject"] = [{"name": name} for name in entry.categories]
    if entry.summary:
        metadata["description"] = entry.summary
    acquisitions = [{"rel": _ACQUIRE, "href": links.manifest(stream.chapter_id), "type": DIVINA}] + [
        {"rel": _ACQUIRE, "href": links.file(file), "type": file.media_type} for file in entry.files
    ]
    return {
        "metadata": metadata,
        "links": [{"rel": "self", "href": links.publication(stream.chapter_id), "type": PUBLICATION}, *acquisitions],
        "images": list(_images(entry, links, cover_of)),
    }


def _images(entry: Entry, links: Links, cover_of: dict[str, ImageInfo]) -> Iterator[Json]:
    assert entry.cover_id is not None  # noqa: S101  # every album has a cover
    full: Json = {"href": links.cover(entry.cover_id), "type": "image/jpeg"}
    if (info := cover_of.get(entry.cover_id)) is not None:
        full |= {"width": info.width, "height": info.height}
    yield full
    yield {"href": links.cover(entry.cover_id, is_thumbnail=True), "type": "image/jpeg"}
