"""The root fields of the API as a table of contents: each is its resolver and the type that shows the result."""

from __future__ import annotations

import resolvers.albums
import resolvers.downloads
import resolvers.server
import resolvers.tags
from schema.album_parts import Chapter
from schema.albums import Album, AlbumPage, AlbumTag, Ranking, Tag
from schema.downloads import (
    Download,
    DownloadConnection,
    DownloadFeedBatch,
    DownloadResult,
    RemoveDownloadResult,
    StartDownloadInput,
    StartDownloadResult,
)
from schema.ehtag import (
    AddTagInput,
    AddTagResult,
    EhTagDatabase,
    RemoveTagInput,
    RemoveTagResult,
    TagConnection,
    TagFilter,
    UpdateTagInput,
    UpdateTagResult,
)
from schema.fields import entry, object_type
from schema.server import ServerInfo


@object_type
class Query:
    """What can be asked."""

    album = entry(resolvers.albums.album, Album | None)
    albums = entry(resolvers.albums.albums, list[Album | None])
    chapter = entry(resolvers.albums.chapter, Chapter | None)
    search = entry(resolvers.albums.search, AlbumPage)
    ranking = entry(resolvers.albums.ranking, Ranking)
    tag = entry(resolvers.tags.tag, Tag | None)
    tags = entry(resolvers.tags.tags, TagConnection, filter=TagFilter)
    translate_tags = entry(resolvers.tags.translate_tags, list[AlbumTag])
    ehtag = entry(resolvers.tags.ehtag, EhTagDatabase)
    download = entry(resolvers.downloads.download, Download | None)
    downloads = entry(resolvers.downloads.downloads, DownloadConnection)
    server = entry(resolvers.server.server, ServerInfo)


@object_type
class Mutation:
    """What can be changed.

    `WriteAccess` checks before a mutation runs that its caller may change state.
    """

    start_download = entry(resolvers.downloads.start_download, StartDownloadResult, input=StartDownloadInput)
    cancel_download = entry(resolvers.downloads.cancel_download, DownloadResult)
    retry_download = entry(resolvers.downloads.retry_download, DownloadResult)
    retry_failed_downloads = entry(resolvers.downloads.retry_failed_downloads, list[Download])
    remove_download = entry(resolvers.downloads.remove_download, RemoveDownloadResult)
    add_tag = entry(resolvers.tags.add_tag, AddTagResult, input=AddTagInput)
    update_tag = entry(resolvers.tags.update_tag, UpdateTagResult, input=UpdateTagInput)
    remove_tag = entry(resolvers.tags.remove_tag, RemoveTagResult, input=RemoveTagInput)


@object_type
class Subscription:
    """What can be watched."""

    download_status = entry(resolvers.downloads.download_status, Download)
    download_feed = entry(resolvers.downloads.download_feed, DownloadFeedBatch)
    ehtag_updated = entry(resolvers.tags.ehtag_updated, EhTagDatabase)
