"""`jmgraph backup` and `jmgraph restore`: the people of this server, in one file.

A zip archive: each table of the database as lines of JSON, and the secret key. Whoever has it can use the accounts of
the site that people have connected: it is readable by its owner alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from services.database import open_database, read_backup, write_backup
from services.errors import ConfigurationError
from services.people import KEY_FILE, write_secret_key
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
                await database.run_in_transaction(lambda connection: write_backup(connection, archive))
            key = settings.data_dir / KEY_FILE
            if key.exists():
                archive.writestr(KEY_FILE, key.read_bytes())
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    print(f"wrote {path}; keep it secret")  # noqa: T201 (output of the command)
    return 0


async def restore(settings: Settings, path: Path) -> int:
    """Put a backup in place of what is there, all of it or nothing; processes that run notice it by themselves."""
    make_data_dir(settings.data_dir)
    try:
        with ZipFile(path) as archive:
            async with open_database(settings) as database:
                await database.change_schema(lambda connection: read_backup(connection, archive))
            if KEY_FILE in archive.namelist():
                write_secret_key(settings.data_dir, archive.read(KEY_FILE))
    except BadZipFile:
        raise ConfigurationError(f"{path}: no backup of jmgraph") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    print(f"restored {path}; restart a server that runs, so that it reads its secret key")  # noqa: T201
    return 0
