"""Conversations with models, and their turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Json, Key, Timestamp

revision = "0008"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "conversations",
        sa.Column("id", Key(), nullable=False),
        sa.Column("project_id", Key(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_conversations_project_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_conversations_project_id_owner_updated_at", "conversations", ["project_id", "owner", "updated_at"]
    )
    op.create_table(
        "conversation_turns",
        sa.Column("conversation_id", Key(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("told", Json(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "number", name="pk_conversation_turns"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_conversation_turns_conversation_id",
            ondelete="CASCADE",
        ),
    )
