"""What people do with their accounts at the site: never with another's session, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from demo.server import RunningDemo
from services.errors import InvalidCredentials, SiteLoginRequired, UpstreamFailure, UpstreamReason
from services.observability import RequestStats, use_stats
from services.upstream import FavoriteFolderRecord, FavoriteOrder, SiteAccountClient, SiteSession, UpstreamClient
from tests.upstream.conftest import OpenUpstream

pytestmark = pytest.mark.anyio

NO_FAVORITE, FAVORITE = "1208626", "350234"


@pytest.fixture
async def upstream(upstream_to: OpenUpstream) -> AsyncIterator[UpstreamClient]:
    async with upstream_to(jm_timeout_s=20.0) as client:
        yield client


@pytest.fixture
def accounts(upstream: UpstreamClient) -> SiteAccountClient:
    return upstream.accounts


@pytest.fixture
async def reader(accounts: SiteAccountClient) -> SiteSession:
    return (await accounts.login("reader", "correct-horse")).session


def toggles(demo: RunningDemo) -> int:
    """Requests that toggled a favourite, or may have."""
    return sum(seen.method == "POST" for seen in demo.requests.find("/favorite"))


# --- logins ------------------------------------------------------------------------------------------------------


async def test_a_login_gives_a_session_of_its_own(accounts: SiteAccountClient, demo: RunningDemo) -> None:
    login = await accounts.login("reader", "correct-horse")

    assert (login.username, login.session.user_id) == ("reader", "5001")
    assert demo.members.name_of(login.session.cookies["AVS"]) == "reader"


@pytest.mark.parametrize(
    ("name", "password"), [("reader", "wrong"), ("nobody", "correct-horse"), ("locked", "correct-horse")]
)
async def test_a_login_that_the_site_refuses_is_refused_at_once(
    accounts: SiteAccountClient, demo: RunningDemo, name: str, password: str
) -> None:
    with pytest.raises(InvalidCredentials):
        await accounts.login(name, password)

    assert demo.requests.count("/login") == 1


@pytest.mark.parametrize("failure", ["html", "region", "garbage", "api_error"])
async def test_a_site_that_does_not_answer_a_login_says_neither_yes_nor_no(
    accounts: SiteAccountClient, demo: RunningDemo, failure: str
) -> None:
    demo.knobs.set("api", path="/login", failure=failure)

    with pytest.raises(UpstreamFailure):
        await accounts.login("reader", "correct-horse")


async def test_nothing_of_a_session_is_in_its_text(reader: SiteSession) -> None:
    assert reader.cookies["AVS"] not in f"{reader!r} {reader}"


# --- whose request it is -----------------------------------------------------------------------------------------


async def test_a_request_carries_the_session_of_its_person_alone(upstream: UpstreamClient, demo: RunningDemo) -> None:
    reader = (await upstream.accounts.login("reader", "correct-horse")).session
    traveller = (await upstream.accounts.login("traveller", "window-seat")).session

    async def check(session: SiteSession, total: int) -> None:
        page = await upstream.accounts.favorites(session, "0", FavoriteOrder.ADDED, 1)
        assert page.albums.total == total

    for _ in range(10):
        await asyncio.gather(check(reader, 44), check(traveller, 2), upstream.album(FAVORITE), check(reader, 44))

    assert {demo.members.name_of(seen.session) for seen in demo.requests.find("/favorite")} == {"reader", "traveller"}
    of_guests = [seen for seen in demo.requests if seen.role == "api" and seen.path not in ("/favorite",)]
    assert len(of_guests) > 10
    assert {seen.session for seen in of_guests} == {""}


async def test_a_login_carries_nobodys_session(upstream: UpstreamClient, demo: RunningDemo) -> None:
    await upstream.album(FAVORITE)
    await upstream.accounts.login("reader", "correct-horse")
    await upstream.accounts.login("traveller", "window-seat")

    assert [seen.session for seen in demo.requests.find("/login")] == ["", ""]


# --- favourites --------------------------------------------------------------------------------------------------


async def test_favourites_come_with_their_folders(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    pages = [await accounts.favorites(reader, "0", FavoriteOrder.ADDED, page) for page in (1, 2, 3, 4)]

    assert [(len(page.albums.items), page.albums.total, page.albums.page_count) for page in pages] == [
        (20, 44, 3),
        (20, 44, 3),
        (4, 44, 3),
        (0, 44, 3),
    ]
    listed = [int(album.id) for page in pages for album in page.albums.items]
    assert listed == demo.members.favorites_of("reader")
    assert pages[0].folders == (FavoriteFolderRecord("7001", "旅行"), FavoriteFolderRecord("7002", "機器"))


async def test_a_folder_has_its_own_favourites(accounts: SiteAccountClient, reader: SiteSession) -> None:
    page = await accounts.favorites(reader, "7002", FavoriteOrder.UPDATED, 1)

    assert (len(page.albums.items), page.albums.total) == (3, 3)


async def test_a_favourite_is_told_from_what_is_none(accounts: SiteAccountClient, reader: SiteSession) -> None:
    assert [await accounts.is_favorite(reader, id) for id in (FAVORITE, NO_FAVORITE)] == [True, False]


async def test_a_no_is_not_believed_of_a_session_that_ran_out_meanwhile(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/album", latency_s=1.0)

    asking = asyncio.create_task(accounts.is_favorite(reader, NO_FAVORITE))
    await asyncio.to_thread(demo.requests.wait_for, 1, "/album")
    demo.members.end_sessions("reader")

    with pytest.raises(SiteLoginRequired):
        await asking


@pytest.mark.parametrize(("id", "is_favorite"), [(NO_FAVORITE, True), (FAVORITE, False)])
async def test_a_favourite_is_set_with_one_toggle(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo, id: str, is_favorite: bool
) -> None:
    await accounts.set_favorite(reader, id, is_favorite=is_favorite)

    assert (int(id) in demo.members.favorites_of("reader")) is is_favorite
    assert toggles(demo) == 1


@pytest.mark.parametrize(("id", "is_favorite"), [(FAVORITE, True), (NO_FAVORITE, False)])
async def test_what_is_so_already_is_not_toggled(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo, id: str, is_favorite: bool
) -> None:
    await accounts.set_favorite(reader, id, is_favorite=is_favorite)

    assert (int(id) in demo.members.favorites_of("reader")) is is_favorite
    assert toggles(demo) == 0


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_toggle_whose_answer_is_lost_is_not_toggled_again(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo, lost: int
) -> None:
    await accounts.favorites(reader, "0", FavoriteOrder.ADDED, 1)  # there is a connection that could be used again
    demo.knobs.set("api", path="/favorite", method="POST", failure="lost", fail_next=lost)

    await accounts.set_favorite(reader, NO_FAVORITE, is_favorite=True)

    assert demo.members.favorites_of("reader")[0] == int(NO_FAVORITE)
    assert toggles(demo) == 1


async def test_a_toggle_that_never_arrived_is_sent_again(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/favorite", method="POST", failure="drop", fail_next=2)

    await accounts.set_favorite(reader, NO_FAVORITE, is_favorite=True)

    assert demo.members.favorites_of("reader")[0] == int(NO_FAVORITE)
    assert toggles(demo) == 3


async def test_a_favourite_that_can_not_be_set_is_a_failure(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/favorite", method="POST", failure="drop")

    with pytest.raises(UpstreamFailure):
        await accounts.set_favorite(reader, NO_FAVORITE, is_favorite=True)

    assert int(NO_FAVORITE) not in demo.members.favorites_of("reader")


@pytest.mark.parametrize(("id", "is_favorite"), [(NO_FAVORITE, True), (FAVORITE, False)])
async def test_a_toggle_that_goes_the_wrong_way_is_toggled_back_and_fails(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo, id: str, is_favorite: bool
) -> None:
    """The person was quicker, with the app on their phone, between our reading and our toggle."""
    demo.knobs.set("api", path="/favorite", method="POST", latency_s=1.0)

    with use_stats(RequestStats(call_limit=2)):  # enough to read and to toggle: what went wrong is still undone
        setting = asyncio.create_task(accounts.set_favorite(reader, id, is_favorite=is_favorite))
    await asyncio.to_thread(demo.requests.wait_for, 1, "/favorite")
    demo.members.set_favorite("reader", int(id), is_favorite=is_favorite)
    demo.knobs.reset()

    with pytest.raises(UpstreamFailure, match="changed elsewhere"):
        await setting
    assert (int(id) in demo.members.favorites_of("reader")) is is_favorite
    assert toggles(demo) == 2


async def test_what_the_site_refuses_is_said_in_its_words(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    for id in range(2_000_000, 2_000_356):
        demo.members.set_favorite("reader", id, is_favorite=True)

    with pytest.raises(UpstreamFailure, match="收藏已滿") as refused:
        await accounts.set_favorite(reader, NO_FAVORITE, is_favorite=True)

    assert refused.value.reason is UpstreamReason.REFUSED
    assert toggles(demo) == 1


# --- sessions that run out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_favorite", [True, False])
async def test_no_favourite_is_set_with_a_session_that_has_run_out(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo, is_favorite: bool
) -> None:
    demo.members.end_sessions("reader")

    with pytest.raises(SiteLoginRequired):
        await accounts.set_favorite(reader, FAVORITE, is_favorite=is_favorite)

    assert demo.members.favorites_of("reader")[0] == int(FAVORITE)


async def test_a_session_is_believed_to_have_run_out_when_two_hosts_say_so(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    demo.members.end_sessions("reader")

    with pytest.raises(SiteLoginRequired):
        await accounts.favorites(reader, "0", FavoriteOrder.ADDED, 1)

    assert {seen.host for seen in demo.requests.find("/favorite")} == {"api-1", "api-2"}


@pytest.mark.parametrize("call", ["favorites", "set_favorite", "check_in"])
async def test_one_host_that_does_not_know_a_session_is_not_believed(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo, call: str
) -> None:
    demo.knobs.set("api", path="/favorite", failure="login", fail_next=1)
    demo.knobs.set("api", path="/daily", failure="empty_data", shape="[]", fail_next=1)

    if call == "favorites":
        assert (await accounts.favorites(reader, "0", FavoriteOrder.ADDED, 1)).albums.total == 44
    elif call == "check_in":
        assert (await accounts.check_in(reader)).is_new
    else:
        await accounts.set_favorite(reader, NO_FAVORITE, is_favorite=True)
        assert demo.members.favorites_of("reader")[0] == int(NO_FAVORITE)


async def test_who_is_not_logged_in_does_not_check_in(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    demo.members.end_sessions("reader")

    with pytest.raises(SiteLoginRequired):
        await accounts.check_in(reader)


# --- check-ins ---------------------------------------------------------------------------------------------------


async def test_a_check_in_is_new_once_a_day(accounts: SiteAccountClient, reader: SiteSession) -> None:
    first, second = await accounts.check_in(reader), await accounts.check_in(reader)

    assert (first.is_new, first.message) == (True, "Jcoin:10 EXP:10")
    assert (second.is_new, second.message) == (False, "今天已經簽到過了")


async def test_a_check_in_whose_answer_is_lost_is_new_and_sent_once(
    accounts: SiteAccountClient, reader: SiteSession, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/daily_chk", failure="lost", fail_next=1)

    assert (await accounts.check_in(reader)).is_new
    assert demo.requests.count("/daily_chk") == 1
