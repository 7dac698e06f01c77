"""`check_site` against the demo, with each of its oddities switched on: verdicts, words, and few requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from demo.library import library
from demo.server import RunningDemo
from services.errors import UpstreamReason
from services.settings import Settings, read_settings
from services.upstream import ListAddresses, SiteFinding, Verdict, check_site, oddities_of
from tests.upstream.mutated_site import MutatedSite
from tests.upstream.mutation_checks import mutate_api
from tests.upstream.mutations import as_json, mutated_page

pytestmark = pytest.mark.anyio

Findings = dict[str, SiteFinding]
Check = Callable[..., Awaitable[Findings]]

NAMES = [
    "api.ranking",
    "api.setting",
    "api.search",
    "api.number",
    "api.series",
    "api.single",
    "api.chapter",
    "api.scramble_id",
    "image.page",
    "api.comments",
    "image.cover",
    "web.ranking",
    "web.search",
    "web.number",
    "web.chapter",
]
WEB = [name for name in NAMES if name.startswith("web.")]


async def findings_of(settings: Settings, **options: Any) -> Findings:
    """What is found, by name; no finding has a title."""
    found: list[SiteFinding] = []
    await check_site(settings, found.append, **options)
    words = " ".join(finding.words for finding in found)
    assert [comic.title for comic in library().comics if comic.title in words] == []
    return {finding.name: finding for finding in found if not finding.name.endswith(".domains")}


@pytest.fixture
def settings(demo: RunningDemo, tmp_path: Path) -> Settings:
    """Settings that name the demo's hosts."""
    return read_settings(
        data_dir=tmp_path,
        jm_api_urls=tuple(demo.api_urls),
        jm_html_urls=tuple(demo.html_urls),
        jm_image_urls=tuple(demo.image_urls),
        jm_timeout_s=20.0,
    )


@pytest.fixture
def check(demo: RunningDemo, settings: Settings) -> Check:
    """Checks the demo, and that few requests were sent, one after the other."""

    async def run(**options: Any) -> Findings:
        found = await findings_of(settings, **options)
        assert demo.requests.count() < 20
        assert all(demo.requests.peak(role) <= 1 for role in ("api", "html", "image"))
        return found

    return run


def verdicts(found: Findings, *names: str) -> set[Verdict]:
    return {found[name].verdict for name in names}


async def test_a_site_as_expected_is_ok_in_every_part(check: Check, demo: RunningDemo, settings: Settings) -> None:
    found = await check()

    assert [(finding.name, finding.verdict) for finding in found.values()] == [(name, Verdict.OK) for name in NAMES]
    assert found["api.ranking"].words == "80 of 219 albums"
    assert found["api.series"].words == "221350: 2 chapters, 22 pages"
    assert found["image.page"].words == "webp, 960×1360, 10 strips"
    assert demo.requests.count() == 16
    assert list(settings.data_dir.iterdir()) == []


async def test_hosts_are_read_from_the_published_list(demo: RunningDemo, settings: Settings) -> None:
    found: list[SiteFinding] = []
    settings = settings.model_copy(update={"jm_api_urls": ()})
    addresses = ListAddresses(api=(demo.domains_url,), html=())

    await check_site(settings, found.append, list_addresses=addresses)

    assert found[0] == SiteFinding("api.domains", Verdict.OK, "2 hosts")
    assert {finding.verdict for finding in found[2:]} == {Verdict.OK}
    assert demo.requests.count() == 17


async def test_a_list_that_can_not_be_read_is_broken(demo: RunningDemo, settings: Settings) -> None:
    found: list[SiteFinding] = []
    demo.knobs.set("*", failure="region")
    settings = settings.model_copy(update={"jm_html_urls": ()})

    await check_site(settings, found.append, list_addresses=ListAddresses(html=(demo.html_url, demo.dead_url)))

    assert found[1] == SiteFinding("web.domains", Verdict.BROKEN, "no list can be read")
    assert (found[-4].name, found[-4].words) == ("web.ranking", "unreachable: no host is known")


