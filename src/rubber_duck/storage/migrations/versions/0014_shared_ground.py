"""The secret that the nodes of an installation share, and where people signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Key, Timestamp

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_installation"),
    )
    op.create_table(
        "sign_in_places",
        sa.Column("user_id", Key(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "network", name="pk_sign_in_places"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sign_in_places_user_id"),
    )
