"""Conversations that members of a server had before each acted in their own name are theirs again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Key, Timestamp

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the member's id where the installation's stood with the member's name: `local/ann`.

    Names are never given away, so who has the name had it then, unless they came later than what was said.
    """
    users = sa.table(
        "users", sa.column("id", Key()), sa.column("name", sa.Text()), sa.column("created_at", Timestamp())
    )
    connection = op.get_bind()
    for person in connection.execute(sa.select(users)).all():
        for name in ("conversations", "generations"):
            kept = sa.table(name, sa.column("owner", sa.Text()), sa.column("created_at", Timestamp()))
            theirs = (kept.c.owner == f"local/{person.name}") & (kept.c.created_at >= person.created_at)
            connection.execute(sa.update(kept).where(theirs).values(owner=str(person.id)))
