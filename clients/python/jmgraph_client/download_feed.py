from pydantic import Field

from .base_model import BaseModel
from .fragments import DownloadCard


class DownloadFeed(BaseModel):
    download_feed: "DownloadFeedDownloadFeed" = Field(alias="downloadFeed")


class DownloadFeedDownloadFeed(BaseModel):
    is_snapshot: bool = Field(alias="isSnapshot")
    downloads: list["DownloadFeedDownloadFeedDownloads"]
    removed: list[str]


DownloadFeedDownloadFeedDownloads = DownloadCard
DownloadFeed.model_rebuild()
DownloadFeedDownloadFeed.model_rebuild()
