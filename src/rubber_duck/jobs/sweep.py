"""Delete what was said too long ago, durably."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from rubber_duck.accounts.accounts import departed
from rubber_duck.jobs.hands import hands_of
from rubber_duck.scope import Right
from rubber_duck.workflows.retries import Retries
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Workflow, workflows


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of everybody, what is older than `privacy.keep_days`."""


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """How many conversations, generated pieces of code and memories went."""

    conversations: int
    generations: int
    memories: int


@workflows.add
class Sweeping(Workflow[Sweep, Swept]):
    """Delete conversations, generated code and interactions that are older than they may be; a server does it nightly.

    Of somebody who was disabled that long ago everything goes that is theirs alone.
    """

    name = "sweep"
    version = 1
    request = Sweep
    answer = Swept
    right = Right.ADMINISTER
    queue = "indexing"

    async def run(self, request: Sweep, run: Run) -> Swept:
        """One step; what it deletes is gone also when it is done again."""
        return await run.step(Step("sweep", lambda: _swept(run), Swept, retries=Retries(3, patient=True)))


async def _swept(run: Run) -> Swept:
    parts = hands_of(run).parts
    days = parts.settings.privacy.keep_days
    if not days:
        return Swept(conversations=0, generations=0, memories=0)
    before = parts.workflows.now() - timedelta(days=days)
    gone = await departed(run.scope, parts.workflows.database, before)
    conversations, generations = await parts.conversations.sweep(run.scope, before, gone)
    memories = await parts.memory.sweep(run.scope, before, gone)
    return Swept(conversations=conversations, generations=generations, memories=memories)
