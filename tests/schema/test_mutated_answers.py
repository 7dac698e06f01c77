"""The whole server on a site whose answers are mutated: errors are the site's, and archives say what they lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.downloads import DownloadRequest, DownloadState
from services.errors import ErrorCode, UpstreamFailure
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client, running_worker
from tests.upstream.mutated_site import MutateData, MutatedSite
from tests.upstream.mutation_checks import mutate_api
from tests.upstream.mutations import as_json, mutated_data

pytestmark = pytest.mark.anyio

READS = {
    "/album?": """query ($id: String!) { album(id: $id) { id title description authors { name } pageCount viewCount
      publishedOn tags { name translation { name } } chapters { id index title } related { id title } } }""",
    "/chapter?": "query ($id: ID!) { chapter(id: $id) { id title pages { url } } }",
    "/forum?": """query ($id: String!) { album(id: $id) { id comments(page: 1) { total items { text
      replies { text replies { text } } } } } }""",
    "/search?": "query ($text: String!) { search(query: $text) { total items { id title } } }",
    "/categories/filter?": """query ($page: Int!) { ranking(page: $page) { total hasNextPage entries { rank
      album { id title } } } }""",
}
"""What is read of each kind of answer: one thing alone, since GraphQL drops the others when one fails."""

FIRST_ID = 2_000_000
"""Of ten thousand plain albums: each is read once, so that no cache answers."""

SERIES = "900120"
"""Twelve chapters of two pages."""


@pytest.fixture
async def mutated_site(pictures: Path) -> AsyncIterator[MutatedSite]:
    """The demo site with answers to mutate."""
    async with MutatedSite(pictures).serving() as site:
        yield site


@pytest.fixture
async def server(make_settings: Callable[..., Settings], mutated_site: MutatedSite) -> AsyncIterator[GraphQLClient]:
    """A client of a server on that site."""
    urls = (mutated_site.url,)
    settings = make_settings(
        jm_api_urls=urls,
        jm_image_urls=urls,
        jm_retries=1,
        jm_rate_per_s=1e6,
        cache_search_s=0,
        cache_ranking_s=0,
        cache_album_s=0,
        cache_stale_s=0,
    )
    async with graphql_client(settings) as client:
        yield client


@pytest.mark.parametrize("path", READS)
async def test_every_error_is_the_sites(server: GraphQLClient, mutated_site: MutatedSite, path: str) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(16):
        mutate_api(mutated_site, path, Random(number))
        variables = {"id": str(FIRST_ID + number), "text": f"料理 {number}", "page": 1}
        used: dict[str, Any] = {name: value for name, value in variables.items() if f"${name}:" in READS[path]}

        answer = await server.answer(READS[path], **used)

        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        outcomes.update(codes or ["read"])
        for read in (answer["data"] or {}).values():
            assert not (read and "id" in read) or read["id"] == used["id"]
    assert set(outcomes) == {"read", "UPSTREAM_BROKEN"}


@pytest.mark.parametrize(("path", "share"), [("/album?", 1.0), ("/chapter?", 0.08)])
async def test_no_archive_lacks_a_page_of_its_album_without_a_note(
    server: GraphQLClient, mutated_site: MutatedSite, path: str, share: float
) -> None:
    """Twelve chapters of two pages; a share of the answers is mutated, and the same each time that it is read."""
    services = server.services
    outcomes: Counter[str] = Counter()
    async with running_worker(services):
        for number in range(24):
            mutated_site.data = {path: same_each_time(number, share)}
            try:
                started = await services.downloads.start(DownloadRequest(SERIES, force=True))
            except UpstreamFailure:
                outcomes["refused"] += 1
                continue

            *_, ended = [download async for download in services.downloads.watch(started.id)]

            outcomes[ended.state] += 1
            assert ended.problem is None or ended.problem.code is not ErrorCode.INTERNAL
            if ended.state is DownloadState.READY:
                album = await services.catalog.get_album(SERIES)
                is_short = (ended.progress.pages_total or 0) < album.page_count
                assert ended.notes or not is_short, number
                outcomes["short"] += is_short
    assert outcomes["READY"] > 4, outcomes
    assert outcomes["refused"] + outcomes["FAILED"] > 2, outcomes
    assert outcomes["short"], outcomes


def same_each_time(number: int, share: float) -> MutateData:
    """Mutates this share of the answers, by their own number and this one."""

    def mutate(data: Any) -> bytes:
        random = Random(f"{data['id']} {number}")
        return as_json(mutated_data(data, random, keep="/id$") if random.random() < share else data)

    return mutate
