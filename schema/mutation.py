"""Root fields that change something. Who may is checked before one runs: `schema.http.extensions.WriteAccess`."""

from __future__ import annotations

import resolvers.downloads
import resolvers.tags
from schema.downloads import Download, DownloadResult, RemoveDownloadResult, StartDownloadInput, StartDownloadResult
from schema.ehtag import AddTagInput, AddTagResult, RemoveTagInput, RemoveTagResult, UpdateTagInput, UpdateTagResult
from schema.fields import entry, object_type


@object_type
class Mutation:
    """What can be changed."""

    start_download = entry(resolvers.downloads.start_download, StartDownloadResult, input=StartDownloadInput)
    cancel_download = entry(resolvers.downloads.cancel_download, DownloadResult)
    retry_download = entry(resolvers.downloads.retry_download, DownloadResult)
    retry_failed_downloads = entry(resolvers.downloads.retry_failed_downloads, list[Download])
    remove_download = entry(resolvers.downloads.remove_download, RemoveDownloadResult)
    add_tag = entry(resolvers.tags.add_tag, AddTagResult, input=AddTagInput)
    update_tag = entry(resolvers.tags.update_tag, UpdateTagResult, input=UpdateTagInput)
    remove_tag = entry(resolvers.tags.remove_tag, RemoveTagResult, input=RemoveTagInput)
