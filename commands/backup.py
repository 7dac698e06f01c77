"""`jmgraph backup` and `jmgraph restore`: the people of this server, in one file.

A zip archive: each table of the database as lines of JSON, and the secret key. Whoever has it can use the accounts of
the site that people have connected: it is readable by its owner alone.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from commands.server_file import find_server
from services.database import open_database, read_backup, write_backup
from services.errors import ConfigurationError
from services.people import KEY_FILE, read_secret_key, write_secret_key
from services.settings import Settings, make_data_dir


async def backup(settings: Settings, path: Path) -> int:
    """Write the backup under a temporary name, then rename it: a file that is there is whole."""
    make_data_dir(settings.data_dir)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with suppress(FileNotFoundError):
            partial.unlink()
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
            async with open_database(settings) as database:
                await database.run_on_snapshot(lambda connection: write_backup(connection, archive))
            if key := read_secret_key(settings.secret_key.get_secret_value(), settings.data_dir):
                archive.writestr(KEY_FILE, key)
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    print(f"wrote {path}; keep it secret")  # noqa: T201 (output of the command)
    return 0


async def restore(settings: Settings, path: Path) -> int:
    """Put a backup in place of what is there: all of it or, where it can't be read, nothing."""
    if (server := find_server(settings)) is not None:
        raise ConfigurationError(f"A server runs at {server.url}: stop it first, and start it again afterwards.")
    make_data_dir(settings.data_dir)
    secret_key = settings.secret_key.get_secret_value()
    try:
        with ZipFile(path) as archive:
            key = archive.read(KEY_FILE) if KEY_FILE in archive.namelist() else b""
            async with open_database(settings) as database:
                await database.change_schema(lambda connection: read_backup(connection, archive))
            if key and not secret_key:
                write_secret_key(settings.data_dir, key)
    except (BadZipFile, EOFError, zlib.error):
        raise ConfigurationError(f"{path}: no backup of jmgraph, or a damaged one") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    print(f"restored {path}")  # noqa: T201 (output of the command)
    if key and secret_key and key != secret_key.encode():
        print("JMGRAPH_SECRET_KEY is not that of the backup: accounts of the site have to be connected again")  # noqa: T201
    return 0
