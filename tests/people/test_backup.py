"""Backups: written by one server, restored by another, whatever their databases are."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from commands.backup import backup, restore
from commands.server_file import RunningServer, announced
from services.database import Database, open_database
from services.database.models import AlbumRow, BlockedTagRow, LibraryRow, TokenRow
from services.errors import ConfigurationError
from services.people import AccountTools, People
from services.settings import Settings
from tests.persons import PASSWORD

pytestmark = pytest.mark.anyio

KEY = b"a key that was made once"


@pytest.fixture
def sqlite(make_settings: Callable[..., Settings], tmp_path: Path) -> Settings:
    """Settings of another server, on SQLite."""
    return make_settings(data_dir=tmp_path / "other")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "people.zip"


def _album(id: str, tags: list[str] | None) -> AlbumRow:
    return AlbumRow(id=id, title="山行", title_key="山行", tags=tags, chapter_count=1, updated_at_ms=0)


async def _add_alice(settings: Settings) -> str:
    """An account with an access token, a blocked tag and an album, and the server's key; the token."""
    (settings.data_dir / "secret.key").write_bytes(KEY)
    async with open_database(settings) as database:
        tools = AccountTools.on(database, settings)
        alice = await tools.accounts.create("alice", PASSWORD)
        async with database.write() as session:
            session.add(BlockedTagRow(user_id=alice.id, tag="狐狸"))
            session.add_all([_album("350234", ["全彩"]), _album("333908", None)])
            session.add(
                LibraryRow(user_id=alice.id, album_id="350234", added_at_ms=1, auto_download=True, notify=False)
            )
        return (await tools.tokens.create_access_token(alice, "phone")).token


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def _names(settings: Settings) -> list[str]:
    async with open_database(settings) as database:
        return [user.name for user in await AccountTools.on(database, settings).accounts.list()]


async def _check_alice(settings: Settings, token: str) -> None:
    async with open_database(settings) as database:
        tools = AccountTools.on(database, settings)
        viewer = await tools.tokens.identify(token)
        assert viewer.user == await tools.accounts.verify("alice", PASSWORD)
        assert (viewer.user.id, viewer.user.is_admin, viewer.blocked_tags) == ("owner", True, ("狐狸",))
        async with database.read() as session:
            albums = await session.execute(select(AlbumRow.id, AlbumRow.tags).order_by(AlbumRow.id))
            assert [tuple(row) for row in albums] == [("333908", None), ("350234", ["全彩"])]
            assert (await session.scalars(select(AlbumRow.id).where(AlbumRow.tags.is_(None)))).all() == ["333908"]
            assert (await session.scalars(select(LibraryRow.album_id))).all() == ["350234"]


async def test_a_backup_brings_everything_back(settings: Settings, file: Path) -> None:
    token = await _add_alice(settings)

    assert await backup(settings, file) == 0
    (settings.data_dir / "secret.key").write_bytes(b"another")
    async with open_database(settings) as database:
        accounts = AccountTools.on(database, settings).accounts
        await accounts.remove("owner")
        await accounts.create("bob", PASSWORD)
    assert await restore(settings, file) == 0

    await _check_alice(settings, token)
    assert await _names(settings) == ["alice"]
    key = settings.data_dir / "secret.key"
    assert key.read_bytes() == KEY
    assert (_mode(key), _mode(file)) == (0o600, 0o600)


async def test_a_backup_of_either_database_is_restored_into_sqlite(
    settings: Settings, sqlite: Settings, file: Path
) -> None:
    token = await _add_alice(settings)

    await backup(settings, file)
    await restore(sqlite, file)

    await _check_alice(sqlite, token)
    assert (sqlite.data_dir / "secret.key").read_bytes() == KEY


async def test_a_backup_of_sqlite_is_restored_into_either_database(
    settings: Settings, sqlite: Settings, file: Path
) -> None:
    sqlite.data_dir.mkdir()
    token = await _add_alice(sqlite)

    await backup(sqlite, file)
    await restore(settings, file)

    await _check_alice(settings, token)


