"""Root fields that can be watched."""

from __future__ import annotations

import resolvers.downloads
import resolvers.tags
from schema.downloads import Download, DownloadFeedBatch
from schema.ehtag import EhTagDatabase
from schema.fields import entry, object_type


@object_type
class Subscription:
    """What can be watched."""

    download_status = entry(resolvers.downloads.download_status, Download)
    download_feed = entry(resolvers.downloads.download_feed, DownloadFeedBatch)
    ehtag_updated = entry(resolvers.tags.ehtag_updated, EhTagDatabase)
