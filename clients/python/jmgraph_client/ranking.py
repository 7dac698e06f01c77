from pydantic import Field

from .base_model import BaseModel
from .fragments import AlbumCard


class Ranking(BaseModel):
    ranking: "RankingRanking"


class RankingRanking(BaseModel):
    page: int
    page_count: int = Field(alias="pageCount")
    total: int
    has_next_page: bool = Field(alias="hasNextPage")
    entries: list["RankingRankingEntries"]


class RankingRankingEntries(BaseModel):
    rank: int
    album: "RankingRankingEntriesAlbum"


RankingRankingEntriesAlbum = AlbumCard
Ranking.model_rebuild()
RankingRanking.model_rebuild()
RankingRankingEntries.model_rebuild()
