"""The audit, and one row that says when rights changed."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, insert, select, update

from rubber_duck.accounts.user import AuditVerdict, Entry
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Timestamp
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


async def wait_turn(tx: Transaction) -> None:
    """Let those who come at the same moment come one after the other, until the transaction ends."""
    await tx.execute(select(account_state.c.number).with_for_update())


async def record(tx: Transaction, scope: Scope, action: str, subject: str, at: datetime, *, moves: bool = True) -> None:
    """Add to the audit, in the transaction of what is recorded; with `moves`, say that rights changed."""
    head = (await tx.execute(select(account_state).with_for_update())).one()
    entry = Entry(head.entries + 1, at, f"{scope.actor.name} ({scope.actor.id})", action, subject, "")
    digest = _digest(entry, head.digest)
    values = {"number": entry.number, "at": at, "actor": entry.actor, "action": action, "subject": subject}
    await tx.execute(insert(audit), {**values, "digest": digest})
    await tx.execute(
        update(account_state).values(version=head.version + int(moves), entries=entry.number, digest=digest)
    )


async def version(tx: Transaction) -> int:
    """A number that moves with every change of anybody's rights."""
    found: int = (await tx.execute(select(account_state.c.version))).scalar()
    return found


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
