from collections.abc import AsyncIterator
from typing import Any, Optional, Union

from .add_to_library import AddToLibrary
from .album_details import AlbumDetails
from .base_client import BaseClient
from .base_model import UNSET, UnsetType
from .cancel_download import CancelDownload
from .chapter_pages import ChapterPages
from .download_feed import DownloadFeed
from .download_status import DownloadStatus
from .downloads import Downloads
from .enums import DownloadState, Period
from .input_types import (
    LibraryFilter,
    LoginInput,
    SetReadingProgressInput,
    StartDownloadInput,
)
from .library import Library
from .login import Login
from .ranking import Ranking
from .retry_download import RetryDownload
from .search import Search
from .set_reading_progress import SetReadingProgress
from .start_download import StartDownload
from .viewer import Viewer


def gql(q: str) -> str:
    return q


class JmgraphClient(BaseClient):
    async def ranking(
        self,
        period: Union[Optional[Period], UnsetType] = UNSET,
        page: Union[Optional[int], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Ranking:
        query = gql("""
            query Ranking($period: Period = WEEK, $page: Int = 1) {
              ranking(period: $period, page: $page) {
                page
                pageCount
                total
                hasNextPage
                entries {
                  rank
                  album {
                    ...AlbumCard
                  }
                }
              }
            }

            fragment AlbumCard on Album {
              id
              title
              cover {
                url(size: THUMBNAIL)
                placeholder
              }
            }
            """)
        variables: dict[str, object] = {"period": period, "page": page}
        response = await self.execute(
            query=query, operation_name="Ranking", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Ranking.model_validate(data)

    async def search(
        self, query: str, page: Union[Optional[int], UnsetType] = UNSET, **kwargs: Any
    ) -> Search:
        _query = gql("""
            query Search($query: String!, $page: Int = 1) {
              search(query: $query, page: $page) {
                ...AlbumsOfPage
              }
            }

            fragment AlbumCard on Album {
              id
              title
              cover {
                url(size: THUMBNAIL)
                placeholder
              }
            }

            fragment AlbumsOfPage on AlbumPage {
              page
              pageCount
              total
              hasNextPage
              items {
                ...AlbumCard
              }
            }
            """)
        variables: dict[str, object] = {"query": query, "page": page}
        response = await self.execute(
            query=_query, operation_name="Search", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Search.model_validate(data)

    async def album_details(self, id: str, **kwargs: Any) -> AlbumDetails:
        query = gql("""
            query AlbumDetails($id: String!) {
              album(id: $id) {
                ...AlbumCard
                description
                pageCount
                publishedOn
                authors {
                  ...TranslatedTag
                }
                tags {
                  ...TranslatedTag
                }
                chapters {
                  id
                  index
                  title
                }
              }
            }

            fragment AlbumCard on Album {
              id
              title
              cover {
                url(size: THUMBNAIL)
                placeholder
              }
            }

            fragment TranslatedTag on AlbumTag {
              name
              translation {
                id
                name
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="AlbumDetails", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return AlbumDetails.model_validate(data)

    async def chapter_pages(self, id: str, **kwargs: Any) -> ChapterPages:
        query = gql("""
            query ChapterPages($id: ID!) {
              chapter(id: $id) {
                id
                title
                pages {
                  index
                  url
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="ChapterPages", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ChapterPages.model_validate(data)

    async def start_download(
        self, input: StartDownloadInput, **kwargs: Any
    ) -> StartDownload:
        query = gql("""
            mutation StartDownload($input: StartDownloadInput!) {
              startDownload(input: $input) {
                __typename
                ...DownloadCard
                ...ErrorDetails
                ... on AlbumNotFound {
                  albumId
                }
                ... on InvalidInput {
                  field
                }
                ... on BlockedByPolicy {
                  tags
                }
                ... on UpstreamFailure {
                  reason
                }
              }
            }

            fragment DownloadCard on Download {
              id
              revision
              albumId
              title
              state
              progress {
                pagesDone
                pagesTotal
                percent
                etaSeconds
              }
              problem {
                code
                message
                retryable
                missingPages
              }
              file {
                name
                size
                sha256
                url
              }
            }

            fragment ErrorDetails on Error {
              code
              message
              retryable
              retryAfter
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="StartDownload", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return StartDownload.model_validate(data)

    async def cancel_download(self, id: str, **kwargs: Any) -> CancelDownload:
        query = gql("""
            mutation CancelDownload($id: ID!) {
              cancelDownload(id: $id) {
                __typename
                ...DownloadCard
                ...ErrorDetails
              }
            }

            fragment DownloadCard on Download {
              id
              revision
              albumId
              title
              state
              progress {
                pagesDone
                pagesTotal
                percent
                etaSeconds
              }
              problem {
                code
                message
                retryable
                missingPages
              }
              file {
                name
                size
                sha256
                url
              }
            }

            fragment ErrorDetails on Error {
              code
              message
              retryable
              retryAfter
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="CancelDownload", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CancelDownload.model_validate(data)

    async def retry_download(self, id: str, **kwargs: Any) -> RetryDownload:
        query = gql("""
            mutation RetryDownload($id: ID!) {
              retryDownload(id: $id) {
                __typename
                ...DownloadCard
                ...ErrorDetails
              }
            }

            fragment DownloadCard on Download {
              id
              revision
              albumId
              title
              state
              progress {
                pagesDone
                pagesTotal
                percent
                etaSeconds
              }
              problem {
                code
                message
                retryable
                missingPages
              }
              file {
                name
                size
                sha256
                url
              }
            }

            fragment ErrorDetails on Error {
              code
              message
              retryable
              retryAfter
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="RetryDownload", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return RetryDownload.model_validate(data)

    async def downloads(
        self,
        states: Union[Optional[list[DownloadState]], UnsetType] = UNSET,
        first: Union[Optional[int], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Downloads:
        query = gql("""
            query Downloads($states: [DownloadState!], $first: Int = 20, $after: String) {
              downloads(states: $states, first: $first, after: $after) {
                nodes {
                  ...DownloadCard
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
                totalCount
              }
            }

            fragment DownloadCard on Download {
              id
              revision
              albumId
              title
              state
              progress {
                pagesDone
                pagesTotal
                percent
                etaSeconds
              }
              problem {
                code
                message
                retryable
                missingPages
              }
              file {
                name
                size
                sha256
                url
              }
            }
            """)
        variables: dict[str, object] = {
            "states": states,
            "first": first,
            "after": after,
        }
        response = await self.execute(
            query=query, operation_name="Downloads", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Downloads.model_validate(data)

    async def download_status(
        self, id: str, **kwargs: Any
    ) -> AsyncIterator[DownloadStatus]:
        query = gql("""
            subscription DownloadStatus($id: ID!) {
              downloadStatus(id: $id) {
                ...DownloadCard
              }
            }

            fragment DownloadCard on Download {
              id
              revision
              albumId
              title
              state
              progress {
                pagesDone
                pagesTotal
                percent
                etaSeconds
              }
              problem {
                code
                message
                retryable
                missingPages
              }
              file {
                name
                size
                sha256
                url
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        async for data in self.execute_ws(
            query=query, operation_name="DownloadStatus", variables=variables, **kwargs
        ):
            yield DownloadStatus.model_validate(data)

    async def download_feed(self, **kwargs: Any) -> AsyncIterator[DownloadFeed]:
        query = gql("""
            subscription DownloadFeed {
              downloadFeed {
                isSnapshot
                downloads {
                  ...DownloadCard
                }
                removed
              }
            }

            fragment DownloadCard on Download {
              id
              revision
              albumId
              title
              state
              progress {
                pagesDone
                pagesTotal
                percent
                etaSeconds
              }
              problem {
                code
                message
                retryable
                missingPages
              }
              file {
                name
                size
                sha256
                url
              }
            }
            """)
        variables: dict[str, object] = {}
        async for data in self.execute_ws(
            query=query, operation_name="DownloadFeed", variables=variables, **kwargs
        ):
            yield DownloadFeed.model_validate(data)

    async def viewer(self, **kwargs: Any) -> Viewer:
        query = gql("""
            query Viewer {
              viewer {
                user {
                  id
                  name
                  isAdmin
                }
                continueReading {
                  ...Progress
                }
              }
            }

            fragment AlbumCard on Album {
              id
              title
              cover {
                url(size: THUMBNAIL)
                placeholder
              }
            }

            fragment Progress on ReadingProgress {
              album {
                ...AlbumCard
              }
              chapter {
                id
                title
              }
              page
              pageCount
              isFinished
              readAt
            }
            """)
        variables: dict[str, object] = {}
        response = await self.execute(
            query=query, operation_name="Viewer", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Viewer.model_validate(data)

    async def login(self, input: LoginInput, **kwargs: Any) -> Login:
        query = gql("""
            mutation Login($input: LoginInput!) {
              login(input: $input) {
                __typename
                ... on Session {
                  token
                  expiresAt
                  user {
                    id
                    name
                  }
                }
                ...ErrorDetails
              }
            }

            fragment ErrorDetails on Error {
              code
              message
              retryable
              retryAfter
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="Login", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Login.model_validate(data)

    async def library(
        self,
        filter_: Union[Optional[LibraryFilter], UnsetType] = UNSET,
        first: Union[Optional[int], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Library:
        query = gql("""
            query Library($filter: LibraryFilter, $first: Int = 20, $after: String) {
              viewer {
                library(filter: $filter, first: $first, after: $after) {
                  nodes {
                    album {
                      ...AlbumCard
                    }
                    unreadCount
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                  totalCount
                }
              }
            }

            fragment AlbumCard on Album {
              id
              title
              cover {
                url(size: THUMBNAIL)
                placeholder
              }
            }
            """)
        variables: dict[str, object] = {
            "filter": filter_,
            "first": first,
            "after": after,
        }
        response = await self.execute(
            query=query, operation_name="Library", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Library.model_validate(data)

    async def set_reading_progress(
        self, input: SetReadingProgressInput, **kwargs: Any
    ) -> SetReadingProgress:
        query = gql("""
            mutation SetReadingProgress($input: SetReadingProgressInput!) {
              setReadingProgress(input: $input) {
                __typename
                ... on ReadingProgress {
                  ...Progress
                }
                ...ErrorDetails
              }
            }

            fragment AlbumCard on Album {
              id
              title
              cover {
                url(size: THUMBNAIL)
                placeholder
              }
            }

            fragment ErrorDetails on Error {
              code
              message
              retryable
              retryAfter
            }

            fragment Progress on ReadingProgress {
              album {
                ...AlbumCard
              }
              chapter {
                id
                title
              }
              page
              pageCount
              isFinished
              readAt
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query,
            operation_name="SetReadingProgress",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return SetReadingProgress.model_validate(data)

    async def add_to_library(self, album_id: str, **kwargs: Any) -> AddToLibrary:
        query = gql("""
            mutation AddToLibrary($albumId: ID!) {
              addToLibrary(input: {albumId: $albumId}) {
                __typename
                ... on LibraryEntry {
                  addedAt
                }
                ...ErrorDetails
              }
            }

            fragment ErrorDetails on Error {
              code
              message
              retryable
              retryAfter
            }
            """)
        variables: dict[str, object] = {"albumId": album_id}
        response = await self.execute(
            query=query, operation_name="AddToLibrary", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return AddToLibrary.model_validate(data)
