"""What becomes of a project, for the audit and for those who have a role in it."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from rubber_duck.accounts.store import people, trail
from rubber_duck.scope import Scope
from rubber_duck.storage.database import Transaction

_MOVING: Final = frozenset({"open", "remove", "restore", "purge"})


async def project_changed(scope: Scope, tx: Transaction, project_id: UUID, action: str, at: datetime) -> None:
    """Add to the audit, in this transaction, what became of a project: that it was opened, renamed, removed, …

    Where it is there for its members now, or no more, their rights move: every process sees it within a second, and
    asks anew for those who are in it.
    """
    moves = await people.members_of(tx, project_id) if action in _MOVING else ()
    await trail.record(tx, scope, f"project.{action}", str(project_id), at, moves=moves)
