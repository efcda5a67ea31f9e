"""Condense what was said durably."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from rubber_duck.jobs.hands import hands_of
from rubber_duck.scope import Right
from rubber_duck.workflows.retries import Retries
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows


class ConsolidateMemory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which project; `everything` also what is not due yet."""

    project: Annotated[str, Meta(max_length=40, description="The project's id; empty: what belongs to none.")] = ""
    everything: Annotated[bool, Meta(description="Also what is not due yet.")] = False


class MemoryConsolidated(msgspec.Struct, frozen=True, kw_only=True):
    """Interactions that were condensed, memories that are new, were said again, and went for want of room."""

    condensed: int
    kept: int
    again: int
    dropped: int


@workflows.add
class MemoryConsolidation(Workflow[ConsolidateMemory, MemoryConsolidated]):
    """Condense interactions of the one who starts it into facts, preferences, style and summaries.

    It is one transaction, so a kill neither loses nor doubles anything.
    """

    name = "consolidate-memory"
    version = 1
    request = ConsolidateMemory
    answer = MemoryConsolidated
    right = Right.PROJECT_READ
    queue = "indexing"

    async def run(self, request: ConsolidateMemory, run: Run) -> MemoryConsolidated:
        """One step."""
        scope = run.scope.within(UUID(request.project)) if request.project else run.scope

        async def work() -> MemoryConsolidated:
            done = await hands_of(run).parts.memory.consolidate(scope, everything=request.everything)
            return MemoryConsolidated(condensed=done.condensed, kept=done.kept, again=done.again, dropped=done.dropped)

        return await run.step(Step("consolidate", work, MemoryConsolidated, retries=Retries(3)))
