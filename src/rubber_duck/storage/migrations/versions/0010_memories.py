"""What is remembered of people and projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Key, Timestamp

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "memories",
        sa.Column("id", Key(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("project_id", Key(), nullable=True),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("used_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_memories"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_memories_project_id", ondelete="CASCADE"),
    )
    op.create_index("ix_memories_actor_id_project_id", "memories", ["actor_id", "project_id"])
    op.create_index("ix_memories_project_id", "memories", ["project_id"])
