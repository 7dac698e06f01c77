"""The whole server on a site whose answers are mutated: every error is the site's, never one of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client
from tests.upstream.mutated_site import MutatedSite
from tests.upstream.mutation_checks import mutate_api

pytestmark = pytest.mark.anyio

READ = """query ($id: String!, $text: String!, $page: Int!) {
  album(id: $id) { id title description authors { name } tags { name translation { name } } pageCount viewCount
    publishedOn chapters { id index title pages { url } } related { id title }
    comments(page: 1) { total items { text replies { text replies { text } } } } }
  search(query: $text) { total items { id title } }
  ranking(page: $page) { total hasNextPage entries { rank album { id title } } } }"""
PATHS = ("/album?", "/chapter?", "/search?", "/categories/filter?", "/forum?")
FIRST_ID = 2_000_000
"""Of ten thousand plain albums: each is read once, so that no cache answers."""


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
        jm_api_urls=urls, jm_image_urls=urls, jm_retries=1, jm_rate_per_s=1e6, cache_search_s=0, cache_ranking_s=0
    )
    async with graphql_client(settings) as client:
        yield client


async def test_every_error_is_the_sites(server: GraphQLClient, mutated_site: MutatedSite) -> None:
    codes: Counter[str] = Counter()
    for number in range(60):
        random = Random(number)
        mutate_api(mutated_site, PATHS[number % len(PATHS)], random)

        answer = await server.answer(READ, id=str(FIRST_ID + number), text=f"料理 {number}", page=number + 1)

        errors = answer.get("errors", [])
        codes.update(error["extensions"]["code"] for error in errors)
        album = (answer["data"] or {}).get("album")
        assert album is None or album["id"] == str(FIRST_ID + number)
    assert set(codes) == {"UPSTREAM_BROKEN"}
