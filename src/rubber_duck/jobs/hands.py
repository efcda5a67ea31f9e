"""What the steps of workflows touch: the open parts, and any engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rubber_duck.call import Parts
from rubber_duck.errors import InvalidDeclaration
from rubber_duck.scope import Actor, Scope
from rubber_duck.workflows.run import Run
from rubber_duck.workspace.paths import confined


@dataclass(frozen=True, slots=True)
class Hands:
    """`run_engine` gives the answer of the engine of that name."""

    parts: Parts
    run_engine: Callable[[str, object, Scope], Awaitable[Any]]  # Any: each engine has an answer of its own


def tenant(run: Run) -> Scope:
    """The run's rights on what belongs to the installation, as every project does; in the name of its actor."""
    return run.scope.on_installation()


async def ask(run: Run, engine: str, asked: object) -> Any:  # Any: as above
    """What an engine answers in a step of the run, with the rights of its actor.

    Where people have accounts it reads nothing outside of the run's project, whatever has become of its paths since
    they were looked at.
    """
    hands, scope = hands_of(run), tenant(run)
    if scope.project is None or run.scope.actor == Actor.local():
        return await hands.run_engine(engine, asked, scope)
    project = await hands.parts.workspace.project(scope, str(scope.project))
    with confined(project.root):
        return await hands.run_engine(engine, asked, scope)


def hands_of(run: Run) -> Hands:
    """What the application lent to this run."""
    if not isinstance(run.hands, Hands):
        raise InvalidDeclaration("workflows are carried out by an application that lends them its parts")
    return run.hands
