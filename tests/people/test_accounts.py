"""Accounts and tokens, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import Table, select, update

from services.database import Database, open_database
from services.database.models import (
    AlbumReadingRow,
    AlbumRow,
    BlockedTagRow,
    LibraryRow,
    ReadingRow,
    SiteAccountRow,
    TableBase,
    TokenRow,
)
from services.errors import Conflict, InvalidCredentials, InvalidInput, Unauthenticated
from services.people import People, Tokens, TokenScope, open_people
from services.redis import RedisClient
from services.settings import Settings
from tests.fakes import Clock
from tests.processes import free_port

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse"


async def test_a_new_server_is_open_and_everybody_is_its_owner(people: People) -> None:
    owner = await people.accounts.owner()

    assert people.state.is_closed is False
    assert owner is not None
    assert (owner.id, owner.name, owner.is_admin) == ("owner", "owner", True)
    assert await people.accounts.list() == []


async def test_the_first_account_is_an_admin_and_takes_over_what_the_owner_had(
    people: People, database: Database
) -> None:
    async with database.write() as session:
        session.add(AlbumRow(id="350234", title="", title_key="", chapter_count=1, updated_at_ms=0))
        await session.flush()
        session.add(
            ReadingRow(
                user_id="owner",
                chapter_id="350234",
                album_id="350234",
                page=3,
                page_count=20,
                is_finished=False,
                read_at_ms=1,
            )
        )

    first = await people.accounts.create("Alice", PASSWORD)
    second = await people.accounts.create("bob", PASSWORD)

    assert (first.id, first.name, first.is_admin) == ("owner", "Alice", True)
    assert (second.name, second.is_admin) == ("bob", False)
    assert second.id != "owner"
    assert people.state.is_closed is True
    assert await people.accounts.owner() is None
    async with database.read() as session:
        assert (await session.scalars(select(ReadingRow.user_id))).all() == [first.id]


async def test_another_process_closes_within_a_second(
    people: People, settings: Settings, database: Database, redis_client: RedisClient
) -> None:
    async with open_people(settings, database, redis_client) as other:
        changed = asyncio.create_task(other.state.wait_for_change())
        await asyncio.sleep(0)

        await people.accounts.create("alice", PASSWORD)
        await asyncio.wait_for(changed, 1)

        assert other.state.is_closed is True


async def test_a_closed_server_that_starts_without_its_database_stays_closed(
    people: People, settings: Settings, redis_client: RedisClient
) -> None:
    await people.accounts.create("alice", PASSWORD)
    away = settings.model_copy(update={"database_url": SecretStr(f"postgresql://127.0.0.1:{free_port()}/jmgraph")})

    async with open_database(away) as unreachable, open_people(away, unreachable, redis_client) as restarted:
        assert restarted.state.is_closed is True


@pytest.mark.parametrize("name", ["ab", "a" * 33, "al ice", "a\u0000lice", "al:ice", "ali\nce", "ali/ce", "<alice>"])
async def test_a_name_that_can_not_be_is_refused(people: People, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await people.accounts.create(name, PASSWORD)

    assert refused.value.field == "name"
    assert people.state.is_closed is False


@pytest.mark.parametrize("name", ["abc", "a" * 32, "张小明", "Ünsal.K-1_2", "さくら", "हिन्दी"])
async def test_letters_of_any_script_make_a_name(people: People, name: str) -> None:
    assert (await people.accounts.create(name, PASSWORD)).name == name
    assert (await people.accounts.verify(name, PASSWORD)).name == name


@pytest.mark.parametrize(("taken", "other"), [("alice", "ALICE"), ("Alice", "Ａｌｉｃｅ"), ("straße", "STRASSE")])
async def test_names_are_compared_case_folded_and_in_nfkc(people: People, taken: str, other: str) -> None:
    await people.accounts.create(taken, PASSWORD)

    with pytest.raises(Conflict):
        await people.accounts.create(other, PASSWORD)

    assert (await people.accounts.verify(other, PASSWORD)).name == taken


@pytest.mark.parametrize("length", [7, 257])
async def test_a_password_too_short_or_too_long_is_refused(people: People, length: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        await people.accounts.create("alice", "x" * length)

    assert refused.value.field == "password"


@pytest.mark.parametrize("length", [8, 256])
async def test_a_password_of_8_or_256_characters_is_taken(people: People, length: int) -> None:
    await people.accounts.create("alice", "长" * length)

    assert (await people.accounts.verify("alice", "长" * length)).name == "alice"


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong-horse"), ("nobody", PASSWORD), ("owner", PASSWORD)])
async def test_wrong_credentials_do_not_say_what_is_wrong(people: People, name: str, password: str) -> None:
    await people.accounts.create("alice", PASSWORD)

    with pytest.raises(InvalidCredentials) as refused:
        await people.accounts.verify(name, password)

    assert refused.value.message == "Wrong name or password."


async def test_a_new_password_ends_the_other_sessions(people: People) -> None:
    alice = await people.accounts.create("alice", PASSWORD)
    here, there = await people.tokens.start_session(alice), await people.tokens.start_session(alice)
    phone = await people.tokens.create_access_token(alice, "phone")

    await people.accounts.change_password(alice.id, PASSWORD, "another-horse", session_id=here.id)

    assert (await people.tokens.identify(here.token)).user == alice
    assert (await people.tokens.identify(phone.token)).user == alice
    with pytest.raises(Unauthenticated):
        await people.tokens.identify(there.token)
    with pytest.raises(InvalidCredentials):
        await people.accounts.verify("alice", PASSWORD)


async def test_a_token_is_shown_once_and_kept_as_its_digest(people: People, database: Database) -> None:
    alice = await people.accounts.create("alice", PASSWORD)

    issued = await people.tokens.create_access_token(alice, "phone", TokenScope.READ)

    viewer = await people.tokens.identify(issued.token)
    assert (viewer.user, viewer.scope, viewer.token_id, viewer.is_session) == (alice, "READ", issued.id, False)
    assert issued.token.startswith("jmg_")
    assert len(issued.token) == 47
    async with database.read() as session:
        row = (await session.scalars(select(TokenRow))).one()
    assert issued.token.encode() not in row.sha256
    assert len(row.sha256) == 32


async def test_a_revoked_token_is_refused_in_every_process(
    people: People, settings: Settings, database: Database, redis_client: RedisClient
) -> None:
    alice = await people.accounts.create("alice", PASSWORD)
    issued = await people.tokens.start_session(alice)
    async with open_people(settings, database, redis_client) as other:
        await other.tokens.identify(issued.token)
        changed = asyncio.create_task(other.state.wait_for_change())
        await asyncio.sleep(0)

        assert await people.tokens.revoke(alice.id, issued.id) is True
        await asyncio.wait_for(changed, 1)

        for tokens in (people.tokens, other.tokens):
            with pytest.raises(Unauthenticated):
                await tokens.identify(issued.token)


async def test_a_token_of_another_person_can_not_be_revoked(people: People) -> None:
    alice, bob = await people.accounts.create("alice", PASSWORD), await people.accounts.create("bob", PASSWORD)
    issued = await people.tokens.create_access_token(alice, "phone")

    assert await people.tokens.revoke(bob.id, issued.id) is False
    assert (await people.tokens.identify(issued.token)).user == alice


async def test_a_token_that_has_expired_is_refused(people: People, database: Database) -> None:
    alice = await people.accounts.create("alice", PASSWORD)
    issued = await people.tokens.create_access_token(
        alice, "phone", expires_at=datetime.now(UTC) + timedelta(hours=1)
    )
    async with database.write() as session:
        await session.execute(update(TokenRow).values(expires_at_ms=1))

    with pytest.raises(Unauthenticated):
        await people.tokens.identify(issued.token)
    assert await people.tokens.list_access_tokens(alice.id) == []


async def test_a_session_is_renewed_by_use(people: People, database: Database) -> None:
    alice = await people.accounts.create("alice", PASSWORD)
    issued = await people.tokens.start_session(alice)
    soon = datetime.now(UTC) + timedelta(days=1)
    async with database.write() as session:
        await session.execute(update(TokenRow).values(expires_at_ms=int(soon.timestamp() * 1000)))

    viewer = await people.tokens.identify(issued.token)

    assert viewer.expires_at is not None
    assert viewer.expires_at > soon + timedelta(days=28)


async def test_only_an_admin_has_tokens_for_administration(people: People) -> None:
    await people.accounts.create("alice", PASSWORD)
    bob = await people.accounts.create("bob", PASSWORD)

    with pytest.raises(InvalidInput):
        await people.tokens.create_access_token(bob, "phone", TokenScope.ADMIN)


async def test_removing_a_user_removes_all_that_is_theirs(people: People, database: Database) -> None:
    await people.accounts.create("alice", PASSWORD)
    bob = await people.accounts.create("bob", PASSWORD)
    issued = await people.tokens.start_session(bob)
    read = ReadingRow(
        user_id=bob.id,
        chapter_id="350234",
        album_id="350234",
        page=3,
        page_count=20,
        is_finished=False,
        read_at_ms=1,
    )
    kept = LibraryRow(user_id=bob.id, album_id="350234", added_at_ms=1, auto_download=False, notify=True)
    at_site = SiteAccountRow(
        user_id=bob.id,
        username="reader",
        site_user_id="7",
        encrypted_session=b"",
        is_expired=False,
        connected_at_ms=1,
    )
    async with database.write() as session:
        session.add(AlbumRow(id="350234", title="", title_key="", chapter_count=1, updated_at_ms=0))
        await session.flush()
        session.add_all([read, kept, at_site, BlockedTagRow(user_id=bob.id, tag="狐狸")])
        await session.flush()
        session.add(AlbumReadingRow(user_id=bob.id, album_id="350234", chapter_id="350234", read_at_ms=1))

    assert await people.accounts.remove(bob.id) is True

    assert await people.accounts.remove(bob.id) is False
    assert [user.name for user in await people.accounts.list()] == ["alice"]
    with pytest.raises(Unauthenticated):
        await people.tokens.identify(issued.token)
    async with database.read() as session:
        for table in _tables_of_people():
            assert (await session.execute(select(table))).all() == [], table.name


def _tables_of_people() -> list[Table]:
    """Every table whose rows belong to a user."""
    return [table for table in TableBase.metadata.sorted_tables if "user_id" in table.columns]


async def test_a_session_by_an_account_of_the_site_goes_on_when_the_server_is_closed(people: People) -> None:
    reader = await people.accounts.site_user("5001", "reader")
    session = await people.tokens.start_session(reader)

    await people.accounts.create("alice", PASSWORD)

    assert (await people.tokens.identify(session.token)).user == reader


async def test_a_token_expires_also_while_it_is_remembered(people: People, database: Database) -> None:
    clock = Clock()
    tokens = Tokens(database, 50, clock)
    alice = await people.accounts.create("alice", PASSWORD)
    session = await tokens.start_session(alice)
    await tokens.identify(session.token)

    clock.now += 49
    assert tokens.known(session.token) is not None
    clock.now += 2

    assert tokens.known(session.token) is None
    with pytest.raises(Unauthenticated):
        await tokens.identify(session.token)


async def test_a_session_that_is_used_never_ends(people: People, database: Database) -> None:
    clock = Clock()
    tokens = Tokens(database, 1000, clock)
    session = await tokens.start_session(await people.accounts.create("alice", PASSWORD))

    for _ in range(5):
        clock.now += 900
        tokens.forget()  # as after a minute
        await tokens.identify(session.token)

    assert (await tokens.identify(session.token)).expires_at == datetime.fromtimestamp(clock.now + 1000, UTC)


async def test_the_last_admin_stays_while_there_are_other_accounts(people: People) -> None:
    alice = await people.accounts.create("alice", PASSWORD)
    bob = await people.accounts.create("bob", PASSWORD)

    with pytest.raises(Conflict):
        await people.accounts.remove(alice.id)

    assert await people.accounts.remove(bob.id) is True
    assert await people.accounts.remove(alice.id) is True


async def test_without_the_last_account_the_server_is_open_again(people: People) -> None:
    alice = await people.accounts.create("alice", PASSWORD)

    await people.accounts.remove(alice.id)

    owner = await people.accounts.owner()
    assert people.state.is_closed is False
    assert owner is not None
    assert (owner.id, owner.name) == ("owner", "owner")


async def test_a_user_of_the_site_is_no_account(people: People) -> None:
    first, again = [await people.accounts.site_user("5001", "reader") for _ in range(2)]

    assert first == again
    assert (first.name, first.is_admin) == ("jm:reader", False)
    assert people.state.is_closed is False
    with pytest.raises(InvalidCredentials):
        await people.accounts.verify("jm:reader", "")


async def test_a_name_of_the_site_that_somebody_else_has_by_now_leads_to_nobody_else_s_user(people: People) -> None:
    before = await people.accounts.site_user("5001", "reader")

    renamed = await people.accounts.site_user("5001", "bookworm")
    successor, again = [await people.accounts.site_user("5099", "Reader") for _ in range(2)]

    assert renamed == before
    assert successor == again
    assert (before.name, successor.name) == ("jm:reader", "jm:Reader (5099)")
    assert before.id != successor.id


async def test_one_user_is_made_of_an_account_of_the_site_by_many_logins_at_once(people: People) -> None:
    made = await asyncio.gather(*(people.accounts.site_user("5001", "reader") for _ in range(4)))

    assert {user.id for user in made} == {made[0].id}
    assert len(await people.accounts.list()) == 1


async def test_two_users_of_one_name_are_never_made(people: People) -> None:
    made = await asyncio.gather(
        *(people.accounts.create("alice", PASSWORD) for _ in range(4)), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in made) == ["Conflict", "Conflict", "Conflict", "User"]
