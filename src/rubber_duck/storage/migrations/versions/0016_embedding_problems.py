"""Why an embeddings model stopped to say what the chunks of an index mean."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "search_embedding_problems",
        sa.Column("index_number", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("index_number", name="pk_search_embedding_problems"),
        sa.ForeignKeyConstraint(
            ["index_number"],
            ["search_indexes.number"],
            name="fk_search_embedding_problems_index_number",
            ondelete="CASCADE",
        ),
    )
