"""Downloads: life cycle, page pipeline, archives, storage."""

from services.downloads.components import Limits
from services.downloads.downloads import Downloads, open_downloads
from services.downloads.image_executor import ImageExecutor
from services.downloads.names import file_stem, is_safe_stem
from services.downloads.pipeline import Pipeline
from services.downloads.ports import (
    Albums,
    Archives,
    Cancelled,
    Folders,
    Job,
    PackedArchive,
    PagePipeline,
    PagesMissing,
    PagesProgress,
)
from services.downloads.queue_errors import translate_queue_errors
from services.downloads.records import (
    ACTIVE_STATES,
    ArchiveFormat,
    Download,
    DownloadFile,
    DownloadPage,
    DownloadProblem,
    DownloadProgress,
    DownloadRequest,
    DownloadState,
    FeedBatch,
    ImageFormat,
    QueueCounts,
)
from services.downloads.staging import Staging
from services.downloads.storage import ArchiveStore, FileRange, StoredFile, open_archive_store
from services.downloads.timings import Timings
from services.downloads.worker import DownloadWorker

__all__ = [
    "ACTIVE_STATES",
    "Albums",
    "ArchiveFormat",
    "ArchiveStore",
    "Archives",
    "Cancelled",
    "Download",
    "DownloadFile",
    "DownloadPage",
    "DownloadProblem",
    "DownloadProgress",
    "DownloadRequest",
    "DownloadState",
    "DownloadWorker",
    "Downloads",
    "FeedBatch",
    "FileRange",
    "Folders",
    "ImageExecutor",
    "ImageFormat",
    "Job",
    "Limits",
    "PackedArchive",
    "PagePipeline",
    "PagesMissing",
    "PagesProgress",
    "Pipeline",
    "QueueCounts",
    "Staging",
    "StoredFile",
    "Timings",
    "file_stem",
    "is_safe_stem",
    "open_archive_store",
    "open_downloads",
    "translate_queue_errors",
]
