"""Edits of the tag database: what is asked and what comes of it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.enums import Namespace
from schema.errors import AccessDenied, InvalidInput, StaleVersion, TagConflict, TagNotFound, UpstreamFailure
from schema.tags import Tag


@strawberry.input(description="A new record of the EhTag database. Cells are Markdown.")
class AddTagInput:
    """A new record."""

    namespace: Namespace = strawberry.field(description="Namespace to add it to.")
    raw: str = strawberry.field(description="The English tag; trimmed, lower case.")
    name: str = strawberry.field(description="Translated name.")
    intro: str = strawberry.field(default="", description="Introduction.")
    links: str = strawberry.field(default="", description="Links to elsewhere.")
    before: str | None = strawberry.field(
        default=strawberry.UNSET, description="Raw tag of the row to stand before; at the end with neither."
    )
    after: str | None = strawberry.field(
        default=strawberry.UNSET, description="Raw tag of the row to stand behind; at the end with neither."
    )
    if_match: str = strawberry.field(description="Sha of the version you edit (`ehtag.head.sha`); `*` for any.")


@strawberry.input(description="New cells of a record of the EhTag database. Cells are Markdown.")
class UpdateTagInput:
    """New cells of a record."""

    namespace: Namespace = strawberry.field(description="Its namespace.")
    raw: str = strawberry.field(description="The English tag.")
    name: str = strawberry.field(description="Translated name.")
    intro: str = strawberry.field(default="", description="Introduction.")
    links: str = strawberry.field(default="", description="Links to elsewhere.")
    if_match: str = strawberry.field(description="Sha of the version you edit (`ehtag.head.sha`); `*` for any.")


@strawberry.input(description="A record of the EhTag database to remove.")
class RemoveTagInput:
    """A record to remove."""

    namespace: Namespace = strawberry.field(description="Its namespace.")
    raw: str = strawberry.field(description="The English tag.")
    if_match: str = strawberry.field(description="Sha of the version you edit (`ehtag.head.sha`); `*` for any.")


@strawberry.type(description="A record that is no more.")
class RemovedTag:
    """A record that is no more."""

    id: strawberry.ID = strawberry.field(description="It was namespace:raw.")
    head: str = strawberry.field(description="Sha of the version without it.")


AddTagResult = Annotated[
    Tag | TagNotFound | TagConflict | InvalidInput | StaleVersion | AccessDenied | UpstreamFailure,
    strawberry.union("AddTagResult", description="The record as it stands now, or why nothing was added."),
]
UpdateTagResult = Annotated[
    Tag | TagNotFound | TagConflict | InvalidInput | StaleVersion | AccessDenied | UpstreamFailure,
    strawberry.union("UpdateTagResult", description="The record as it stands now, or why nothing was changed."),
]
RemoveTagResult = Annotated[
    RemovedTag | TagNotFound | TagConflict | InvalidInput | StaleVersion | AccessDenied | UpstreamFailure,
    strawberry.union("RemoveTagResult", description="What was removed, or why nothing was."),
]
