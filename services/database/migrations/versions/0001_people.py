"""Accounts, tokens, accounts of the site, blocked tags, reading and the library."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, and the owner of an open server."""
    op.create_table(
        "accounts_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_version")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", sa.String(length=1024), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name_key", name=op.f("uq_users_name_key")),
    )
    op.create_table(
        "blocked_tags",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_blocked_tags_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "tag", name=op.f("pk_blocked_tags")),
    )
    op.create_table(
        "albums",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("chapter_count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("checked_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.String(length=255), nullable=True),
        sa.Column("requested_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("news_since_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_albums")),
    )
    op.create_table(
        "chapters",
        sa.Column("album_id", sa.String(length=12), nullable=False),
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("found_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["album_id"], ["albums.id"], name=op.f("fk_chapters_album_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("album_id", "id", name=op.f("pk_chapters")),
    )
    with op.batch_alter_table("chapters", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_chapters_album_id_found_at_ms"), ["album_id", "found_at_ms"], unique=False
        )
    op.create_table(
        "library",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("album_id", sa.String(length=12), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("auto_download", sa.Boolean(), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["album_id"], ["albums.id"], name=op.f("fk_library_album_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_library_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "album_id", name=op.f("pk_library")),
    )
    with op.batch_alter_table("library", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_album_id"), ["album_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_library_user_id_added_at_ms"), ["user_id", "added_at_ms"], unique=False)
    op.create_table(
        "reading",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("chapter_id", sa.String(length=12), nullable=False),
        sa.Column("album_id", sa.String(length=12), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("is_finished", sa.Boolean(), nullable=False),
        sa.Column("read_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["album_id"], ["albums.id"], name=op.f("fk_reading_album_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reading_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "chapter_id", name=op.f("pk_reading")),
    )
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reading_album_id"), ["album_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_reading_user_id_album_id_read_at_ms"), ["user_id", "album_id", "read_at_ms"], unique=False
        )
    op.create_table(
        "album_reading",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("album_id", sa.String(length=12), nullable=False),
        sa.Column("chapter_id", sa.String(length=12), nullable=False),
        sa.Column("read_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "chapter_id"],
            ["reading.user_id", "reading.chapter_id"],
            name=op.f("fk_album_reading_user_id_chapter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "album_id", name=op.f("pk_album_reading")),
    )
    with op.batch_alter_table("album_reading", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_album_reading_user_id_chapter_id"), ["user_id", "chapter_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_album_reading_user_id_read_at_ms"), ["user_id", "read_at_ms"], unique=False
        )
    op.create_table(
        "site_accounts",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("site_user_id", sa.String(length=32), nullable=False),
        sa.Column("encrypted_session", sa.LargeBinary(), nullable=False),
        sa.Column("encrypted_password", sa.LargeBinary(), nullable=True),
        sa.Column("is_expired", sa.Boolean(), nullable=False),
        sa.Column("connected_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_site_accounts_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_site_accounts")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("is_session", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_user_id"), ["user_id"], unique=False)
    op.execute("INSERT INTO accounts_version (id, version) VALUES (1, 0)")
    owner = sa.text(
        "INSERT INTO users (id, name, name_key, is_admin, created_at_ms) "
        "VALUES ('owner', 'owner', 'owner', TRUE, :now)"
    )
    op.execute(owner.bindparams(now=int(time.time() * 1000)))