async def test_other_tables_of_the_database_stay(settings: Settings, database: Database, file: Path) -> None:
    await _add_alice(settings)
    async with database.write() as session:
        await session.execute(text("CREATE TABLE recipes (title text)"))
        await session.execute(text("INSERT INTO recipes VALUES ('soup')"))

    await backup(settings, file)
    await restore(settings, file)

    async with database.read() as session:
        assert (await session.scalars(text("SELECT title FROM recipes"))).all() == ["soup"]


async def test_a_running_server_notices_what_was_restored(settings: Settings, people: People, file: Path) -> None:
    await backup(settings, file)
    token = (await people.tokens.start_session(await people.accounts.create("alice", PASSWORD))).token
    await people.tokens.identify(token)

    await restore(settings, file)
    await people.state.refresh()

    assert people.state.is_closed is False
    assert people.tokens.known(token) is None


async def test_the_key_of_the_settings_is_in_the_backup(settings: Settings, sqlite: Settings, file: Path) -> None:
    named = settings.model_copy(update={"secret_key": SecretStr("a key of the settings")})

    await backup(named, file)
    await restore(sqlite, file)

    assert (sqlite.data_dir / "secret.key").read_bytes() == b"a key of the settings"


async def test_another_key_in_the_settings_is_named(
    settings: Settings, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await _add_alice(settings)
    await backup(settings, file)

    await restore(settings.model_copy(update={"secret_key": SecretStr("another")}), file)

    assert capsys.readouterr().out.splitlines()[-1] == (
        "JMGRAPH_SECRET_KEY is not that of the backup: accounts of the site have to be connected again"
    )
    assert (settings.data_dir / "secret.key").read_bytes() == KEY


def _with(file: Path, name: str, content: bytes) -> None:
    """Put this in place of a part of the backup."""
    with ZipFile(file) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    with ZipFile(file, "w") as archive:
        for part, data in (parts | {name: content}).items():
            archive.writestr(part, data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_bytes(b"this is no backup"),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "another archive": lambda file: ZipFile(file, "w").close(),
    "a line that is cut off": lambda file: _with(file, "users.jsonl", b'{"id": "own'),
    "a line that is no row": lambda file: _with(file, "users.jsonl", b"7\n"),
    "an unknown column": lambda file: _with(file, "users.jsonl", b'{"colour": "red"}\n'),
    "tokens of nobody": lambda file: _with(file, "users.jsonl", b""),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_backup_changes_nothing(settings: Settings, file: Path, damage: str) -> None:
    token = await _add_alice(settings)
    await backup(settings, file)
    DAMAGES[damage](file)

    with pytest.raises(ConfigurationError) as refused:
        await restore(settings, file)

    assert "\n" not in str(refused.value)
    await _check_alice(settings, token)
    assert (settings.data_dir / "secret.key").read_bytes() == KEY


async def test_a_backup_of_a_newer_version_is_refused(settings: Settings, file: Path) -> None:
    token = await _add_alice(settings)
    await backup(settings, file)
    _with(file, "database.json", json.dumps({"revision": "9999"}).encode())

    with pytest.raises(ConfigurationError, match="The backup is of a newer version"):
        await restore(settings, file)

    await _check_alice(settings, token)


async def test_nothing_is_restored_over_a_newer_database(settings: Settings, database: Database, file: Path) -> None:
    await backup(settings, file)
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigurationError, match="the database is of a newer version"):
        await restore(settings, file)

    async with database.read() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


async def test_nothing_is_restored_while_a_server_runs(settings: Settings, file: Path) -> None:
    token = await _add_alice(settings)
    await backup(settings, file)

    with (
        announced(settings.data_dir, RunningServer(1, "http://127.0.0.1:11111")),
        pytest.raises(ConfigurationError) as refused,
    ):
        await restore(settings, file)

    assert str(refused.value) == (
        "A server runs at http://127.0.0.1:11111: stop it first, and start it again afterwards."
    )
    await _check_alice(settings, token)


async def test_a_backup_that_can_not_be_written_is_one_line(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        await backup(settings, tmp_path / "missing" / "people.zip")


async def test_a_backup_has_no_token_and_no_password(settings: Settings, database: Database, file: Path) -> None:
    token = await _add_alice(settings)

    await backup(settings, file)

    with ZipFile(file) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    async with database.read() as session:
        assert (await session.scalars(select(TokenRow.label))).all() == ["phone"]
    assert token.encode() not in content
    assert PASSWORD.encode() not in content
