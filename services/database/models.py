"""The tables. A column that ends in `_ms` is a time in milliseconds since 1970, UTC.

A change here needs a migration beside it: a test compares these tables with a migrated database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

OWNER_ID = "owner"
"""Id of the user that everybody is while no account exists. The first account takes this row over."""

_ID = String(32)
_ALBUM_ID = String(12)
_SORTED_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Sorted by code point, as SQLite does it."""


class TableBase(DeclarativeBase):
    """Base of all tables; names of constraints are the same in every database, as migrations need."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UserRow(TableBase):
    """A user: the owner of an open server, an account with a password, or who signed in by an account of the site."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = mapped_column(String(1024), unique=True)
    """The name in the form that names are compared in: NFKC, case-folded."""
    password_hash: Mapped[str | None] = mapped_column(String(255))
    """Argon2's encoded hash; a user that has one is an account. None for the owner and for users of the site."""
    is_admin: Mapped[bool]
    created_at_ms: Mapped[int] = mapped_column(BigInteger)


class TokenRow(TableBase):
    """A session or an access token; the token itself is known to its owner alone."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    is_session: Mapped[bool]
    label: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(8))
    """READ, WRITE or ADMIN."""
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    expires_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    last_used_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class AccountsVersionRow(TableBase):
    """One row, whose version grows with each change of accounts or tokens, so that every process notices it."""

    __tablename__ = "accounts_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


class SiteAccountRow(TableBase):
    """The account of the site that a user has connected. Cookies and password are encrypted with the secret key."""

    __tablename__ = "site_accounts"

    user_id: Mapped[str] = mapped_column(_ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    username: Mapped[str] = mapped_column(String(255))
    site_user_id: Mapped[str] = mapped_column(String(32))
    encrypted_session: Mapped[bytes] = mapped_column(LargeBinary)
    encrypted_password: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_expired: Mapped[bool]
    connected_at_ms: Mapped[int] = mapped_column(BigInteger)


class BlockedTagRow(TableBase):
    """A tag that a user does not want to see, on top of what the host withholds."""

    __tablename__ = "blocked_tags"

    user_id: Mapped[str] = mapped_column(_ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(255), primary_key=True)


class NotificationTargetRow(TableBase):
    """An address at which a user is notified, encrypted with the secret key."""

    __tablename__ = "notification_targets"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    encrypted_url: Mapped[bytes] = mapped_column(LargeBinary)


class NotificationEventRow(TableBase):
    """A kind of event that a user is notified of."""

    __tablename__ = "notification_events"

    user_id: Mapped[str] = mapped_column(_ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    event: Mapped[str] = mapped_column(String(32), primary_key=True)


class NotificationDeliveryRow(TableBase):
    """A notification that is to be sent to an address; deleted once that is done, or given up."""

    __tablename__ = "notification_deliveries"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The same at each attempt, and for each address another."""
    target_id: Mapped[str] = mapped_column(_ID, ForeignKey("notification_targets.id", ondelete="CASCADE"), index=True)
    event: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int]
    due_at_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class AlbumRow(TableBase):
    """An album that somebody reads or has in the library, as it was last seen: one row for all people."""

    __tablename__ = "albums"

    id: Mapped[str] = mapped_column(_ALBUM_ID, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    title_key: Mapped[str] = mapped_column(_SORTED_TEXT)
    """The title in the form that titles are searched and sorted in."""
    tags: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """As the site spells them, for the content policy; None while only a list has shown the album."""
    chapter_count: Mapped[int]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of all that is stored of the album and its chapters; None until the chapters were seen as a whole."""
    updated_at_ms: Mapped[int] = mapped_column(BigInteger)
    """The latest of: the day that the site states, and the time when a new chapter was found; 0 when unknown."""
    checked_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When its chapters were last looked at."""
    last_error: Mapped[str | None] = mapped_column(String(255))
    """Why they could not be read then."""
    requested_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When somebody asked for a look that has not happened yet."""
    news_since_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When the first of its chapters was found that the followers have not been told of; None without any."""


class ChapterRow(TableBase):
    """A chapter of a stored album."""

    __tablename__ = "chapters"
    __table_args__ = (Index(None, "album_id", "found_at_ms"),)

    album_id: Mapped[str] = mapped_column(_ALBUM_ID, ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(_ALBUM_ID, primary_key=True)
    position: Mapped[int]
    """1-based, in reading order."""
    title: Mapped[str] = mapped_column(Text)
    page_count: Mapped[int | None]
    """None until somebody has read it."""
    is_listed: Mapped[bool]
    """False once the album lists it no longer."""
    found_at_ms: Mapped[int] = mapped_column(BigInteger)
    """When it was first seen; 0 for those that were there when the album was first looked at."""
    is_told: Mapped[bool]
    """False until the followers have been told of it, and the downloads that they want are queued."""


class KeptAlbumRow(TableBase):
    """An album of which files are kept, and its place in the folder of kept files, which no other album has."""

    __tablename__ = "kept_albums"

    album_id: Mapped[str] = mapped_column(_ALBUM_ID, primary_key=True)
    folder: Mapped[str] = mapped_column(Text)
    """Path without an ending: of a folder, or of the only file: "青石/山行 [JM350234]"."""
    folder_key: Mapped[str] = mapped_column(Text, unique=True)
    """The path in the form that file systems compare at most: NFC, case-folded."""
    detail: Mapped[bytes] = mapped_column(LargeBinary)
    """The album as the site had it when a file of it was last kept, as JSON."""


class KeptFileRow(TableBase):
    """A kept file: one chapter in one format."""

    __tablename__ = "kept_files"
    __table_args__ = (Index(None, "chapter_id", "variant"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    album_id: Mapped[str] = mapped_column(_ALBUM_ID, ForeignKey("kept_albums.album_id"), index=True)
    chapter_id: Mapped[str] = mapped_column(_ALBUM_ID)
    position: Mapped[int]
    """1-based, of the chapter in its album."""
    path: Mapped[str] = mapped_column(Text)
    path_key: Mapped[str] = mapped_column(Text, unique=True)
    variant: Mapped[str] = mapped_column(String(32))
    """Kind of archive and format of the pages: "cbz original"."""
    chapter: Mapped[bytes] = mapped_column(LargeBinary)
    """The chapter with the names of its pages, as JSON."""
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """None until the file is there."""
    sha256: Mapped[str | None] = mapped_column(String(64))
    is_complete: Mapped[bool]
    """False while it is not there, and where plain pages stand in it for missing ones."""
    is_deleting: Mapped[bool]
    """True once nobody keeps it: the file is being deleted, and nobody may keep it any more."""


class KeptHolderRow(TableBase):
    """A download that holds a kept file: it is deleted with the last of them."""

    __tablename__ = "kept_holders"

    file_id: Mapped[str] = mapped_column(_ID, ForeignKey("kept_files.id", ondelete="CASCADE"), primary_key=True)
    download_id: Mapped[str] = mapped_column(_ID, primary_key=True, index=True)


class KeptDownloadRow(TableBase):
    """A finished download whose files are kept, as Redis has it: what it is restored from when Redis was lost."""

    __tablename__ = "kept_downloads"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class LibraryRow(TableBase):
    """An album that a user keeps an eye on."""

    __tablename__ = "library"
    __table_args__ = (
        Index(None, "album_id"),
        Index(None, "user_id", "added_at_ms"),
    )

    user_id: Mapped[str] = mapped_column(_ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    album_id: Mapped[str] = mapped_column(_ALBUM_ID, ForeignKey("albums.id"), primary_key=True)
    added_at_ms: Mapped[int] = mapped_column(BigInteger)
    auto_download: Mapped[bool]
    notify: Mapped[bool]


class ReadingRow(TableBase):
    """How far a user has read a chapter: the report with the latest `read_at_ms`."""

    __tablename__ = "reading"
    __table_args__ = (
        Index(None, "user_id", "album_id", "read_at_ms"),
        Index(None, "album_id"),
    )

    user_id: Mapped[str] = mapped_column(_ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    chapter_id: Mapped[str] = mapped_column(_ALBUM_ID, primary_key=True)
    album_id: Mapped[str] = mapped_column(_ALBUM_ID, ForeignKey("albums.id"))
    page: Mapped[int]
    """0 for a chapter that was marked as unread: an older report that arrives later does not count."""
    page_count: Mapped[int]
    is_finished: Mapped[bool]
    read_at_ms: Mapped[int] = mapped_column(BigInteger)
    device: Mapped[str | None] = mapped_column(String(100))


class AlbumReadingRow(TableBase):
    """The chapter of an album that a user read last. Follows from `reading`, and makes lists of albums quick."""

    __tablename__ = "album_reading"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "chapter_id"], ["reading.user_id", "reading.chapter_id"], ondelete="CASCADE"
        ),
        Index(None, "user_id", "read_at_ms"),
        Index(None, "user_id", "chapter_id"),
    )

    user_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    album_id: Mapped[str] = mapped_column(_ALBUM_ID, primary_key=True)
    chapter_id: Mapped[str] = mapped_column(_ALBUM_ID)
    read_at_ms: Mapped[int] = mapped_column(BigInteger)
