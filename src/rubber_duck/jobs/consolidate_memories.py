"""Condense what was said by everybody, durably."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import msgspec

from rubber_duck.errors import Denied
from rubber_duck.jobs.consolidate_memory import MemoryConsolidated
from rubber_duck.jobs.hands import hands_of
from rubber_duck.scope import Right
from rubber_duck.workflows.retries import Retries
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows

_NOTHING = MemoryConsolidated(condensed=0, kept=0, again=0, dropped=0)


class ConsolidateMemories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of everybody, what is due."""


class MemoriesConsolidated(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many people and projects, and the sum of what became of their interactions."""

    owners: int
    condensed: int
    kept: int
    again: int
    dropped: int


class Owner(msgspec.Struct, frozen=True):
    """Whose interactions are due, and the id of the project, empty for none."""

    actor: str
    project: str


@workflows.add
class EverybodysConsolidation(Workflow[ConsolidateMemories, MemoriesConsolidated]):
    """Condense interactions of everybody that are due; a server does it every night.

    Each person's are one step and one transaction, with that person's rights. What belongs to somebody who may do
    nothing here any more is left to be swept away.
    """

    name = "consolidate-memories"
    version = 1
    request = ConsolidateMemories
    answer = MemoriesConsolidated
    right = Right.ADMINISTER
    queue = "indexing"

    async def run(self, request: ConsolidateMemories, run: Run) -> MemoriesConsolidated:
        """A step that looks whose are due, and one for each of them."""

        async def look() -> list[Owner]:
            waiting = await hands_of(run).parts.memory.waiting(run.scope)
            return [Owner(actor, str(project or "")) for actor, project in waiting]

        owners = await run.step(Step("look", look, list[Owner], retries=Retries(3)))
        done = []
        for number, owner in enumerate(owners):
            step = Step(f"consolidate-{number}", partial(_one, run, owner), MemoryConsolidated, retries=Retries(3))
            done.append(await run.step(step))
        return MemoriesConsolidated(
            owners=len(owners),
            condensed=sum(each.condensed for each in done),
            kept=sum(each.kept for each in done),
            again=sum(each.again for each in done),
            dropped=sum(each.dropped for each in done),
        )


async def _one(run: Run, owner: Owner) -> MemoryConsolidated:
    parts = hands_of(run).parts
    project = UUID(owner.project) if owner.project else None
    try:
        scope = await parts.workflows.resolve(owner.actor, project, run.scope.trace)
    except Denied:
        return _NOTHING
    done = await parts.memory.consolidate(scope)
    return MemoryConsolidated(condensed=done.condensed, kept=done.kept, again=done.again, dropped=done.dropped)
