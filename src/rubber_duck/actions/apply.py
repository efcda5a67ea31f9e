"""Writes planned edits to a project, if they are the very ones that a person approved."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import ClassVar

from rubber_duck.actions.action import Action, Observation
from rubber_duck.call import Call
from rubber_duck.code.edits.planning import Plan
from rubber_duck.errors import StaleVersion
from rubber_duck.scope import Right
from rubber_duck.workspace.journal import FileWrite
from rubber_duck.workspace.paths import Root


@dataclass(frozen=True, slots=True)
class ApplyArguments:
    """`approved` is the digest of the plan that was shown: of the bytes before, and of those after."""

    root: Root
    plan: Plan
    approved: str


class Apply(Action[ApplyArguments]):
    """Writes all files of a plan, or none; `duck undo` takes it back."""

    name: ClassVar[str] = "apply"
    right = Right.FILE_WRITE

    async def act(self, arguments: ApplyArguments, call: Call) -> Observation:
        """Raises StaleVersion when the plan is not the approved one, and what `Journal.write` raises."""
        plan = arguments.plan
        if not hmac.compare_digest(plan.digest, arguments.approved):
            raise StaleVersion("the files or the edits are not those that were shown; look at the preview again")
        files = [FileWrite(change.path, change.before, change.after) for change in plan.changes]
        names = ", ".join(file.path for file in files[:3]) + (" …" if len(files) > 3 else "")
        entry = await call.parts.journal.write(call.scope, arguments.root, files, f"edit {names}")
        return Observation(f"wrote {len(files)} files", undo=entry.number)
