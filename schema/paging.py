"""Cursor paging."""

from __future__ import annotations

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
