"""Tags that a person does not want to see, on top of what the host withholds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.database.models import BlockedTagRow
from services.errors import InvalidInput

MAX_BLOCKED_TAGS = 200
LONGEST_TAG = 100


async def blocked_tags_of(session: AsyncSession, user_id: str) -> tuple[str, ...]:
    """The tags that a person does not want to see, sorted."""
    tags = await session.scalars(select(BlockedTagRow.tag).where(BlockedTagRow.user_id == user_id))
    return tuple(sorted(tags))


def parse_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """The tags as they are stored: blanks collapsed, sorted, each once. Raises `InvalidInput`."""
    parsed = tuple(sorted({" ".join(tag.split()) for tag in tags} - {""}))
    if len(parsed) > MAX_BLOCKED_TAGS:
        raise InvalidInput("tags", f"At most {MAX_BLOCKED_TAGS} tags, not {len(parsed)}.")
    if any(len(tag) > LONGEST_TAG or not tag.isprintable() for tag in parsed):
        raise InvalidInput("tags", f"A tag is text of at most {LONGEST_TAG} characters.")
    return parsed
