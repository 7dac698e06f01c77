"""Whatever the site says in lists and comments and sends as pictures, a call gives what is true of it, or fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from random import Random
from typing import Any

import pytest

from services.errors import UpstreamFailure
from services.upstream import (
    AlbumListPage,
    AlbumSummary,
    CommentPageRecord,
    RankingPage,
    RankingQuery,
    SearchQuery,
    UpstreamClient,
)
from tests.upstream.mutated_site import MutatedSite
from tests.upstream.mutation_checks import (
    SINGLE,
    TITLES,
    check_counts,
    check_items,
    entries_in,
    kind_of,
    mutate_api,
    outcome,
    randoms,
)
from tests.upstream.mutations import mutated_page

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]


def check_listed(items: tuple[AlbumSummary, ...], total: int, sent: list[Any]) -> None:
    """Every line that is whole is there, whatever the others are; a list is empty only where it was sent so."""
    check_items(items)
    assert 0 <= total < 10**15
    assert items or (total == 0 and not entries_in(sent, "content"))
    shown = {item.id: item.title for item in items}
    for row in entries_in(sent, "content") or ():
        if isinstance(row, dict) and row.get("name") and TITLES.get(str(row.get("id"))) == row["name"]:
            assert shown[str(row["id"])] == row["name"]


async def test_a_list_of_the_api_shows_every_whole_line(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        for random in randoms(200):
            sent = mutate_api(mutated_site, "/search?", random, keep=r"content/\w+/id|redirect_aid")
            found = await outcome(client.search(SearchQuery("料理")), AlbumListPage)
            outcomes[kind_of(found)] += 1
            if isinstance(found, AlbumListPage):
                check_listed(found.items, found.total, sent)

            sent = mutate_api(mutated_site, "/categories/filter?", random, keep=r"content/\w+/id")
            ranking = await outcome(client.ranking(RankingQuery()), RankingPage)
            outcomes[kind_of(ranking)] += 1
            if isinstance(ranking, RankingPage):
                check_listed(tuple(line.album for line in ranking.entries), ranking.total, sent)
    check_counts(outcomes)


async def test_a_list_of_the_web_pages_fails_or_is_read(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated(jm_method="html") as client:
        for random in randoms(150):
            mutated_site.bodies = {"/search/": partial(mutated_page, random=random, id=SINGLE)}
            outcomes[kind_of(await outcome(client.search(SearchQuery("料理")), AlbumListPage))] += 1
            mutated_site.bodies = {"/albums": partial(mutated_page, random=random, id=SINGLE)}
            outcomes[kind_of(await outcome(client.ranking(RankingQuery()), RankingPage))] += 1
    check_counts(outcomes)


async def test_a_search_for_a_number_leads_to_no_other_album(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        for random in randoms(200):
            mutate_api(mutated_site, random.choice(["/search?", "/album?"]), random)

            found = await outcome(client.search(SearchQuery(SINGLE)), AlbumListPage)

            outcomes[kind_of(found)] += 1
            if isinstance(found, AlbumListPage):
                check_items(found.items)
    check_counts(outcomes)


async def test_comments_are_read_or_fail(client_to_mutated: OpenUpstream, mutated_site: MutatedSite) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        for random in randoms(400):
            mutate_api(mutated_site, "/forum?", random)

            result = await outcome(client.comments(SINGLE, 1), CommentPageRecord)

            outcomes[kind_of(result)] += 1
    check_counts(outcomes)


def damaged_picture(picture: bytes, random: Random) -> bytes:
    """A picture that is cut, has something before or behind it, or is none."""
    at = random.randint(0, len(picture))
    return random.choice([picture[:at], picture[at:], b"", b"<html></html>", b"\0" + picture, picture + b"\0" * 9])


async def test_a_picture_is_whole_or_a_failure(client_to_mutated: OpenUpstream, mutated_site: MutatedSite) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        chapter = await client.chapter(SINGLE)
        assert chapter is not None
        cover, page = await client.cover(SINGLE), await client.page(chapter, 1)
        for random in randoms(200):
            mutated_site.bodies = {"/media/": partial(damaged_picture, random=random)}
            for true, call in ((cover, client.cover(SINGLE)), (page, client.page(chapter, 1))):
                try:
                    result = await call
                except UpstreamFailure:
                    outcomes["failed"] += 1
                    continue
                outcomes["read"] += 1
                assert result is not None
                assert true is not None
                assert result.startswith(true)
    check_counts(outcomes)
