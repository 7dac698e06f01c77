from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import DownloadCard


class Downloads(BaseModel):
    downloads: "DownloadsDownloads"


class DownloadsDownloads(BaseModel):
    nodes: list["DownloadsDownloadsNodes"]
    page_info: "DownloadsDownloadsPageInfo" = Field(alias="pageInfo")
    total_count: int = Field(alias="totalCount")


DownloadsDownloadsNodes = DownloadCard


class DownloadsDownloadsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


Downloads.model_rebuild()
DownloadsDownloads.model_rebuild()
