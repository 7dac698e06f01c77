"""Opening the tag database by the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from services.ehtag.database import TagDatabase, guarded
from services.ehtag.remote import RemoteSettings
from services.ehtag.repository import Author, Repository
from services.ehtag.search import TagSearch
from services.ehtag.snapshot import TagSnapshot
from services.ehtag.starter import write_starter
from services.ehtag.state import StateReader
from services.ehtag.sync_status import SyncStatus
from services.ehtag.translator import Translator
from services.settings import OFFICIAL_EHTAG_REMOTE, Settings

if TYPE_CHECKING:
    from services.redis import Events

_STARTER_FOLDER = "ehtag-starter"
_SYNC_LOG = "ehtag-sync.json"


@asynccontextmanager
async def open_tag_database(
    settings: Settings,
    events: Events | None = None,
    *,
    translator_of: Callable[[TagSnapshot], Translator] = Translator,
    search_of: Callable[[TagSnapshot], TagSearch] = TagSearch,
) -> AsyncIterator[TagDatabase]:
    """The tag database of these settings, followed until the block ends.

    Without a repository, or with one that can't be read, it is the starter glossary. `events` tell the other
    processes of edits at once; without them they notice by themselves.
    """
    repository = _repository(settings)
    sync_log = SyncStatus(settings.data_dir / _SYNC_LOG)
    reader = StateReader(repository, lambda: _starter(settings), sync_log, translator_of, search_of)
    state = await asyncio.to_thread(guarded, reader.read, None)
    tags = TagDatabase(repository, reader, sync_log, state, events)
    follower = asyncio.create_task(tags.follow(), name="tag database follower")
    try:
        yield tags
    finally:
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower


def _repository(settings: Settings) -> Repository:
    remote = settings.ehtag_remote
    chosen = "" if remote == OFFICIAL_EHTAG_REMOTE else remote
    return Repository(
        settings.ehtag_folder,
        Author.parse(settings.ehtag_committer),
        RemoteSettings(chosen, OFFICIAL_EHTAG_REMOTE, settings.ehtag_token.get_secret_value()),
        pushes=settings.ehtag_push,
    )


def _starter(settings: Settings) -> Repository:
    folder = settings.data_dir / _STARTER_FOLDER
    write_starter(folder)
    return Repository(folder, Author.parse(settings.ehtag_committer), RemoteSettings("", ""))
