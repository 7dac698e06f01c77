"""Cursor paging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import strawberry


@strawberry.type(description="Where a page of a connection stands.")
class PageInfo:
    """Where a page of a connection stands."""

    has_next_page: bool = strawberry.field(description="True when more follow.")
    has_previous_page: bool = strawberry.field(description="True when some come before.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item, for the next page's `after`; null on an empty page."
    )

    @classmethod
    def of(cls, cursors: Sequence[str], *, has_next: bool, has_previous: bool) -> Self:
        """The place of a page with these cursors."""
        return cls(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )
