"""Files that stay: albums, files, who holds them, and their downloads."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of kept files."""
    op.create_table(
        "kept_albums",
        sa.Column("album_id", sa.String(length=12), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("folder_key", sa.Text(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("album_id", name=op.f("pk_kept_albums")),
        sa.UniqueConstraint("folder_key", name=op.f("uq_kept_albums_folder_key")),
    )
    op.create_table(
        "kept_files",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("album_id", sa.String(length=12), nullable=False),
        sa.Column("chapter_id", sa.String(length=12), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("path_key", sa.Text(), nullable=False),
        sa.Column("variant", sa.String(length=32), nullable=False),
        sa.Column("chapter", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("is_deleting", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["album_id"], ["kept_albums.album_id"], name=op.f("fk_kept_files_album_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_files")),
        sa.UniqueConstraint("path_key", name=op.f("uq_kept_files_path_key")),
    )
    op.create_index(op.f("ix_kept_files_album_id"), "kept_files", ["album_id"])
    op.create_index(op.f("ix_kept_files_chapter_id_variant"), "kept_files", ["chapter_id", "variant"])
    op.create_table(
        "kept_holders",
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("download_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["kept_files.id"], name=op.f("fk_kept_holders_file_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "download_id", name=op.f("pk_kept_holders")),
    )
    op.create_index(op.f("ix_kept_holders_download_id"), "kept_holders", ["download_id"])
    op.create_table(
        "kept_downloads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_downloads")),
    )
