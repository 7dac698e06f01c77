"""Whatever the site says of albums and chapters, a call gives a true record or an `UpstreamFailure`.

No other error, no other album, no other pages. Seeded mutations of good answers; a failing case is repeated by its
number.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from random import Random
from typing import Any

import pytest

from demo.library import library
from services.errors import UpstreamFailure
from services.upstream import AlbumDetail, ChapterDetail, UpstreamClient
from tests.upstream.mutated_site import MutatedSite
from tests.upstream.mutation_checks import (
    ALBUM,
    CHAPTER,
    SINGLE,
    check_counts,
    check_items,
    entries_in,
    ids_in,
    is_of_this_title,
    kind_of,
    mutate_api,
    outcome,
    randoms,
)
from tests.upstream.mutations import as_json, mutated_page

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

BOTH = pytest.mark.parametrize("method", ["api", "html"])


# --- albums ----------------------------------------------------------------------------------------------------


def check_album(album: AlbumDetail, id: str) -> None:
    """The album of this number; its chapters are its own or those that a mutation put there, each once."""
    comic = library().find(int(id))
    assert comic is not None
    assert album.id == id
    assert is_of_this_title(id, album.title)
    ids = [chapter.id for chapter in album.chapters]
    assert ids
    assert len(ids) == len(set(ids))
    assert set(ids) <= {*(str(chapter.id) for chapter in comic.chapters), "17"}
    assert [chapter.index for chapter in album.chapters] == list(range(1, len(ids) + 1))


async def test_an_album_of_the_api_is_the_one_requested(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        for random in randoms(600):
            id = random.choice([ALBUM, SINGLE])
            sent = mutate_api(mutated_site, "/album?", random, keep=r"related_list/\d+/id")

            result = await outcome(client.album(id), AlbumDetail)

            outcomes[kind_of(result)] += 1
            if isinstance(result, AlbumDetail):
                check_album(result, id)
                check_items(result.related)
                if result.has_all_chapters and sent:
                    assert len(result.chapters) == max(1, len(ids_in(sent, "series")))
    check_counts(outcomes)


async def test_an_album_of_the_web_pages_is_the_one_requested(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    """Chapters that the page does not show are read by the API, where the page links to them or is cut."""
    outcomes: Counter[str] = Counter()
    async with client_to_mutated(jm_method="html") as client:
        for random in randoms(500):
            id = random.choice([ALBUM, SINGLE])
            mutated_site.bodies = {f"/album/{id}": partial(mutated_page, random=random, id=id)}

            result = await outcome(client.album(id), AlbumDetail)

            outcomes[kind_of(result)] += 1
            if isinstance(result, AlbumDetail):
                check_album(result, id)
    check_counts(outcomes)


async def test_a_chapters_number_leads_to_its_own_album_alone(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        for random in randoms(200):
            mutate_api(mutated_site, f"/chapter?id={CHAPTER}", random)

            result = await outcome(client.album(CHAPTER), AlbumDetail)

            outcomes[kind_of(result)] += 1
            if isinstance(result, AlbumDetail):
                check_album(result, ALBUM)
    check_counts(outcomes)


@BOTH
async def test_a_chapters_number_never_leads_to_an_album_without_it(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite, method: str
) -> None:
    def name_another(data: Any) -> bytes:
        return as_json(data | {"series_id": SINGLE})

    mutated_site.data = {"/chapter?": name_another}
    mutated_site.bodies = {"/photo/": lambda page: page.replace(b"series_id = 333908", b"series_id = 350234")}
    async with client_to_mutated(jm_method=method) as client:
        with pytest.raises(UpstreamFailure):
            await client.album(CHAPTER)


# --- chapters --------------------------------------------------------------------------------------------------


def true_names(id: str) -> list[str]:
    found = library().find_chapter(int(id))
    assert found is not None
    return [page.name for page in found[1].pages]


def check_chapter(chapter: ChapterDetail, id: str, listed: list[Any] | None) -> None:
    """The pages of this chapter, in order. Fewer only where the list was shortened; where it holds something else,
    a note says so.
    """
    names = true_names(id)
    assert chapter.id == id
    assert is_of_this_title(ALBUM if id == CHAPTER else id, chapter.title)
    remaining = iter(names)
    assert all(name in remaining for name in chapter.page_names)  # in order: each is looked for behind the last
    if listed is not None and len(chapter.page_names) < len(listed):
        assert chapter.notes
    if len(chapter.page_names) < len(names):
        assert listed is not None
        assert chapter.notes or len(listed) < len(names)


async def test_a_chapter_of_the_api_has_its_own_pages_in_order(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        for random in randoms(700):
            id = random.choice([CHAPTER, SINGLE])
            sent = mutate_api(mutated_site, "/chapter?", random)

            result = await outcome(client.chapter(id), ChapterDetail)

            outcomes[kind_of(result)] += 1
            if isinstance(result, ChapterDetail):
                check_chapter(result, id, entries_in(sent, "images"))
                assert result.scramble_id == 220980
    check_counts(outcomes)


def noted_page(page: bytes, sent: list[bytes], random: Random, id: str) -> bytes:
    """A mutated page, which is put into `sent` as well."""
    sent.append(mutated_page(page, random, id))
    return sent[-1]


def page_list_of(page: bytes) -> list[Any] | None:
    """The entries of a web page's list of pages."""
    found = re.search(r"var page_arr = (.*?);", page.decode("utf-8", "replace"))
    names = json.loads(found[1]) if found else None
    return list(names.values()) if isinstance(names, dict) else names if isinstance(names, list) else None


async def test_a_chapter_of_the_web_pages_has_its_own_pages_in_order(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    sent: list[bytes] = []
    async with client_to_mutated(jm_method="html") as client:
        for random in randoms(500):
            id = random.choice([CHAPTER, SINGLE])
            mutated_site.bodies = {"/photo/": partial(noted_page, sent=sent, random=random, id=id)}

            result = await outcome(client.chapter(id), ChapterDetail)

            outcomes[kind_of(result)] += 1
            if isinstance(result, ChapterDetail):
                check_chapter(result, id, page_list_of(sent[-1]))
                assert result.scramble_id == 220980
    check_counts(outcomes)


async def test_a_mutated_page_of_images_gives_no_other_scramble_id(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    outcomes: Counter[str] = Counter()
    async with client_to_mutated() as client:
        for random in randoms(150):
            mutated_site.bodies = {"/chapter_view_template?": partial(mutated_page, random=random, id=SINGLE)}

            result = await outcome(client.chapter(SINGLE), ChapterDetail)

            outcomes[kind_of(result)] += 1
            if isinstance(result, ChapterDetail):
                assert result.scramble_id == 220980
                assert list(result.page_names) == true_names(SINGLE)
    check_counts(outcomes)