async def test_decoys_are_named(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("*", failure="decoy")
    found = await check()

    broken = [name for name, finding in found.items() if finding.verdict is Verdict.BROKEN]
    assert broken == ["api.number", "api.album", "web.number", "web.chapter"]
    assert {found[name].words for name in broken} == {"garbled: a decoy, another album's answer"}


async def test_a_decoy_of_one_host_is_tolerated_and_named(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("api-1", failure="decoy")
    found = await check()

    assert verdicts(found, "api.number", "api.single", "api.chapter") == {Verdict.TOLERATED}
    assert "a host served a decoy, another album's answer" in found["api.chapter"].words
    assert f"{demo.api_url} failed (garbled)" in found["api.chapter"].words


@pytest.mark.parametrize("shape", ['""', "[]", "null"])
async def test_empty_answers_are_broken(check: Check, demo: RunningDemo, shape: str) -> None:
    demo.knobs.set("api", failure="empty_data", shape=shape)
    found = await check()

    assert verdicts(found, "api.ranking", "api.search") == {Verdict.BROKEN}
    assert found["api.ranking"].words == "garbled: an empty answer"
    assert found["api.ranking"].reason is UpstreamReason.GARBLED
    assert found["api.chapter"].verdict is Verdict.SKIPPED
    assert verdicts(found, "web.ranking", "web.search") == {Verdict.OK}


async def test_odd_shapes_are_tolerated_and_told(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("api", failure="odd_shapes")
    found = await check()

    assert verdicts(found, "api.ranking", "api.search", "api.series", "api.single", "api.chapter") == {
        Verdict.TOLERATED
    }
    assert found["api.ranking"].words == "80 of 219 albums; content is an object, not a list"
    assert "id is a text, not a number" in found["api.single"].words
    assert "likes is a number, not a text" in found["api.single"].words
    assert verdicts(found, "api.scramble_id", "image.page", *WEB) == {Verdict.OK}


async def test_absent_totals_are_tolerated_and_told(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("*", failure="no_total")
    found = await check()

    lists = ("api.ranking", "api.search", "api.comments", "web.ranking", "web.search")
    assert verdicts(found, *lists) == {Verdict.TOLERATED}
    assert all(found[name].words.endswith("; total is absent") for name in lists)


async def test_a_login_wall_is_named_and_left_alone(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("*", failure="login")
    found = await check()

    for name in ("api.ranking", "web.ranking"):
        assert found[name].words == "login required: a login is asked for"
        assert found[name].reason is UpstreamReason.LOGIN_REQUIRED
    assert verdicts(found, "api.search", "api.chapter", "web.search") == {Verdict.SKIPPED}
    assert demo.requests.count() < 10


async def test_albums_that_want_a_login_are_named(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("api", failure="login", path="/album")
    found = await check()

    assert verdicts(found, "api.number", "api.album") == {Verdict.BROKEN}
    assert found["api.number"].reason is UpstreamReason.LOGIN_REQUIRED
    assert verdicts(found, *WEB) == {Verdict.OK}


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("region", "region blocked: status 403"),
        ("challenge", "challenged: status 403"),
        ("maintenance", "maintenance: status 503"),
        ("rate_limit", "rate limited: status 429"),
        ("refused_id", "garbled: status 400"),
        ("garbage", "garbled: status 200"),
    ],
)
async def test_a_site_that_refuses_is_broken_for_its_reason(
    check: Check, demo: RunningDemo, failure: str, words: str
) -> None:
    demo.knobs.set("*", failure=failure)
    found = await check()

    assert (found["api.ranking"].verdict, found["api.ranking"].words) == (Verdict.BROKEN, words)
    assert (found["web.ranking"].verdict, found["web.ranking"].words) == (Verdict.BROKEN, words)
    assert not {Verdict.OK, Verdict.TOLERATED} & {finding.verdict for finding in found.values()}
    assert demo.requests.count() <= 10


async def test_a_scramble_id_that_no_page_states_is_told(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("api", failure="no_scramble_id")
    found = await check()

    assert found["api.scramble_id"].verdict is Verdict.TOLERATED
    assert found["api.scramble_id"].words == "220980; no scramble id was found; 220980 was assumed"
    assert found["image.page"].verdict is Verdict.OK


async def test_a_web_page_without_the_scramble_id_is_told(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("html", failure="no_scramble_id")
    found = await check()

    assert found["web.chapter"].verdict is Verdict.TOLERATED
    assert found["web.chapter"].words == "221351: 10 pages; scramble_id is absent"


async def test_settings_that_are_refused_are_told_and_not_needed(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("api", failure="region", path="/setting")
    found = await check()

    assert (found["api.setting"].verdict, found["api.setting"].words) == (
        Verdict.TOLERATED,
        "region blocked: status 403",
    )
    assert found["api.ranking"].verdict is Verdict.OK


async def test_a_host_without_the_scramble_id_is_tolerated(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("api-1", failure="no_scramble_id")
    found = await check()

    assert verdicts(found, "api.chapter", "api.scramble_id") == {Verdict.TOLERATED, Verdict.OK}


async def test_empty_pictures_of_one_host_are_tolerated(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("image-1", failure="empty")
    found = await check()

    assert verdicts(found, "image.page", "image.cover") == {Verdict.TOLERATED}
    assert "a picture came empty or cut short" in found["image.page"].words


async def test_pictures_that_are_none_are_broken(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("image", failure="html")
    found = await check()

    assert verdicts(found, "image.page", "image.cover") == {Verdict.BROKEN}


async def test_what_would_take_too_many_requests_is_skipped(check: Check, demo: RunningDemo) -> None:
    demo.knobs.set("api-1", failure="api_error")
    demo.knobs.set("html-1", failure="api_error")
    found = await check()

    assert found["web.chapter"].verdict is Verdict.SKIPPED
    assert found["web.chapter"].words == "no more than 19 requests are sent"


# --- answers that the demo has for no listed album -------------------------------------------------------------


@pytest.fixture
def mutated(mutated_site: MutatedSite, tmp_path: Path) -> Settings:
    """Settings that name the hosts of the mutated site."""
    urls = (mutated_site.url,)
    return read_settings(data_dir=tmp_path, jm_api_urls=urls, jm_html_urls=urls, jm_image_urls=urls)


async def test_entries_that_are_no_pages_are_told(mutated: Settings, mutated_site: MutatedSite) -> None:
    mutated_site.data = {"/chapter?": lambda data: as_json(data | {"images": [*data["images"], "ori", None]})}
    found = await findings_of(mutated)

    words = "2 entries that are no pages were left out"
    assert found["api.chapter"].verdict is Verdict.TOLERATED
    assert words in found["api.chapter"].words
    assert "images[] is null, not a text" in found["api.chapter"].words


async def test_chapters_that_a_web_page_lists_otherwise_are_told(
    mutated: Settings, mutated_site: MutatedSite
) -> None:
    mutated_site.bodies = {"/album/": lambda page: page.replace(b"data-album", b"data-id")}
    found = await findings_of(mutated)

    assert found["web.number"].verdict is Verdict.TOLERATED
    assert found["web.number"].words.endswith("; 0 of 2 chapters are recognised")


async def test_a_search_that_leads_to_a_list_is_told(mutated: Settings, mutated_site: MutatedSite) -> None:
    mutated_site.data = {"/search?": lambda data: as_json({**data, "redirect_aid": None, "content": [], "total": 0})}
    found = await findings_of(mutated)

    assert found["api.number"].words.endswith("; it leads to a list")
    assert found["api.search"].words.endswith("; no album")


async def test_whatever_is_answered_it_gives_findings(mutated: Settings, mutated_site: MutatedSite) -> None:
    paths = ("/setting", "/album?", "/chapter?", "/search?", "/categories/filter?", "/forum?")
    pages = ("/albums", "/album/", "/photo/", "/search/", "/chapter_view_template?")
    for number in range(44):
        random = Random(number)
        mutated_site.reset()
        if number % 2:
            begin = random.choice(pages)
            mutated_site.bodies = {begin: partial(mutated_page, random=random, id="221350")}
        else:
            mutate_api(mutated_site, random.choice(paths), random)

        found = await findings_of(mutated)

        assert {"api.ranking", "web.ranking"} <= found.keys()


def test_oddities_are_counted_and_name_no_values() -> None:
    shape = {"id": int, "name": str, "tags": [str], "rows": [{"id": str}]}
    value = {"id": "秘密", "tags": {"0": "秘密"}, "rows": [{"id": 1}, {"id": 2}, {}, None], "more": "秘密"}

    assert oddities_of(value, shape) == [
        "id is a text, not a number",
        "name is absent",
        "tags is an object, not a list",
        "rows[].id is a number, not a text (2 times)",
        "rows[].id is absent",
        "rows[] is null, not an object",
    ]
    assert oddities_of([], shape) == ["all of it is a list, not an object"]
