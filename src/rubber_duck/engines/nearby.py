"""What a model that completes is told beside the text around the cursor: definitions of what is named there.

A cursor does not wait for a project to be read. What is known of it is told; it is read, and read again, behind that.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rubber_duck import telemetry
from rubber_duck.call import Call
from rubber_duck.engines.engine import Strategy
from rubber_duck.engines.place import untold
from rubber_duck.engines.telling import access
from rubber_duck.errors import DuckError, InvalidInput, NotFound

if TYPE_CHECKING:
    from rubber_duck.analysis.target import Target
    from rubber_duck.context.contexts import Reader
    from rubber_duck.context.snippet import Chosen
    from rubber_duck.context.sources import Ask
    from rubber_duck.llm.messages import Excerpt
    from rubber_duck.ngram.ngram import Cursor

BESIDE_TOKENS: Final = 800
"""What the definitions may take."""

_AGAIN_S: Final = 5.0
_MOST_PROJECTS: Final = 32


@dataclass(slots=True)
class _Reading:
    """A project that is read, or was: the task, and when it ended."""

    task: asyncio.Task[None]
    ended_s: float = 0.0

    def ended(self, task: asyncio.Task[None]) -> None:
        """Note the moment."""
        self.ended_s = time.monotonic()


class Nearby:
    """What stands near cursors, of the projects that somebody completes in; it owns the tasks that read them."""

    def __init__(self) -> None:
        self._readings: dict[tuple[str, ...], _Reading] = {}

    async def excerpts(self, call: Call, found: Target, cursor: Cursor, patience_s: float) -> tuple[Excerpt, ...]:
        """Definitions of what is named near the cursor, of files that the project does not ignore now.

        The call's scope is of the project. None for a file that is not there yet, nor while the project is still read
        for the first time, which is waited for so long.
        """
        from rubber_duck.context.contexts import Reader  # noqa: PLC0415  # numpy: listing engines needs it not
        from rubber_duck.context.sources import Ask  # noqa: PLC0415  # as above

        line = cursor.prefix.count("\n") + 1  # the same for all of it: what is told while one types along is at hand
        ask = Ask(cursor.path, line, 1, "", BESIDE_TOKENS, 0, 0, is_alone=True)
        reader = Reader(call.scope, found.root, found.settings.index)
        try:
            told = await self._told(call, reader, ask, patience_s)
        except (NotFound, InvalidInput):
            return ()  # a new file, or lines of it that are not saved yet
        return await asyncio.to_thread(_excerpts, found, told)

    async def close(self) -> None:
        """End the tasks."""
        tasks = [each.task for each in self._readings.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _told(self, call: Call, reader: Reader, ask: Ask, patience_s: float) -> Sequence[Chosen]:
        contexts, strategy = call.parts.contexts, Strategy.FIM.value
        at_hand = await contexts.at_hand(reader, ask, strategy=strategy)
        reading = self._reading(call, reader, ask)
        if at_hand is None:
            await asyncio.wait([reading], timeout=patience_s)
            at_hand = await contexts.at_hand(reader, ask, strategy=strategy)
        return at_hand.packed.chosen if at_hand is not None else ()

    def _reading(self, call: Call, reader: Reader, ask: Ask) -> asyncio.Task[None]:
        """The task that reads the project, begun anew when the last one ended a while ago."""
        scope = reader.scope
        key = (str(scope.project), os.fspath(reader.root.path), scope.actor.id, " ".join(sorted(scope.rights)))
        known = self._readings.pop(key, None)
        if known is None or (known.task.done() and time.monotonic() - known.ended_s > _AGAIN_S):
            known = _Reading(asyncio.create_task(_read(call, reader, ask)))
            known.task.add_done_callback(known.ended)
        self._readings[key] = known
        for old in list(self._readings)[:-_MOST_PROJECTS]:
            if self._readings[old].task.done():
                del self._readings[old]
        return known.task


async def _read(call: Call, reader: Reader, ask: Ask) -> None:
    """Look at the project and read what has changed; what cannot be read is not told, and completion goes on."""
    try:
        ways = access(call, reader.root, is_quiet=True)
        await call.parts.contexts.build(reader, ask, ways, strategy=Strategy.FIM.value)
    except (NotFound, InvalidInput):
        return  # it was read, and the cursor's file is not in it
    except DuckError as error:
        telemetry.emit("completion.unread", error=error.message)


def _excerpts(found: Target, told: Sequence[Chosen]) -> tuple[Excerpt, ...]:
    from rubber_duck.context.snippet import SnippetKind  # noqa: PLC0415  # numpy beneath
    from rubber_duck.llm.messages import Excerpt  # noqa: PLC0415  # only who asks a model

    definitions = [each for each in told if each.snippet.kind is SnippetKind.DEFINITION]
    hidden = {path for path in {each.snippet.path for each in definitions} if untold(found.root, found.settings, path)}
    return tuple(Excerpt(each.snippet.path, each.text) for each in definitions if each.snippet.path not in hidden)
