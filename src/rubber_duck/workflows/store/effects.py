"""What steps did in the database, each in one transaction with the note that it was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from rubber_duck.workflows.store.tables import effects


@dataclass(frozen=True, slots=True)
class EffectPlace:
    """Which effect of which run: the step's number, and its name, since a retried run may take another way."""

    run: str
    step: int
    name: str


def done_once(
    connection: Connection, place: EffectPlace, work: Callable[[Connection], Any], now: datetime
) -> Any:  # Any: builtins of the effect's own shape
    """Do `work` unless it is noted there that it was done; what it came to, as builtins.

    The note is written first, so of two processes at once one waits for the other's commit.
    """
    values = {"run_id": place.run, "step": place.step, "name": place.name, "result": None, "created_at": now}
    try:
        with connection.begin_nested():
            connection.execute(insert(effects).values(**values))
    except IntegrityError:
        held = connection.execute(select(effects.c.result).where(_is(place))).scalar_one()
        return held[0]
    result = msgspec.to_builtins(work(connection))
    connection.execute(update(effects).where(_is(place)).values(result=[result]))
    return result


def undone_once(connection: Connection, place: EffectPlace, work: Callable[[Connection], Any]) -> None:  # Any: ignored
    """Do `work`, which undoes what is noted there, and forget the note; nothing without one."""
    if connection.execute(delete(effects).where(_is(place))).rowcount == 1:
        work(connection)


def _is(place: EffectPlace) -> ColumnElement[bool]:
    return (effects.c.run_id == place.run) & (effects.c.step == place.step) & (effects.c.name == place.name)
