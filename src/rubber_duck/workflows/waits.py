"""Waiting for a signal: its places among DBOS's steps are taken first, then it is kept that the run waits, and told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from dbos._context import DBOSContext, EnterDBOSStepCtx, get_local_dbos_context, snapshot_step_context
from dbos._dbos import _get_dbos_instance

from rubber_duck import telemetry
from rubber_duck.backoff import Backoff
from rubber_duck.errors import Denied, DuckError, InvalidDeclaration
from rubber_duck.workflows.keeper import Keeper, Running
from rubber_duck.workflows.store.effects import EffectPlace
from rubber_duck.workflows.store.signals import WAIT

_TELLING: Final = Backoff(first_s=1.0, cap_s=60.0)


@dataclass(frozen=True, slots=True)
class ReservedWait:
    """A wait that has its numbers, so that what is asked for beside it gets the same ones when it is done again.

    DBOS's own `recv_async` draws them when it begins, before which it is to be kept that the run waits.
    """

    place: EffectPlace
    _signal: str
    _context: DBOSContext

    async def heard(self, timeout_s: float) -> Any:  # Any: builtins that somebody sent
        """What was sent; None when nobody does within that time, also over restarts."""
        database = _get_dbos_instance()._sys_db
        with EnterDBOSStepCtx({"name": "recv"}, self._context):
            number = self.place.step
            return await database.recv_async(self.place.run, number, number + 1, self._signal, timeout_s)


def reserved_wait(run_id: str, signal: str) -> ReservedWait:
    """The next wait of the run that is carried out here; InvalidDeclaration within one of its steps."""
    around = get_local_dbos_context()
    context = snapshot_step_context(reserve_sleep_id=True)
    if around is None or context is None or not around.is_workflow():
        raise InvalidDeclaration(f"the run {run_id!r} waits for {signal!r} in a step; it may only between steps")
    return ReservedWait(EffectPlace(run_id, context.function_id, WAIT + signal), signal, context)


@contextmanager
def only_wait(waits: set[str], run_id: str, signal: str) -> Iterator[None]:
    """One of the `waits` of a run, during the block; InvalidDeclaration while it waits for the same signal already.

    The first to be woken would take what was sent, and the other nothing, though its time is not over.
    """
    if signal in waits:
        raise InvalidDeclaration(
            f"the run {run_id!r} waits for {signal!r} already; signals that are waited for at once have different names"
        )
    waits.add(signal)
    try:
        yield
    finally:
        waits.discard(signal)


async def tell_of_wait(keeper: Keeper, run: Running, signal: str, key: str) -> None:
    """As often as it takes: the database may be away, or the queue of notices full, and neither fails a run."""
    for delay_s in _TELLING.delays_s(random.random):
        try:
            await keeper.waits_for(run, signal, key)
        except Denied:
            return  # who may do nothing any more is told nothing either
        except DuckError as error:
            telemetry.emit("workflow.not_asked", run=run.id, signal=signal, error=error.message)
            await asyncio.sleep(delay_s)
        else:
            return
