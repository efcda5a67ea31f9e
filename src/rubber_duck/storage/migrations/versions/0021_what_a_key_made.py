"""Keys know with which key they were made, and who forgot their password gets another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Key, Timestamp

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; of the keys that there are nobody knows with which they were made."""
    op.create_table(
        "key_makers",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("made_with", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_key_makers"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_key_makers_key_id"),
        sa.ForeignKeyConstraint(["made_with"], ["api_keys.id"], name="fk_key_makers_made_with"),
    )
    op.create_table(
        "password_resets",
        sa.Column("user_id", Key(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_password_resets"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_password_resets_user_id"),
        sa.UniqueConstraint("digest", name="uq_password_resets_digest"),
    )
