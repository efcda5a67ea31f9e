"""Finds the run that somebody means by a part of its id: ids are long, and people copy the end or the beginning."""

from __future__ import annotations

from functools import partial
from typing import Final

from rubber_duck.errors import Conflict, NotFound
from rubber_duck.scope import Scope
from rubber_duck.workflows.durable import Durable
from rubber_duck.workflows.store import runs

LEAST: Final = 4
"""Characters that a part of an id has at the least."""


async def named(durable: Durable, scope: Scope, text: str) -> str:
    """The id of the scope's run that is called so, or whose id begins or ends so.

    Raises NotFound when there is none, Conflict when there are several.
    """
    await durable.library()  # the tables are there
    found = await durable.database.run(partial(runs.ids_like, scope=scope, text=text), write=False)
    if text in found:
        return text
    if not found or len(text) < LEAST:
        raise NotFound(f"there is no run {text!r}; `duck workflow list` shows yours")
    if len(found) > 1:
        raise Conflict(f"several runs are called like {text!r}: {found[0]}, {found[1]}; write more of the id")
    return found[0]
