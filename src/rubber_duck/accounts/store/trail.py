"""The audit, and one row that says when rights changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import DDL, BigInteger, Column, ForeignKey, Integer, Table, Text, delete, event, insert, select, update

from rubber_duck.accounts.user import AuditVerdict, Entry
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Key, Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata

audit: Final = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Timestamp, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

account_state: Final = Table(
    "account_state",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)
"""One row: the version of everybody's rights, and where the audit ends."""

rights_moves: Final = Table(
    "rights_moves",
    metadata,
    Column("user_id", Key, ForeignKey("users.id"), primary_key=True),
    Column("version", BigInteger, nullable=False, index=True),
)
"""At which version somebody's rights moved last; who is not here never lost or gained any."""

_REFUSAL: Final = "the audit is only added to"
_STANDS: Final = {
    "sqlite": [
        f"CREATE TRIGGER audit_stands_{what.lower()} BEFORE {what} ON audit "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for what in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_stands() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER audit_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_stands()",
    ],
}
"""What makes the database itself refuse to change an entry, or to take one out."""

for _dialect, _statements in _STANDS.items():
    for _statement in _statements:
        _guard = DDL(_statement)  # type: ignore[no-untyped-call]  # the library says no types
        event.listen(audit, "after_create", _guard.execute_if(dialect=_dialect))


async def wait_turn(tx: Transaction) -> None:
    """Let those who come at the same moment come one after the other, until the transaction ends."""
    await tx.execute(select(account_state.c.number).with_for_update())


async def record(
    tx: Transaction, scope: Scope, action: str, subject: str, at: datetime, *, moves: Collection[UUID] = ()
) -> str:
    """Add to the audit, in the transaction of what is recorded; `moves` are the users whose rights change by it.

    Gives the entry's digest.
    """
    head = (await tx.execute(select(account_state).with_for_update())).one()
    entry = Entry(head.entries + 1, at, f"{scope.actor.name} ({scope.actor.id})", action, subject, "")
    digest = _digest(entry, head.digest)
    values = {"number": entry.number, "at": at, "actor": entry.actor, "action": action, "subject": subject}
    await tx.execute(insert(audit), {**values, "digest": digest})
    await tx.execute(
        update(account_state).values(version=head.version + bool(moves), entries=entry.number, digest=digest)
    )
    if moves:
        await tx.execute(delete(rights_moves).where(rights_moves.c.user_id.in_(moves)))
        await tx.execute(insert(rights_moves), [{"user_id": user_id, "version": head.version + 1} for user_id in moves])
    return digest


async def has_entry(tx: Transaction, digest: str) -> bool:
    """Whether there is an entry with this digest."""
    return (await tx.execute(select(audit.c.number).where(audit.c.digest == digest))).first() is not None


async def version(tx: Transaction) -> int:
    """A number that moves with every change of anybody's rights."""
    found: int = (await tx.execute(select(account_state.c.version))).scalar()
    return found


async def moved_since(tx: Transaction, before: int) -> frozenset[UUID]:
    """The users whose rights moved after a version."""
    moved = await tx.execute(select(rights_moves.c.user_id).where(rights_moves.c.version > before))
    return frozenset(row.user_id for row in moved)


async def list_audit(scope: Scope, tx: Transaction, most: int) -> list[Entry]:
    """The last entries, newest first."""
    scope.require(Right.ADMINISTER)
    statement = select(audit).order_by(audit.c.number.desc()).limit(most)
    return [Entry(**row._mapping) for row in await tx.execute(statement)]


async def verify_audit(scope: Scope, tx: Transaction) -> AuditVerdict:
    """Whether no entry was changed, taken out or cut off at the end."""
    scope.require(Right.ADMINISTER)
    head = (await tx.execute(select(account_state))).one()
    digest, number = "", 0
    for row in await tx.execute(select(audit).order_by(audit.c.number)):
        entry = Entry(**row._mapping)
        number += 1
        if entry.number != number:
            return AuditVerdict(number - 1, f"entry {number} is missing")
        digest = _digest(entry, digest)
        if digest != entry.digest:
            return AuditVerdict(number - 1, f"entry {number} was changed")
    if (number, digest) != (head.entries, head.digest):
        return AuditVerdict(number, f"the audit had {head.entries} entries, and ends after {number}")
    return AuditVerdict(number, "")


def _digest(entry: Entry, before: str) -> str:
    content = [before, entry.number, entry.at.isoformat(), entry.actor, entry.action, entry.subject]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
