"""Downloads: life cycle, page pipeline, archives, storage."""

from services.downloads.downloads import Downloads, open_downloads
from services.downloads.image_executor import ImageExecutor
from services.downloads.kept import KeptFile, KeptFiles, KeptReader, LibraryLayout
from services.downloads.kept.scan import ScanResult
from services.downloads.names import file_stem, is_safe_stem
from services.downloads.pipeline import Pipeline
from services.downloads.ports import (
    AlbumSource,
    ArchiveStorage,
    Cancelled,
    DownloadJob,
    DownloadLimits,
    PackedArchive,
    PagePipeline,
    PagesMissing,
    PagesProgress,
    StagingFolders,
    Timings,
)
from services.downloads.queue import translate_queue_errors
from services.downloads.records import (
    ACTIVE_STATES,
    ArchiveFormat,
    DownloadFileRecord,
    DownloadPage,
    DownloadProblemRecord,
    DownloadProgressRecord,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
    EndedDownload,
    FeedBatch,
    ImageFormat,
    Ownership,
    QueueCounts,
)
from services.downloads.staging import Staging
from services.downloads.storage import LIBRARY, ArchiveStore, FileRange, StoredFile, open_archive_store
from services.downloads.worker import DownloadWorker

__all__ = [
    "ACTIVE_STATES",
    "LIBRARY",
    "AlbumSource",
    "ArchiveFormat",
    "ArchiveStorage",
    "ArchiveStore",
    "Cancelled",
    "DownloadFileRecord",
    "DownloadJob",
    "DownloadLimits",
    "DownloadPage",
    "DownloadProblemRecord",
    "DownloadProgressRecord",
    "DownloadRecord",
    "DownloadRequest",
    "DownloadState",
    "DownloadWorker",
    "Downloads",
    "EndedDownload",
    "FeedBatch",
    "FileRange",
    "ImageExecutor",
    "ImageFormat",
    "KeptFile",
    "KeptFiles",
    "KeptReader",
    "LibraryLayout",
    "Ownership",
    "PackedArchive",
    "PagePipeline",
    "PagesMissing",
    "PagesProgress",
    "Pipeline",
    "QueueCounts",
    "ScanResult",
    "Staging",
    "StagingFolders",
    "StoredFile",
    "Timings",
    "file_stem",
    "is_safe_stem",
    "open_archive_store",
    "open_downloads",
    "translate_queue_errors",
]
