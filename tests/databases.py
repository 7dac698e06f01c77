"""Databases of people that are migrated already: to migrate an empty one takes longer than most tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

from services.database import open_database
from services.settings import Settings, read_settings

_FILE = "jmgraph.sqlite3"
_migrated: list[bytes] = []
"""The file of a migrated database with no rows of anybody, once a test has asked for one."""


async def place_migrated_database(settings: Settings) -> None:
    """Put a migrated database where these settings want one, unless they have one, or want it elsewhere."""
    path = settings.data_dir / _FILE
    if settings.database_url.get_secret_value() or path.exists() or settings.data_dir.is_file():
        return
    if not _migrated:
        with tempfile.TemporaryDirectory() as folder:
            async with open_database(read_settings(data_dir=Path(folder))):
                pass
            _migrated.append((Path(folder) / _FILE).read_bytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated[0])
