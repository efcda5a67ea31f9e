"""The one description of every table; slices declare theirs on it in their `store.py`.

Constraint and index names follow from the convention, so a declaration gives none (`Index(None, "owner")`,
`UniqueConstraint("file_id", "kind")`), except a check, which is named by what it claims
(`CheckConstraint("kind IN ('a', 'b')", name="kind")` becomes `ck_<table>_kind`).
A foreign key names its target as text (`ForeignKey("projects.id", ondelete="CASCADE")`), because slices do
not import each other's stores.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""How constraints and indexes are called, on both databases."""

metadata: Final = MetaData(naming_convention=NAMES)
