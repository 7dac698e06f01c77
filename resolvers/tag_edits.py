"""Edits of the tag database: who asks, then one call to the service."""

from __future__ import annotations

from dataclasses import dataclass

from resolvers.context import Context
from services.ehtag import CellSources, Namespace, Place, TagRecord, checked_raw
from services.errors import TagNotFound


@dataclass(frozen=True, slots=True)
class Edited:
    """A record as somebody wrote it."""

    namespace: Namespace
    raw: str
    name: str
    intro: str
    links: str

    @property
    def cells(self) -> CellSources:
        """Its three cells."""
        return CellSources(self.name, self.intro, self.links)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, and the version without it."""

    id: str
    sha: str


async def add(context: Context, edited: Edited, *, before: str | None, after: str | None, if_match: str) -> TagRecord:
    """The record as it was added."""
    raw = checked_raw(edited.raw)
    place = Place(before and checked_raw(before, "before"), after and checked_raw(after, "after"))
    tags = context.services.tags
    await tags.check_version(if_match)
    user = await context.services.identity.verify(context.token)
    result = await tags.add(edited.namespace, raw, edited.cells, if_match=if_match, user=user, place=place)
    return _there(result.record, edited.namespace, raw)


async def update(context: Context, edited: Edited, *, if_match: str) -> TagRecord:
    """The record as it stands now."""
    raw = checked_raw(edited.raw)
    tags = context.services.tags
    await tags.check_version(if_match)
    user = await context.services.identity.verify(context.token)
    result = await tags.update(edited.namespace, raw, edited.cells, if_match=if_match, user=user)
    return _there(result.record or tags.snapshot.find(edited.namespace, raw), edited.namespace, raw)


async def remove(context: Context, namespace: Namespace, raw: str, *, if_match: str) -> Removed:
    """What was removed."""
    raw = checked_raw(raw)
    tags = context.services.tags
    await tags.check_version(if_match)
    user = await context.services.identity.verify(context.token)
    result = await tags.remove(namespace, raw, if_match=if_match, user=user)
    return Removed(f"{namespace}:{raw}", result.sha)


def _there(record: TagRecord | None, namespace: Namespace, raw: str) -> TagRecord:
    if record is None:
        raise TagNotFound(namespace, raw)
    return record
