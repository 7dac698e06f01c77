"""The services of a process: the one place that builds them, for API, worker, commands and tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from operator import attrgetter

import structlog

from services.access import Access
from services.catalog import AlbumDetail, Catalog, Covers, EhTagIndex, Pages, open_catalog
from services.client_limits import ClientLimits, open_client_limits
from services.database import Database, open_database
from services.downloads import (
    ArchiveStore,
    DownloadLimits,
    Downloads,
    ImageExecutor,
    KeptFiles,
    KeptReader,
    LibraryLayout,
    Pipeline,
    Staging,
    open_archive_store,
    open_downloads,
)
from services.ehtag import EditorRules, GitHubIdentity, TagDatabase, TagKind, open_identity, open_tag_database
from services.library import Library, LibraryChecker
from services.notifications import Notifications, open_notifications
from services.observability import metrics, telemetry
from services.people import People, Reading, SiteAccounts, SiteSessions, StreamedReading, open_people
from services.persisted_queries import PersistedQueryStore
from services.push import AppriseClient, NotificationSender, Notifier, Outbox, PushNotifications, WebhookClient
from services.redis import Events, Locks, RedisClient, open_events, open_redis
from services.settings import Settings, make_data_dir
from services.upstream import UpstreamClient, open_upstream

log = structlog.get_logger("jmgraph.container")


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a process."""

    settings: Settings
    access: Access
    redis: RedisClient
    events: Events
    database: Database
    people: People
    site_accounts: SiteAccounts
    reading: Reading
    streamed: StreamedReading
    library: Library
    tags: TagDatabase
    identity: GitHubIdentity
    upstream: UpstreamClient
    catalog: Catalog
    covers: Covers
    pages: Pages
    archives: ArchiveStore
    kept: KeptFiles
    staging: Staging
    downloads: Downloads
    notifications: Notifications
    outbox: Outbox
    notification_sender: NotificationSender
    push_notifications: PushNotifications
    queries: PersistedQueryStore
    client_limits: ClientLimits


