"""What lets a run go on as it was: its key, what it had done when it was last put back, and what it started."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Key, Timestamp

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OLD = "id, actor_id, project_id, workflow, version, queue, parent, stopped, done, total, note, created_at"


def upgrade() -> None:
    """Add the columns, empty for the runs that there are, and the index over parents."""
    op.execute(f"CREATE TABLE runs_before AS SELECT {_OLD} FROM runs")
    op.drop_table("runs")
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("project_id", Key(), nullable=True),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("stopped", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("kept_steps", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.execute(f"INSERT INTO runs ({_OLD}) SELECT {_OLD} FROM runs_before")
    op.drop_table("runs_before")
    op.create_index("ix_runs_actor_id_created_at", "runs", ["actor_id", "created_at"])
    op.create_index("ix_runs_parent", "runs", ["parent"])
