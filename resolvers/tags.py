"""Tags: translation, records of the EhTag database, and edits of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from resolvers.context import Context
from services.catalog import AlbumListPage, SearchField, SearchQuery
from services.cursors import check_first, decode_cursor, encode_cursor
from services.ehtag import (
    CellSources,
    DatabaseState,
    FoundTags,
    FrequentTag,
    MatchedText,
    Namespace,
    RowPosition,
    TagKind,
    TagRecord,
    Translation,
    checked_raw,
    other_scripts,
    parse_raw_tag,
)
from services.errors import InvalidInput, TagNotFound

MAX_NAMES = 500
"""Names of one `translateTags` field."""

MAX_WORKS = 20
"""Works of one `translateTags` field; an album has fewer."""

CURSOR_PREFIX = "tag:"
"""Prefix of a cursor of the list of records. After it comes the number of records before the next one, and, since
the order may change between two pages, the id of the last of them: "20:other:full color"."""

MAX_TEXT_LENGTH = 200
"""Characters of a text to write in another script: as many as can be searched for."""

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
    """A page of records with their cursors. `matched` gives, by place on the page, the text that a query matched."""

    records: Sequence[TagRecord]
    matched: Callable[[int], MatchedText | None]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    total: int


@dataclass(frozen=True, slots=True)
class TagRemoval:
    """The id of a removed record ("other:full color") and the sha of the version without it."""

    id: str
    head: str


def tag(context: Context, namespace: Namespace, raw: str) -> TagRecord | None:
    """One record of the EhTag database."""
    name = parse_raw_tag(raw)
    return context.services.tags.state.snapshot.find(namespace, name) if name else None


async def tags(
    context: Context,
    namespaces: list[Namespace] | None = None,
    query: str | None = None,
    first: int = 20,
    after: str | None = None,
) -> TagPage:
    """Browse or search EhTag records: by raw tags, translated names, the site's spellings, pinyin and its initials.

    Without a query in the release's order, else best match first.
    """
    check_first(first)
    found = await context.services.tags.search(query, namespaces)
    start = _start_after(after, found)
    records = found[start : start + first]
    return TagPage(
        records=records,
        matched=lambda place: found.matched(start + place),
        cursors=[
            encode_cursor(CURSOR_PREFIX, f"{position}:{record.id}")
            for position, record in enumerate(records, start + 1)
        ],
        has_next=start + len(records) < len(found),
        has_previous=start > 0,
        total=len(found),
    )


async def frequent_tags(context: Context, first: int = 10) -> Sequence[FrequentTag]:
    """The tags that this server has seen in most albums, the `first` of each namespace, the most frequent ones first.
    Empty on a server that has read no album yet.
    """
    check_first(first)
    chosen: Counter[Namespace] = Counter()
    tags = []
    for found in await context.services.tags.frequent():
        namespace = found.record.namespace
        if chosen[namespace] < first and not context.catalog.blocks_tag(found.record.id):
            chosen[namespace] += 1
            tags.append(found)
    return tags


def _start_after(cursor: str | None, found: FoundTags) -> int:
    """Where the page after a cursor starts: after its record, or at its position where that is found no more."""
    if cursor is None:
        return 0
    number, _, id = decode_cursor(CURSOR_PREFIX, cursor).partition(":")
    if not (number.isascii() and number.isdigit()):
        raise InvalidInput("after", "after must be a cursor of this list")
    position = int(number[:12])
    if not id or (0 < position <= len(found) and found[position - 1].id == id):
        return position
    moved = found.position_of(id)
    return position if moved is None else moved + 1


def translate_tags(
    context: Context, names: list[str], kind: TagKind = TagKind.GENRE, works: list[str] | None = None
) -> Sequence[Translation]:
    """Resolve free-text JM tags to EhTag records, in the order given. At most 500. Of characters of one name, those
    of `works` (at most 20, as the site spells them) come first.
    """
    if len(names) > MAX_NAMES:
        raise InvalidInput("names", f"At most {MAX_NAMES} names at once, not {len(names)}.")
    if works and len(works) > MAX_WORKS:
        raise InvalidInput("works", f"At most {MAX_WORKS} works at once, not {len(works)}.")
    return context.services.tags.state.translator.translate_many(names, kind, works or ())


def other_spellings(_context: Context, text: str) -> list[str]:
    """The text in Traditional and in Simplified Chinese, without what equals the text itself; empty for a text
    without Chinese characters. The site finds a word only in its own script. At most 200 characters.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidInput("text", f"At most {MAX_TEXT_LENGTH} characters, not {len(text)}.")
    return other_scripts(text)


