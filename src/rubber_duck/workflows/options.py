"""How a run is started, and which runs are listed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rubber_duck.workflows.states import State


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How a run is queued. Of two with one `key`, the second is a Conflict until the first has ended.

    `priority` is from 1 (first) to 100; `delay_s` seconds pass before it may begin; it is cancelled after
    `timeout_s`. With `tell` the actor is told when it has ended, with `tell_failures` only when it failed. `run_id` is
    the id that it is to have, "" for a new one: a run that has it already is that run, and is not queued again.
    """

    key: str = ""
    priority: int = 10
    delay_s: float | None = None
    timeout_s: float | None = None
    tell: bool = False
    tell_failures: bool = False
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of runs: so many behind the run `behind`; of one workflow, in some states, if they are named."""

    behind: str = ""
    limit: int = 50
    workflow: str = ""
    states: Collection[State] = ()
