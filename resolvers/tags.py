"""Tags: the translator, the records, and edits of the database."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass

from resolvers.context import Context
from services.catalog import AlbumListPage, SearchField, SearchQuery
from services.ehtag import Cell, DatabaseState, Namespace, TagKind, TagRecord, Translation, parse_raw_tag
from services.errors import InvalidInput

MOST_NAMES = 500
"""Most names of one `translateTags` call."""

MOST_RECORDS = 100
"""Most records of one page."""

_FIELD_OF_KIND = {
    TagKind.GENRE: SearchField.TAG,
    TagKind.WORK: SearchField.WORK,
    TagKind.CHARACTER: SearchField.CHARACTER,
    TagKind.AUTHOR: SearchField.AUTHOR,
}

_FIELD_OF_NAMESPACE = {
    Namespace.PARODY: SearchField.WORK,
    Namespace.CHARACTER: SearchField.CHARACTER,
    Namespace.ARTIST: SearchField.AUTHOR,
    Namespace.GROUP: SearchField.AUTHOR,
}


@dataclass(frozen=True, slots=True)
class TagPage:
    """A page of records with their cursors."""

    records: Sequence[TagRecord]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    total: int


def cell(value: Cell, form: str) -> str:
    """One form of a cell: RAW, TEXT or HTML."""
    if form == "TEXT":
        return value.text
    return value.raw if form == "RAW" else value.html


def find(context: Context, namespace: Namespace, raw: str) -> TagRecord | None:
    """One record, None when there is none."""
    tag = parse_raw_tag(raw)
    return context.services.tags.snapshot.find(namespace, tag) if tag else None


def page(
    context: Context, namespaces: Collection[Namespace] | None, query: str | None, first: int, after: str | None
) -> TagPage:
    """A page of records: all in the release's order, or what matches, best first."""
    if not 1 <= first <= MOST_RECORDS:
        raise InvalidInput("first", f"first must be between 1 and {MOST_RECORDS}.")
    found = context.services.tags.search.find(query, namespaces)
    start = _position(after)
    records = found[start : start + first]
    return TagPage(
        records=records,
        cursors=[_cursor(position) for position in range(start + 1, start + len(records) + 1)],
        has_next=start + len(records) < len(found),
        has_previous=start > 0,
        total=len(found),
    )


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"tag:{position}".encode()).decode()


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
    except (ValueError, binascii.Error):
        word, number = "", ""
    if word != "tag" or not (number.isascii() and number.isdigit()):
        raise InvalidInput("after", "after is no cursor of this list.")
    return int(number[:12])


def translate_many(context: Context, names: Sequence[str], kind: TagKind) -> Sequence[Translation]:
    """Tags of the site joined to their records, or to none."""
    return context.services.tags.translator.translate_many(names, kind)


def translate_asked(context: Context, names: Sequence[str], kind: TagKind) -> Sequence[Translation]:
    """As `translate_many`, for names that somebody sent; raises `InvalidInput` for too many."""
    if len(names) > MOST_NAMES:
        raise InvalidInput("names", f"At most {MOST_NAMES} names at once, not {len(names)}.")
    return translate_many(context, names, kind)


async def albums_of_name(context: Context, name: str, kind: TagKind, page: int) -> AlbumListPage:
    """Albums on the site with this tag of the site."""
    return await context.services.catalog.search(SearchQuery(text=name, page=page, field=_FIELD_OF_KIND[kind]))


async def albums_of_record(context: Context, record: TagRecord, page: int) -> AlbumListPage:
    """Albums on the site with this record's tag, by the site's own spelling where it is known."""
    spellings = context.services.tags.translator.spellings(record)
    text = spellings[0] if spellings else record.name.text
    field = _FIELD_OF_NAMESPACE.get(record.namespace, SearchField.TAG)
    return await context.services.catalog.search(SearchQuery(text=text, page=page, field=field))


def database(context: Context) -> DatabaseState:
    """The tag database as it stands."""
    return context.services.tags.state


def watch(context: Context) -> AsyncGenerator[DatabaseState, None]:
    """The tag database after each change of its head."""
    return context.services.tags.watch()
