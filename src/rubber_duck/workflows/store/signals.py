"""Signals to runs, which DBOS keeps; and for which of them a run waits, which is noted among its effects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from rubber_duck.errors import Conflict
from rubber_duck.workflows.store.effects import EffectPlace
from rubber_duck.workflows.store.tables import Theirs, effects

WAIT: Final = "wait for "
"""What the name of the note begins with that a run waits; the signal's name follows, and its step is the wait's."""


def begin_wait(connection: Connection, theirs: Theirs, place: EffectPlace, key: str, now: datetime) -> str:
    """Note that a run waits there; `key`, or the one that this wait was given when it was begun before.

    What was sent before is dropped when the run has waited for that signal already: it was a second answer to the
    same question, and would be one to the next.
    """
    of_run = (effects.c.run_id == place.run) & (effects.c.name == place.name)
    known = {row.step: row.result for row in connection.execute(select(effects.c.step, effects.c.result).where(of_run))}
    if place.step in known:
        return str(known[place.step][0])
    if known:
        connection.execute(delete(theirs.signals).where(_unheard(theirs, place.run, place.name.removeprefix(WAIT))))
    note = {"run_id": place.run, "step": place.step, "name": place.name, "result": [key], "created_at": now}
    connection.execute(insert(effects).values(note))
    return key


def is_to_be_sent(connection: Connection, theirs: Theirs, run_id: str, signal: str, ids: Sequence[str]) -> bool:
    """Whether a signal may be sent now; False when it was, by one of these ids at DBOS.

    Raises Conflict when the run has not heard the last one yet, and when it has waited for one and does so no longer.
    Until the transaction ends, nobody else sends to the run.
    """
    held, sent, done = theirs.status.c, theirs.signals.c, theirs.steps.c
    connection.execute(select(held.status).where(held.workflow_uuid == run_id).with_for_update(key_share=True))
    if connection.execute(select(sent.message_uuid).where(sent.message_uuid.in_(ids))).first() is not None:
        return False
    if connection.execute(select(sent.message_uuid).where(_unheard(theirs, run_id, signal))).first() is not None:
        raise Conflict(f"the run {run_id!r} has not heard the {signal!r} yet that was sent before")
    mine = (effects.c.run_id == run_id) & (effects.c.name == WAIT + signal)
    waits = list(connection.execute(select(effects.c.step).where(mine)).scalars())
    heard = select(done.function_id).where(done.workflow_uuid == run_id, done.function_id.in_(waits))
    if waits and len(list(connection.execute(heard))) == len(waits):
        raise Conflict(f"the run {run_id!r} has waited for {signal!r}, and does not wait for it now")
    return True


def waited_for(connection: Connection, theirs: Theirs, run_ids: Sequence[str]) -> dict[str, str]:
    """The signals for which those of these runs wait that do, by run."""
    done = theirs.steps.c
    heard = select(done.function_id).where(done.workflow_uuid == effects.c.run_id, done.function_id == effects.c.step)
    waits = effects.c.name.startswith(WAIT, autoescape=True) & effects.c.run_id.in_(run_ids)
    rows = connection.execute(select(effects.c.run_id, effects.c.name).where(waits, ~heard.exists()))
    return {row.run_id: row.name.removeprefix(WAIT) for row in rows}


def forget_waits(connection: Connection, run_id: str, first: int) -> None:
    """Forget that a run waited from a step on: when it does again, whose run it is is asked again."""
    waits = effects.c.name.startswith(WAIT, autoescape=True) & (effects.c.run_id == run_id)
    connection.execute(delete(effects).where(waits, effects.c.step >= first))


def _unheard(theirs: Theirs, run_id: str, signal: str) -> ColumnElement[bool]:
    sent = theirs.signals.c
    return (sent.destination_uuid == run_id) & (sent.topic == signal) & sent.consumed.is_(False)