@asynccontextmanager
async def open_services(settings: Settings, *, join: bool = True) -> AsyncIterator[Services]:
    """All services, closed in reverse order when the block ends.

    `join`: without a Redis URL, join the Valkey that runs on this data directory; else start one where none runs.
    Raises `ConfigurationError` in one line for settings that can't work.
    """
    make_data_dir(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(telemetry())
        enter = stack.enter_async_context
        redis = await enter(open_redis(settings, join=join))
        events = await enter(open_events(redis))
        database = await enter(open_database(settings))
        people = await enter(open_people(settings, database, redis))
        tags = await enter(open_tag_database(settings, events))
        identity = await enter(open_identity(settings.github_api_url, _editor_rules(settings)))
        upstream = await enter(open_upstream(settings, redis))
        staging = Staging(settings.data_dir / "staging")
        tag_index = EhTagIndex(partial(attrgetter("state.translator"), tags))
        archives = open_archive_store(
            settings.storage_url.get_secret_value(),
            settings.storage_options,
            settings.data_dir / "archives",
            settings.library_folder,
        )
        await archives.sweep()
        kept = KeptFiles(database, archives, Locks(redis), LibraryLayout(settings.library_template))
        site = await enter(
            open_catalog(
                settings,
                redis,
                upstream,
                tag_index,
                staging.page_path,
                tags.seen_names,
                KeptReader(kept, archives),
            )
        )
        library = Library(database, site.catalog, events)
        reading = Reading(database, site.catalog)
        streamed = StreamedReading(reading, site.catalog)
        stack.push_async_callback(streamed.aclose)
        downloads = await enter(
            open_downloads(redis, events, site.catalog, archives, kept, staging, _download_limits(settings))
        )
        client_limits = await enter(
            open_client_limits(redis, requests=settings.client_rate, site_calls=settings.client_site_rate)
        )
        notifications = await enter(open_notifications(redis, events, downloads))
        outbox = Outbox(events, has_titles=settings.notify_titles)
        sender = NotificationSender(
            WebhookClient(allows_private=settings.notify_private),
            AppriseClient(allows_private=settings.notify_private),
        )
        await enter(_background_task(downloads.maintain))
        await enter(metrics.measured_process(lambda: downloads.subscriber_count))
        yield Services(
            settings=settings,
            access=_access(settings, people),
            redis=redis,
            events=events,
            database=database,
            people=people,
            site_accounts=SiteAccounts(
                SiteSessions(database, people.secrets, upstream.accounts, Locks(redis), outbox),
                site.catalog,
                library,
                people.accounts,
                people.tokens,
                people.logins,
                people.state,
                allows_login=_allows_site_login(settings),
            ),
            reading=reading,
            streamed=streamed,
            library=library,
            tags=tags,
            identity=identity,
            upstream=upstream,
            catalog=site.catalog,
            covers=site.covers,
            pages=site.pages,
            archives=archives,
            kept=kept,
            staging=staging,
            downloads=downloads,
            notifications=notifications,
            outbox=outbox,
            notification_sender=sender,
            push_notifications=PushNotifications(database, people.secrets, sender),
            queries=PersistedQueryStore(redis),
            client_limits=client_limits,
        )


@asynccontextmanager
async def open_pipeline(services: Services) -> AsyncIterator[Pipeline]:
    """The pipeline of a worker."""
    executor = ImageExecutor()
    try:
        yield Pipeline(
            services.upstream,
            ArchiveMetadataSource(services.tags, services.catalog),
            executor,
            disk_floor_bytes=services.settings.disk_floor_bytes,
        )
    finally:
        await asyncio.to_thread(executor.close)


def library_checker(services: Services) -> LibraryChecker:
    """The check of the library by a worker."""
    return LibraryChecker(
        services.database,
        services.catalog,
        services.downloads,
        services.events,
        Locks(services.redis),
        services.outbox,
        every_s=services.settings.library_check_every_s,
    )


def notifier(services: Services) -> Notifier:
    """What sends notifications, in a worker."""
    return Notifier(
        services.database,
        services.downloads,
        services.outbox,
        services.notification_sender,
        services.people.secrets,
        services.events,
        Locks(services.redis),
    )


class ArchiveMetadataSource:
    """Translated tags and the address of an album, for the metadata of an archive."""

    def __init__(self, tags: TagDatabase, catalog: Catalog) -> None:
        self._tags = tags
        self._catalog = catalog

    def tags_of(self, album: AlbumDetail) -> tuple[str, ...]:
        """The album's tags, translated where the database has them."""
        translated = self._tags.state.translator.translate_many(album.tags, TagKind.GENRE)
        return tuple(tag.record.name.text if tag.record else tag.name for tag in translated)

    def url_of(self, album_id: str) -> str:
        """The album's page on the site."""
        return self._catalog.album_url(album_id)


def _access(settings: Settings, people: People) -> Access:
    return Access(
        public_url=settings.public_url,
        allowed_origins=settings.cors_origins,
        api_keys=[key.get_secret_value() for key in settings.api_keys],
        guests=settings.guests,
        accounts=people.state,
        tokens=people.tokens,
    )


def _allows_site_login(settings: Settings) -> bool | None:
    """Whether an account of the site alone may sign in; None for while there are no accounts.

    Unless the host says so, it is no way around the keys that changes need.
    """
    return False if settings.site_login is None and settings.api_keys else settings.site_login


def _editor_rules(settings: Settings) -> EditorRules:
    return EditorRules(frozenset(settings.ehtag_editors), timedelta(days=settings.ehtag_min_account_age_days))


def _download_limits(settings: Settings) -> DownloadLimits:
    return DownloadLimits(
        data_dir=settings.data_dir,
        ttl_s=settings.download_ttl_s,
        history_s=settings.download_history_s,
        queue_limit=settings.download_queue_limit,
        disk_floor_bytes=settings.disk_floor_bytes,
        library_dir=settings.library_folder,
    )


@asynccontextmanager
async def _background_task(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run `work`, which does not end by itself, during the block."""
    task = asyncio.ensure_future(work())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
