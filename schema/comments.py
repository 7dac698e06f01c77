"""Comments on an album."""

from __future__ import annotations

from typing import Self

import strawberry

from services import catalog


@strawberry.type(description="A comment on an album.")
class Comment:
    """View of a comment."""

    record: strawberry.Private[catalog.CommentRecord]

    @strawberry.field(description="The comment's number.")
    def id(self) -> strawberry.ID:
        """The comment's number."""
        return strawberry.ID(self.record.id)

    @strawberry.field(description="Name that the author shows.")
    def author(self) -> str:
        """The nickname, else the user name."""
        return self.record.nickname or self.record.username

    @strawberry.field(description="What it says, as plain text.")
    def text(self) -> str:
        """What it says."""
        return self.record.text

    @strawberry.field(description="True when it tells the story.")
    def is_spoiler(self) -> bool:
        """True when it tells the story."""
        return self.record.is_spoiler

    @strawberry.field(description="When, as the site words it.")
    def posted_at(self) -> str:
        """When, as the site words it."""
        return self.record.posted_at

    @strawberry.field(description="Likes; null when the site does not tell.")
    def likes(self) -> int | None:
        """Likes, None when the site does not tell."""
        return self.record.likes

    @strawberry.field(description="Answers to it.")
    def replies(self) -> list[Comment]:
        """Answers to it."""
        return [Comment(record=reply) for reply in self.record.replies]


@strawberry.type(description="A page of comments.")
class CommentPage:
    """View of a page of comments."""

    items: list[Comment] = strawberry.field(description="The comments of this page, newest first.")
    page: int = strawberry.field(description="1-based.")
    page_count: int = strawberry.field(description="Number of pages.")
    total: int = strawberry.field(description="Comments over all pages, answers not counted.")
    has_next_page: bool = strawberry.field(description="True when another page follows.")

    @classmethod
    def of(cls, record: catalog.CommentPageRecord) -> Self:
        """The view of this record."""
        return cls(
            items=[Comment(record=comment) for comment in record.items],
            page=record.page,
            page_count=record.page_count,
            total=record.total,
            has_next_page=record.page < record.page_count,
        )
