"""Search: indexes, their files and their vocabulary. What words stand where is in tables that each index makes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import CODE_POINT_TEXT, Json, Key, PathText, Timestamp

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "search_indexes",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", Key(), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("next_word", sa.Integer(), nullable=False),
        sa.Column("next_file", sa.BigInteger(), nullable=False),
        sa.Column("chunks", sa.BigInteger(), nullable=False),
        sa.Column("lengths", Json(), nullable=False),
        sa.Column("changed_chunks", sa.BigInteger(), nullable=False),
        sa.Column("associations", sa.LargeBinary(), nullable=True),
        sa.Column("left_out", Json(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("finished_at", Timestamp(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_search_indexes"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_search_indexes_project_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("project_id", name="uq_search_indexes_project_id"),
    )
    _files()
    op.create_table(
        "search_words",
        sa.Column("index_number", sa.Integer(), nullable=False),
        sa.Column("stem", CODE_POINT_TEXT, nullable=False),
        sa.Column("word", CODE_POINT_TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("index_number", "stem", "word", name="pk_search_words"),
        _of_index("search_words"),
        sqlite_with_rowid=False,
    )


def _files() -> None:
    op.create_table(
        "search_files",
        sa.Column("index_number", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("path", PathText(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("ctime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("seen_ns", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("vocabulary", sa.LargeBinary(), nullable=False),
        sa.Column("slots", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index_number", "number", name="pk_search_files"),
        _of_index("search_files"),
    )
    op.create_index("ix_search_files_index_number_path", "search_files", ["index_number", "path"], unique=True)
    op.create_index("ix_search_files_index_number_generation", "search_files", ["index_number", "generation"])


def _of_index(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["index_number"], ["search_indexes.number"], name=f"fk_{table}_index_number", ondelete="CASCADE"
    )
