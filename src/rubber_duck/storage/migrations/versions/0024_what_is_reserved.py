"""What is reserved of a budget lapses when the process that reserved it is dead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Key, Timestamp

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; what was reserved before stays charged until its day or month is over."""
    op.create_table(
        "model_reservations",
        sa.Column("id", Key(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("cost_usd", sa.Text(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("until", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", "holder", "period", name="pk_model_reservations"),
    )
    op.create_index("ix_model_reservations_until", "model_reservations", ["until"])
