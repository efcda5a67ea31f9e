"""What becomes of a project, for the audit and for those who have a role in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rubber_duck.accounts.store import people, trail
from rubber_duck.scope import Scope
from rubber_duck.storage.database import Transaction


async def project_changed(scope: Scope, tx: Transaction, project_id: UUID, action: str, at: datetime) -> None:
    """Add to the audit, in this transaction, that a project was opened, removed, restored or purged.

    The rights of its members move: every process sees it within a second, and asks anew for those who are in it.
    """
    moves = await people.members_of(tx, project_id)
    await trail.record(tx, scope, f"project.{action}", str(project_id), at, moves=moves)
