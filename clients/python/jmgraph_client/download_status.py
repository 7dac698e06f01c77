from pydantic import Field

from .base_model import BaseModel
from .fragments import DownloadCard


class DownloadStatus(BaseModel):
    download_status: "DownloadStatusDownloadStatus" = Field(alias="downloadStatus")


DownloadStatusDownloadStatus = DownloadCard
DownloadStatus.model_rebuild()
