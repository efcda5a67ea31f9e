"""Code that models wrote for tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Json, Key, Timestamp

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "generations",
        sa.Column("id", Key(), nullable=False),
        sa.Column("project_id", Key(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("edits", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problems", Json(), nullable=False),
        sa.Column("is_sound", sa.Boolean(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_generations"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_generations_project_id", ondelete="CASCADE"),
    )
    op.create_index("ix_generations_project_id_owner_created_at", "generations", ["project_id", "owner", "created_at"])
