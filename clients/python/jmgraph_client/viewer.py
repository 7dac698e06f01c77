from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import Progress


class Viewer(BaseModel):
    viewer: Optional["ViewerViewer"]


class ViewerViewer(BaseModel):
    user: "ViewerViewerUser"
    continue_reading: list["ViewerViewerContinueReading"] = Field(
        alias="continueReading"
    )


class ViewerViewerUser(BaseModel):
    id: str
    name: str
    is_admin: bool = Field(alias="isAdmin")


ViewerViewerContinueReading = Progress
Viewer.model_rebuild()
ViewerViewer.model_rebuild()
