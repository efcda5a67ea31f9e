"""The audit cannot be changed by a statement, and it is kept whose rights moved last at which version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import Key

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_REFUSAL = "the audit is only added to"


def upgrade() -> None:
    """Create the table and the triggers."""
    op.create_table(
        "rights_moves",
        sa.Column("user_id", Key(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_rights_moves"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_rights_moves_user_id"),
    )
    op.create_index("ix_rights_moves_version", "rights_moves", ["version"])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_stands_{what.lower()} BEFORE {what} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_stands() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_stands()"
    )
