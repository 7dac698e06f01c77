"""Accounts of the site: connected, used, run out and renewed; on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from structlog.testing import capture_logs

from demo.server import RunningDemo
from services.container import Services, open_services
from services.database.models import SiteAccountRow
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    Forbidden,
    InvalidCredentials,
    InvalidInput,
    LoginsLimited,
    SiteLoginRequired,
    StorageUnavailable,
    UpstreamFailure,
)
from services.people import SiteAccounts, SiteAccountState, User
from services.settings import Settings
from tests.processes import free_port

pytestmark = pytest.mark.anyio

NO_FAVORITE, FAVORITE = "1208626", "350234"
ADDRESS = "192.0.2.1"
EXPIRED = SiteAccountState.EXPIRED


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with open_services(settings) as services:
        yield services


@pytest.fixture
def accounts(services: Services) -> SiteAccounts:
    return services.site_accounts


@pytest.fixture
async def owner(services: Services) -> User:
    user = await services.people.accounts.owner()
    assert user is not None
    return user


@pytest.fixture
async def reader(accounts: SiteAccounts, owner: User) -> User:
    """The owner, with the account of the site that many tests use."""
    await accounts.connect(owner, "reader", "correct-horse", address=ADDRESS)
    return owner


async def row_of(services: Services, user: User) -> SiteAccountRow | None:
    async with services.database.read() as session:
        return await session.scalar(select(SiteAccountRow).where(SiteAccountRow.user_id == user.id))


# --- connecting --------------------------------------------------------------------------------------------------


async def test_an_account_is_connected_and_disconnected(accounts: SiteAccounts, owner: User) -> None:
    connected = await accounts.connect(owner, "reader", "correct-horse", address=ADDRESS)

    assert (connected.username, connected.state) == ("reader", SiteAccountState.CONNECTED)
    assert await accounts.find(owner.id) == connected
    assert await accounts.disconnect(owner.id) is True
    assert await accounts.find(owner.id) is None
    assert await accounts.disconnect(owner.id) is False


async def test_a_second_account_takes_the_place_of_the_first(accounts: SiteAccounts, reader: User) -> None:
    await accounts.connect(reader, "traveller", "window-seat", address=ADDRESS)

    found = await accounts.find(reader.id)
    assert found is not None
    assert found.username == "traveller"
    assert (await accounts.favorites(reader.id)).total == 2


@pytest.mark.parametrize(
    ("name", "password"),
    [("reader", "wrong"), ("", "correct-horse"), ("reader", ""), ("r" * 300, "correct-horse"), ("reader\ud800", "x")],
)
async def test_what_the_site_refuses_is_not_connected(
    accounts: SiteAccounts, owner: User, name: str, password: str
) -> None:
    with pytest.raises(InvalidCredentials):
        await accounts.connect(owner, name, password, address=ADDRESS)

    assert await accounts.find(owner.id) is None


async def test_a_site_that_answers_html_connects_nothing(
    accounts: SiteAccounts, owner: User, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/login", failure="html")

    with pytest.raises(UpstreamFailure):
        await accounts.connect(owner, "reader", "correct-horse", address=ADDRESS, remember=True)

    assert await accounts.find(owner.id) is None


async def test_the_database_holds_neither_session_nor_password_in_the_clear(
    services: Services, owner: User, demo: RunningDemo
) -> None:
    await services.site_accounts.connect(owner, "reader", "correct-horse", address=ADDRESS, remember=True)
    await services.site_accounts.favorites(owner.id)

    row = await row_of(services, owner)
    session = demo.requests.find("/favorite")[-1].session
    assert row is not None
    assert row.encrypted_password is not None
    assert session.encode() not in row.encrypted_session
    assert b"correct-horse" not in row.encrypted_password + row.encrypted_session


async def test_a_password_is_forgotten_unless_it_is_to_be_remembered(services: Services, reader: User) -> None:
    row = await row_of(services, reader)

    assert row is not None
    assert row.encrypted_password is None


async def test_nobody_guesses_passwords_of_the_site_through_this_server(
    accounts: SiteAccounts, owner: User, demo: RunningDemo
) -> None:
    for attempt in range(5):
        with pytest.raises(InvalidCredentials):
            await accounts.connect(owner, "reader", f"wrong {attempt}", address=f"192.0.2.{attempt}")

    with pytest.raises(LoginsLimited):
        await accounts.connect(owner, "READER", "correct-horse", address=ADDRESS)
    with pytest.raises(LoginsLimited):
        await accounts.sign_in("reader", "correct-horse", address=ADDRESS)
    assert demo.requests.count("/login") == 5


async def test_nobody_guesses_names_of_the_site_from_one_address(accounts: SiteAccounts, demo: RunningDemo) -> None:
    for attempt in range(5):
        with pytest.raises(InvalidCredentials):
            await accounts.sign_in(f"reader{attempt}", "correct-horse", address=ADDRESS)

    with pytest.raises(LoginsLimited):
        await accounts.sign_in("traveller", "window-seat", address=ADDRESS)
    assert (await accounts.sign_in("traveller", "window-seat", address="192.0.2.9")).user.name == "jm:traveller"


# --- signing in --------------------------------------------------------------------------------------------------


async def test_who_signs_in_by_the_site_is_a_user_of_that_name_every_time(
    services: Services, accounts: SiteAccounts
) -> None:
    first = await accounts.sign_in("traveller", "window-seat", address=ADDRESS)
    second = await accounts.sign_in("traveller", "window-seat", address=ADDRESS)

    assert first.user.name == second.user.name == "jm:traveller"
    assert first.user.id == second.user.id
    assert first.user.is_admin is False
    assert services.people.state.is_closed is False
    assert (await services.people.tokens.identify(second.token)).user == second.user
    assert (await accounts.favorites(first.user.id)).total == 2


async def test_nobody_is_made_who_did_not_sign_in(services: Services, accounts: SiteAccounts) -> None:
    with pytest.raises(InvalidCredentials):
        await accounts.sign_in("traveller", "wrong", address=ADDRESS)

    assert await services.people.accounts.list() == []


async def test_once_closed_a_server_lets_nobody_sign_in_by_the_site(
    services: Services, accounts: SiteAccounts, demo: RunningDemo
) -> None:
    await services.people.accounts.create("alice", "a-long-password")

    with pytest.raises(Forbidden):
        await accounts.sign_in("traveller", "window-seat", address=ADDRESS)

    assert demo.requests.count("/login") == 0


async def test_an_account_of_the_site_is_no_way_around_the_keys_of_the_host(
    make_settings: Callable[..., Settings], demo: RunningDemo
) -> None:
    async with open_services(make_settings(api_keys="key")) as services:
        with pytest.raises(Forbidden):
            await services.site_accounts.sign_in("reader", "correct-horse", address=ADDRESS)

    assert demo.requests.count("/login") == 0


@pytest.mark.parametrize(("setting", "is_allowed"), [(True, True), (False, False)])
async def test_the_setting_decides_who_may_sign_in(
    make_settings: Callable[..., Settings], setting: bool, is_allowed: bool
) -> None:
    async with open_services(make_settings(site_login=setting)) as services:
        if is_allowed:
            await services.people.accounts.create("alice", "a-long-password")
            assert (
                await services.site_accounts.sign_in("reader", "correct-horse", address=ADDRESS)
            ).user.name == "jm:reader"
        else:
            with pytest.raises(Forbidden):
                await services.site_accounts.sign_in("reader", "correct-horse", address=ADDRESS)


async def test_while_the_database_is_away_no_password_is_sent_to_the_site(
    make_settings: Callable[..., Settings], demo: RunningDemo
) -> None:
    away = SecretStr(f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/none")
    async with open_services(make_settings(database_url=away)) as services:
        with pytest.raises(StorageUnavailable):
            await services.site_accounts.sign_in("reader", "correct-horse", address=ADDRESS)
        assert await services.catalog.find_album(FAVORITE) is not None

    assert demo.requests.count("/login") == 0


# --- favourites --------------------------------------------------------------------------------------------------


async def test_folders_begin_with_the_one_of_all(accounts: SiteAccounts, reader: User) -> None:
    folders = await accounts.folders(reader.id)

    assert [(folder.id, folder.name) for folder in folders] == [("0", "全部"), ("7001", "旅行"), ("7002", "機器")]


async def test_favourites_come_twenty_a_page(accounts: SiteAccounts, reader: User, demo: RunningDemo) -> None:
    page = await accounts.favorites(reader.id, page=3)

    assert [int(album.id) for album in page.items] == demo.members.favorites_of("reader")[40:]
    assert (page.page, page.page_count, page.total) == (3, 3, 44)


async def test_favourites_lack_what_the_host_withholds(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(blocked_tags=("測試封鎖",), policy="strict")
    async with open_services(settings) as services:
        signed_in = await services.site_accounts.sign_in("reader", "correct-horse", address=ADDRESS)
        page = await services.site_accounts.favorites(signed_in.user.id)

    assert len(page.items) == 19
    assert "900451" not in {album.id for album in page.items}


@pytest.mark.parametrize("arguments", [{"folder_id": "x"}, {"folder_id": "-1"}, {"page": 0}, {"page": 10_001}])
async def test_folders_and_pages_that_can_not_be_are_not_requested(
    accounts: SiteAccounts, reader: User, demo: RunningDemo, arguments: dict[str, Any]
) -> None:
    demo.requests.reset()

    with pytest.raises(InvalidInput):
        await accounts.favorites(reader.id, **arguments)

    assert demo.requests.count("/favorite") == 0


async def test_a_favourite_is_set_for_the_person_alone(
    services: Services, accounts: SiteAccounts, reader: User, demo: RunningDemo
) -> None:
    other = (await accounts.sign_in("traveller", "window-seat", address=ADDRESS)).user

    changed = await accounts.set_favorite(reader.id, NO_FAVORITE, is_favorite=True)

    assert (changed.album.id, changed.is_favorite) == (NO_FAVORITE, True)
    assert await accounts.favorites_among(reader.id, [NO_FAVORITE, FAVORITE]) == [True, True]
    assert await accounts.favorites_among(other.id, [NO_FAVORITE, FAVORITE]) == [False, False]
    assert demo.members.favorites_of("traveller") == [438516, 333908]


async def test_only_albums_that_may_be_shown_become_favourites(
    make_settings: Callable[..., Settings], demo: RunningDemo
) -> None:
    async with open_services(make_settings(blocked_tags=("測試封鎖",))) as services:
        user = (await services.site_accounts.sign_in("traveller", "window-seat", address=ADDRESS)).user
        with pytest.raises(BlockedByPolicy):
            await services.site_accounts.set_favorite(user.id, "900452", is_favorite=True)
        with pytest.raises(AlbumNotFound):
            await services.site_accounts.set_favorite(user.id, "900404", is_favorite=True)

    assert demo.members.favorites_of("traveller") == [438516, 333908]


async def test_changes_of_one_account_follow_each_other_in_all_processes(
    settings: Settings, accounts: SiteAccounts, reader: User, demo: RunningDemo
) -> None:
    """Two processes that both read "no" would toggle twice, which is no favourite again."""
    demo.knobs.set("api", path="/favorite", method="POST", latency_s=0.3)
    async with open_services(settings) as other:
        await asyncio.gather(
            *(
                process.set_favorite(reader.id, NO_FAVORITE, is_favorite=True)
                for process in (accounts, other.site_accounts, accounts, other.site_accounts)
            )
        )

    assert demo.members.favorites_of("reader")[0] == int(NO_FAVORITE)
    assert sum(seen.method == "POST" for seen in demo.requests.find("/favorite")) == 1


async def test_what_is_read_with_a_session_is_never_cached(
    accounts: SiteAccounts, reader: User, demo: RunningDemo
) -> None:
    before = await accounts.favorites_among(reader.id, [NO_FAVORITE])
    demo.members.set_favorite("reader", int(NO_FAVORITE), is_favorite=True)

    assert before == [False]
    assert await accounts.favorites_among(reader.id, [NO_FAVORITE]) == [True]
    assert (await accounts.favorites(reader.id)).items[0].id == NO_FAVORITE


async def test_albums_are_told_apart_by_whether_they_are_favourites(
    accounts: SiteAccounts, reader: User, demo: RunningDemo
) -> None:
    favorites = [str(id) for id in demo.members.favorites_of("reader")]

    some = await accounts.favorites_among(reader.id, [favorites[0], NO_FAVORITE, favorites[30], NO_FAVORITE])

    assert some == [True, False, True, False]


async def test_many_albums_take_no_more_calls_than_there_are_pages_of_favourites(
    accounts: SiteAccounts, reader: User, demo: RunningDemo
) -> None:
    favorites = [str(id) for id in demo.members.favorites_of("reader")]
    demo.requests.reset()

    assert await accounts.favorites_among(reader.id, [*favorites, NO_FAVORITE]) == [True] * 44 + [False]
    assert (demo.requests.count("/favorite"), demo.requests.count("/album")) == (3, 0)


async def test_a_few_albums_are_asked_for_where_the_favourites_have_many_pages(
    accounts: SiteAccounts, reader: User, demo: RunningDemo
) -> None:
    for id in range(2_000_000, 2_000_300):
        demo.members.set_favorite("reader", id, is_favorite=True)
    demo.requests.reset()

    yes, failed, no = await accounts.favorites_among(reader.id, [FAVORITE, "900403", NO_FAVORITE])

    assert (yes, no) == (True, False)
    assert isinstance(failed, UpstreamFailure)
    assert demo.requests.count("/favorite") == 2


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (100, 5)])
async def test_all_pages_are_read_though_each_session_ends_after_three_requests(
    services: Services, owner: User, demo: RunningDemo, count: int, pages: int
) -> None:
    for id in range(2_000_000, 2_000_000 + count):
        demo.members.set_favorite("sleeper", id, is_favorite=True)
    accounts = services.site_accounts
    await accounts.connect(owner, "sleeper", "correct-horse", address=ADDRESS, remember=True)

    imported = await accounts.import_favorites(owner.id)

    assert (imported.added, imported.already) == (count, 0)
    found = await accounts.find(owner.id)
    assert found is not None
    assert found.state is SiteAccountState.CONNECTED
    assert len({seen.query for seen in demo.requests.find("/favorite")}) == pages


async def test_favourites_are_imported_into_the_library_in_their_order(
    services: Services, reader: User, demo: RunningDemo
) -> None:
    accounts, library = services.site_accounts, services.library

    of_folder = await accounts.import_favorites(reader.id, "7002")
    of_all = await accounts.import_favorites(reader.id)
    again = await accounts.import_favorites(reader.id)

    assert [(each.added, each.already) for each in (of_folder, of_all, again)] == [(3, 0), (41, 3), (0, 44)]
    listed = await library.list(reader.id, first=5)
    assert listed.total == 44
    assert [entry.album.id for entry in listed.items][:2] == [FAVORITE, "900451"]


async def test_what_the_host_withholds_is_not_imported(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(blocked_tags=("測試封鎖",), policy="strict")
    async with open_services(settings) as services:
        user = (await services.site_accounts.sign_in("reader", "correct-horse", address=ADDRESS)).user
        imported = await services.site_accounts.import_favorites(user.id)

    assert (imported.added, imported.already) == (43, 0)


async def test_a_check_in_is_new_once(accounts: SiteAccounts, reader: User) -> None:
    assert [(await accounts.check_in(reader.id)).is_new for _ in range(2)] == [True, False]


# --- sessions that run out ---------------------------------------------------------------------------------------


async def test_without_an_account_of_the_site_a_login_is_required(accounts: SiteAccounts, owner: User) -> None:
    for call in (accounts.favorites, accounts.folders, accounts.check_in):
        with pytest.raises(SiteLoginRequired):
            await call(owner.id)
    with pytest.raises(SiteLoginRequired):
        await accounts.set_favorite(owner.id, FAVORITE, is_favorite=True)
    assert await accounts.favorites_among(owner.id, [FAVORITE]) == [None]


async def test_a_session_that_has_run_out_makes_the_account_expired(
    accounts: SiteAccounts, reader: User, demo: RunningDemo
) -> None:
    demo.members.end_sessions("reader")

    with pytest.raises(SiteLoginRequired):
        await accounts.favorites(reader.id)

    found = await accounts.find(reader.id)
    assert found is not None
    assert found.state is EXPIRED
    assert await accounts.favorites_among(reader.id, [FAVORITE]) == [None]
    asked = demo.requests.count("/favorite")
    with pytest.raises(SiteLoginRequired):
        await accounts.check_in(reader.id)
    assert demo.requests.count("/favorite") == asked


async def test_a_remembered_password_begins_a_new_session_in_silence(
    accounts: SiteAccounts, owner: User, demo: RunningDemo
) -> None:
    await accounts.connect(owner, "reader", "correct-horse", address=ADDRESS, remember=True)
    demo.members.end_sessions("reader")

    pages = await asyncio.gather(*(accounts.favorites(owner.id, page=page) for page in (1, 2, 3)))

    assert [len(page.items) for page in pages] == [20, 20, 4]
    assert demo.requests.count("/login") == 2
    found = await accounts.find(owner.id)
    assert found is not None
    assert found.state is SiteAccountState.CONNECTED


async def test_a_favourite_is_set_right_though_the_session_runs_out_in_the_middle(
    accounts: SiteAccounts, owner: User, demo: RunningDemo
) -> None:
    await accounts.connect(owner, "sleeper", "correct-horse", address=ADDRESS, remember=True)

    for id in (FAVORITE, NO_FAVORITE, "333908", "438516"):
        await accounts.set_favorite(owner.id, id, is_favorite=True)

    assert demo.members.favorites_of("sleeper") == [438516, 333908, int(NO_FAVORITE), int(FAVORITE)]


async def test_a_remembered_password_that_is_refused_by_now_is_forgotten(
    services: Services, owner: User, demo: RunningDemo
) -> None:
    await services.site_accounts.connect(owner, "reader", "correct-horse", address=ADDRESS, remember=True)
    row = await row_of(services, owner)
    assert row is not None
    row.encrypted_password = services.people.secrets.encrypt("changed")
    async with services.database.write() as session:
        await session.merge(row)
    demo.members.end_sessions("reader")

    with pytest.raises(SiteLoginRequired):
        await services.site_accounts.favorites(owner.id)

    row = await row_of(services, owner)
    assert row is not None
    assert (row.is_expired, row.encrypted_password) == (True, None)


async def test_a_site_that_is_away_expires_nothing(accounts: SiteAccounts, reader: User, demo: RunningDemo) -> None:
    demo.knobs.set("api", path="/favorite", failure="drop")

    with pytest.raises(UpstreamFailure):
        await accounts.favorites(reader.id)

    found = await accounts.find(reader.id)
    assert found is not None
    assert found.state is SiteAccountState.CONNECTED


async def test_with_another_secret_key_the_account_is_expired_with_one_line(
    make_settings: Callable[..., Settings], database_url: str
) -> None:
    first, second = (
        make_settings(secret_key=SecretStr(key), database_url=database_url) for key in ("one key", "another key")
    )
    async with open_services(first) as services:
        user = (await services.site_accounts.sign_in("reader", "correct-horse", address=ADDRESS, remember=True)).user

    with capture_logs() as logs:
        async with open_services(second) as services:
            for _ in range(2):
                found = await services.site_accounts.find(user.id)
                assert found is not None
                assert (found.username, found.state) == ("reader", EXPIRED)
                with pytest.raises(SiteLoginRequired):
                    await services.site_accounts.favorites(user.id)
            assert await services.catalog.find_album(FAVORITE) is not None
    assert [entry["log_level"] for entry in logs if "secret key" in entry["event"]] == ["warning"]

    async with open_services(first) as services:
        assert (await services.site_accounts.favorites(user.id)).total == 44
