"""What belongs to a project or a person besides: hooks, roles on a single thing, settings that faces share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Json, Key, Timestamp

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and let a membership name a thing in its project."""
    op.create_table(
        "hooks",
        sa.Column("project_id", Key(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name="pk_hooks"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_hooks_project_id", ondelete="CASCADE"),
    )
    op.create_table(
        "user_settings",
        sa.Column("user_id", Key(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Json(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "name", name="pk_user_settings"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_user_settings_user_id"),
    )
    op.execute("CREATE TABLE memberships_before AS SELECT project_id, user_id, role FROM memberships")
    op.drop_table("memberships")
    op.create_table(
        "memberships",
        sa.Column("project_id", Key(), nullable=False),
        sa.Column("user_id", Key(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", "resource", name="pk_memberships"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_memberships_project_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id"),
    )
    op.execute(
        "INSERT INTO memberships (project_id, user_id, resource, role) "
        "SELECT project_id, user_id, '', role FROM memberships_before"
    )
    op.drop_table("memberships_before")
