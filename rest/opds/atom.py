"""OPDS 1.2: feeds as Atom, with page streaming (OPDS-PSE 1.2), and the description of the search (OpenSearch 1.1).

Written as text: a feed of 80 entries has some 2,000 elements, and readers ask for one at every step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from xml.sax.saxutils import escape

from rest.opds.feeds import FIRST_PAGE, Entry, Feed, Stream, moment
from rest.opds.links import Links

KIND = "application/atom+xml;profile=opds-catalog;kind="
NAVIGATION = KIND + "navigation"
ACQUISITION = KIND + "acquisition"
SEARCH_DESCRIPTION = "application/opensearchdescription+xml"

_NAMESPACES = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:opds="http://opds-spec.org/2010/catalog" '
    'xmlns:pse="http://vaemendis.net/opds-pse/ns" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"'
)
_ACQUIRE = "http://opds-spec.org/acquisition/open-access"
_STREAM = "http://vaemendis.net/opds-pse/stream"
_IMAGE, _THUMBNAIL = "http://opds-spec.org/image", "http://opds-spec.org/image/thumbnail"
_IN_ATTRIBUTES = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def media_type_of(feed: Feed) -> str:
    """Of a feed: the navigation kind for one that leads to feeds."""
    return NAVIGATION if feed.is_navigation else ACQUISITION


def atom_feed(feed: Feed, links: Links) -> str:
    """The feed as an Atom document."""
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f"<feed {_NAMESPACES}>",
        _text("id", feed.urn),
        _text("title", feed.title),
        _text("updated", _time(feed.updated)),
        "<author><name>jmgraph</name></author>",
        *_feed_links(feed, links),
    ]
    if feed.query is not None and feed.total is not None:
        parts.append(f"<opensearch:totalResults>{feed.total}</opensearch:totalResults>")
    parts += [_entry(entry, links) for entry in feed.entries]
    return "".join([*parts, "</feed>\n"])


def search_description(links: Links) -> str:
    """How to search this catalogue.

    The number of the page is no variable: KOReader sends one that it does not know as it stands.
    """
    template = f"{links.feed('/search')}?q={{searchTerms}}"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">'
        "<ShortName>jmgraph</ShortName><Description>Search of albums</Description>"
        "<InputEncoding>UTF-8</InputEncoding><OutputEncoding>UTF-8</OutputEncoding>"
        f'<Url type="{ACQUISITION}" template={_quoted(template)}/>'
        "</OpenSearchDescription>\n"
    )


def _feed_links(feed: Feed, links: Links) -> Iterator[str]:
    own = media_type_of(feed)
    yield _link("self", links.page_of(feed, feed.page), own)
    yield _link("start", links.feed(), NAVIGATION)
    yield _link("up", links.feed(feed.up), NAVIGATION)
    yield _link("search", links.feed("/search.xml"), SEARCH_DESCRIPTION)
    if feed.page > FIRST_PAGE:
        yield _link("first", links.page_of(feed, FIRST_PAGE), own)
        yield _link("previous", links.page_of(feed, feed.page - 1), own)
    if feed.has_next:
        yield _link("next", links.page_of(feed, feed.page + 1), own)


def _entry(entry: Entry, links: Links) -> str:
    parts = [
        "<entry>",
        _text("id", entry.urn),
        _text("title", entry.title),
        _text("updated", _time(moment(entry.updated))),
        *(f"<author>{_text('name', author)}</author>" for author in entry.authors),
        *(f"<category term={_quoted(name)} label={_quoted(name)}/>" for name in entry.categories),
        _text("summary", entry.summary) if entry.summary else "",
        *_entry_links(entry, links),
        "</entry>",
    ]
    return "".join(parts)


def _entry_links(entry: Entry, links: Links) -> Iterator[str]:
    if entry.cover_id is not None:
        yield _link(_IMAGE, links.cover(entry.cover_id), "image/jpeg")
        yield _link(_THUMBNAIL, links.cover(entry.cover_id, is_thumbnail=True), "image/jpeg")
    for file in entry.files:
        yield _link(_ACQUIRE, links.file(file), file.media_type, f' length="{file.size_bytes}"')
    if entry.stream is not None:
        template = links.page(entry.stream.chapter_id, "{pageNumber}") + "?width={maxWidth}"
        yield _link(_STREAM, template, "image/jpeg", _stream_attributes(entry.stream))
    elif entry.path:
        yield _link("subsection", links.feed(entry.path), ACQUISITION)


def _stream_attributes(stream: Stream) -> str:
    attributes = f' pse:count="{stream.page_count}"'
    if stream.last_read is not None:
        attributes += f' pse:lastRead="{stream.last_read}"'
    if stream.last_read_at is not None:
        attributes += f' pse:lastReadDate="{_time(stream.last_read_at)}"'
    return attributes


def _link(rel: str, href: str, media_type: str, attributes: str = "") -> str:
    return f'<link rel="{rel}" href={_quoted(href)} type="{media_type}"{attributes}/>'


def _text(name: str, text: str) -> str:
    return f"<{name}>{escape(_NOT_IN_XML.sub('', text))}</{name}>"


def _quoted(text: str) -> str:
    """An attribute's value, always in double quotes: small parsers know no others."""
    return f'"{escape(_NOT_IN_XML.sub("", text), _IN_ATTRIBUTES)}"'


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
