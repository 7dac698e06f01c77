"""Root fields that read: each is its resolver and the type it is shown as."""

from __future__ import annotations

import resolvers.albums
import resolvers.downloads
import resolvers.server
import resolvers.tags
from schema.album_parts import Chapter
from schema.albums import Album, AlbumPage, AlbumTag, Ranking, Tag
from schema.downloads import Download, DownloadConnection
from schema.ehtag import EhTagDatabase, TagConnection, TagFilter
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
