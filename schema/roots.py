"""The root fields of the API as a table of contents: each is its resolver and the type that shows the result."""

from __future__ import annotations

import resolvers.albums
import resolvers.downloads
import resolvers.library
import resolvers.people
import resolvers.reading
import resolvers.server
import resolvers.site_account
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
    FrequentTagView,
    RemoveTagInput,
    RemoveTagResult,
    TagConnection,
    TagFilter,
    UpdateTagInput,
    UpdateTagResult,
)
from schema.fields import object_type, root_field
from schema.library import AddToLibraryInput, AddToLibraryResult, LibraryEntry
from schema.people import (
    ChangePasswordInput,
    ChangePasswordResult,
    CreateAccessTokenInput,
    CreateAccessTokenResult,
    CreateUserInput,
    CreateUserResult,
    LoginInput,
    LoginResult,
    NotificationTestView,
    RemoveUserResult,
    RevokeAccessTokenResult,
    SetBlockedTagsResult,
    SetNotificationsInput,
    SetNotificationsResult,
    ViewerView,
)
from schema.reading import SetChaptersReadResult, SetReadingProgressInput, SetReadingProgressResult
from schema.server import ServerInfo
from schema.site_account import (
    CheckInOnSiteResult,
    ConnectSiteAccountResult,
    ImportSiteFavoritesResult,
    SetSiteFavoriteResult,
    SiteLoginInput,
)
from services.access import Right


@object_type
class Query:
    """What can be asked."""

    album = root_field(resolvers.albums.album, Album | None)
    albums = root_field(resolvers.albums.albums, list[Album | None])
    chapter = root_field(resolvers.albums.chapter, Chapter | None)
    search = root_field(resolvers.albums.search, AlbumPage)
    ranking = root_field(resolvers.albums.ranking, Ranking)
    tag = root_field(resolvers.tags.tag, Tag | None)
    tags = root_field(resolvers.tags.tags, TagConnection, filter=TagFilter)
    frequent_tags = root_field(resolvers.tags.frequent_tags, list[FrequentTagView])
    translate_tags = root_field(resolvers.tags.translate_tags, list[AlbumTag])
    other_spellings = root_field(resolvers.tags.other_spellings, list[str])
    ehtag = root_field(resolvers.tags.ehtag, EhTagDatabase)
    download = root_field(resolvers.downloads.download, Download | None, right=Right.DOWNLOADS)
    downloads = root_field(resolvers.downloads.downloads, DownloadConnection, right=Right.DOWNLOADS)
    server = root_field(resolvers.server.server, ServerInfo)
    viewer = root_field(resolvers.people.viewer, ViewerView | None, right=Right.IDENTITY)


@object_type
class Mutation:
    """What can be changed."""

    start_download = root_field(resolvers.downloads.start_download, StartDownloadResult, input=StartDownloadInput)
    start_downloads = root_field(
        resolvers.downloads.start_downloads, list[StartDownloadResult], inputs=list[StartDownloadInput]
    )
    keep_download = root_field(resolvers.downloads.keep_download, DownloadResult)
    cancel_download = root_field(resolvers.downloads.cancel_download, DownloadResult)
    retry_download = root_field(resolvers.downloads.retry_download, DownloadResult)
    retry_failed_downloads = root_field(resolvers.downloads.retry_failed_downloads, list[Download])
    remove_download = root_field(resolvers.downloads.remove_download, RemoveDownloadResult)
    add_tag = root_field(resolvers.tags.add_tag, AddTagResult, input=AddTagInput)
    update_tag = root_field(resolvers.tags.update_tag, UpdateTagResult, input=UpdateTagInput)
    remove_tag = root_field(resolvers.tags.remove_tag, RemoveTagResult, input=RemoveTagInput)
    login = root_field(resolvers.people.login, LoginResult, right=Right.PUBLIC, input=LoginInput)
    logout = root_field(resolvers.people.logout, bool, right=Right.PUBLIC)
    create_user = root_field(resolvers.people.create_user, CreateUserResult, input=CreateUserInput)
    change_password = root_field(resolvers.people.change_password, ChangePasswordResult, input=ChangePasswordInput)
    remove_user = root_field(resolvers.people.remove_user, RemoveUserResult)
    create_access_token = root_field(
        resolvers.people.create_access_token, CreateAccessTokenResult, input=CreateAccessTokenInput
    )
    revoke_access_token = root_field(resolvers.people.revoke_access_token, RevokeAccessTokenResult)
    set_blocked_tags = root_field(resolvers.people.set_blocked_tags, SetBlockedTagsResult)
    set_notifications = root_field(
        resolvers.people.set_notifications, SetNotificationsResult, input=SetNotificationsInput
    )
    test_notifications = root_field(resolvers.people.test_notifications, list[NotificationTestView])
    login_with_site = root_field(
        resolvers.site_account.login_with_site, LoginResult, right=Right.PUBLIC, input=SiteLoginInput
    )
    connect_site_account = root_field(
        resolvers.site_account.connect_site_account, ConnectSiteAccountResult, input=SiteLoginInput
    )
    disconnect_site_account = root_field(resolvers.site_account.disconnect_site_account, bool)
    set_site_favorite = root_field(resolvers.site_account.set_site_favorite, SetSiteFavoriteResult)
    import_site_favorites = root_field(resolvers.site_account.import_site_favorites, ImportSiteFavoritesResult)
    check_in_on_site = root_field(resolvers.site_account.check_in_on_site, CheckInOnSiteResult)
    set_reading_progress = root_field(
        resolvers.reading.set_reading_progress, SetReadingProgressResult, input=SetReadingProgressInput
    )
    set_chapters_read = root_field(resolvers.reading.set_chapters_read, SetChaptersReadResult)
    delete_history = root_field(resolvers.reading.delete_history, int)
    add_to_library = root_field(resolvers.library.add_to_library, AddToLibraryResult, input=AddToLibraryInput)
    remove_from_library = root_field(resolvers.library.remove_from_library, bool)
    check_library = root_field(resolvers.library.check_library, int)


@object_type
class Subscription:
    """What can be watched."""

    download_status = root_field(resolvers.downloads.download_status, Download, right=Right.DOWNLOADS)
    download_feed = root_field(resolvers.downloads.download_feed, DownloadFeedBatch, right=Right.DOWNLOADS)
    ehtag_updated = root_field(resolvers.tags.ehtag_updated, EhTagDatabase)
    library_updated = root_field(resolvers.library.library_updated, LibraryEntry)