def ehtag(context: Context) -> DatabaseState:
    """State of the EhTag database that answers are drawn from."""
    return context.services.tags.state


def ehtag_updated(context: Context) -> AsyncGenerator[DatabaseState, None]:
    """The EhTag database after each change of its head."""
    return context.services.tags.watch()


async def albums_of_name(context: Context, name: str, kind: TagKind, page: int) -> AlbumListPage:
    """A page of the albums that carry this tag of the site."""
    return await context.catalog.search(SearchQuery(text=name, page=page, field=_FIELD_OF_KIND[kind]))


def search_text(context: Context, record: TagRecord) -> str:
    """What finds the albums of this record on the site: its own spelling where it is known, else the name."""
    spellings = context.services.tags.state.translator.spellings(record)
    return spellings[0] if spellings else record.name.text


async def albums_of_record(context: Context, record: TagRecord, page: int) -> AlbumListPage:
    """A page of the albums that carry this record's tag, by the site's own spelling where it is known."""
    text = search_text(context, record)
    field = _FIELD_OF_NAMESPACE.get(record.namespace, SearchField.TAG)
    return await context.catalog.search(SearchQuery(text=text, page=page, field=field))


async def add_tag(
    context: Context,
    namespace: Namespace,
    raw: str,
    name: str,
    if_match: str,
    intro: str = "",
    links: str = "",
    before: str | None = None,
    after: str | None = None,
) -> TagRecord:
    """Adds a record to the EhTag database: one git commit. Needs a GitHub token in X-Token (or `token` in
    `connection_init`'s payload).
    """
    raw, cells = checked_raw(raw), CellSources(name, intro, links)
    position = RowPosition(before and checked_raw(before, "before"), after and checked_raw(after, "after"))
    database = context.services.tags
    await database.check_version(if_match)
    user = await context.services.identity.verify(context.github_token)
    result = await database.add(namespace, raw, cells, if_match=if_match, user=user, position=position)
    return _existing(result.record, namespace, raw)


async def update_tag(
    context: Context, namespace: Namespace, raw: str, name: str, if_match: str, intro: str = "", links: str = ""
) -> TagRecord:
    """Changes a record of the EhTag database: one git commit, or none where it says the same already. Needs a GitHub
    token as `addTag`.
    """
    raw, cells = checked_raw(raw), CellSources(name, intro, links)
    database = context.services.tags
    await database.check_version(if_match)
    user = await context.services.identity.verify(context.github_token)
    result = await database.update(namespace, raw, cells, if_match=if_match, user=user)
    return _existing(result.record or database.state.snapshot.find(namespace, raw), namespace, raw)


async def remove_tag(context: Context, namespace: Namespace, raw: str, if_match: str) -> TagRemoval:
    """Removes a record of the EhTag database: one git commit. Needs a GitHub token as `addTag`."""
    raw = checked_raw(raw)
    database = context.services.tags
    await database.check_version(if_match)
    user = await context.services.identity.verify(context.github_token)
    result = await database.remove(namespace, raw, if_match=if_match, user=user)
    return TagRemoval(f"{namespace}:{raw}", result.sha)


def _existing(record: TagRecord | None, namespace: Namespace, raw: str) -> TagRecord:
    if record is None:
        raise TagNotFound(namespace, raw)
    return record
