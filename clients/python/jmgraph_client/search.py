from .base_model import BaseModel
from .fragments import AlbumsOfPage


class Search(BaseModel):
    search: "SearchSearch"


SearchSearch = AlbumsOfPage
Search.model_rebuild()
