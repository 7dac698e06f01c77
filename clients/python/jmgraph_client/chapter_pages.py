from typing import Optional

from .base_model import BaseModel


class ChapterPages(BaseModel):
    chapter: Optional["ChapterPagesChapter"]


class ChapterPagesChapter(BaseModel):
    id: str
    title: str
    pages: Optional[list["ChapterPagesChapterPages"]]


class ChapterPagesChapterPages(BaseModel):
    index: int
    url: str


ChapterPages.model_rebuild()
ChapterPagesChapter.model_rebuild()
