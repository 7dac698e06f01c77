"""The database of people and their libraries: SQLite in the data directory, or PostgreSQL where machines share it.

Other services import the tables from `services.database.models` and write SQLAlchemy's statements; its engine, its
errors and the migrations stay in here.
"""

from services.database.backup import read_backup, write_backup
from services.database.engine import Database, open_database
from services.database.migrations import REVISIONS, migrate, revision_of

__all__ = ["REVISIONS", "Database", "migrate", "open_database", "read_backup", "revision_of", "write_backup"]
