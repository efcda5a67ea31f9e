"""Notices: the outbox of members who are away, the ways they chose, and the runs whose end they are told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Json, Timestamp

revision = "0006"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "outbox_boxes",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("box", name="pk_outbox_boxes"),
    )
    op.create_table(
        "outbox_letters",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("box", "number", name="pk_outbox_letters"),
        sa.UniqueConstraint("box", "key", name="uq_outbox_letters_box_key"),
    )
    op.create_table(
        "notice_ways",
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("kinds", Json(), nullable=False),
        sa.PrimaryKeyConstraint("member", "by", name="pk_notice_ways"),
    )
    op.create_table(
        "run_watches",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("failures_only", sa.Boolean(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_watches"),
    )
    op.create_index("ix_run_watches_is_told", "run_watches", ["is_told"])
