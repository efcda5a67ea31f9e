"""Named events: logged, and given to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rubber_duck.errors import InvalidInput, UnknownName
from rubber_duck.telemetry import logs
from rubber_duck.telemetry.catalogue import EVENTS
from rubber_duck.telemetry.correlation import correlation_id

Value = str | int | float | bool | None
Listener = Callable[[str, Mapping[str, Value]], None]

_listeners: list[Listener] = []


def emit(name: str, /, **fields: Value) -> None:
    """Say that the event `name` happened.

    It is logged if its level is at or above the configured one, and given to every listener. An undeclared
    name or field raises: the catalogue is the documentation.
    """
    event = EVENTS.get(name)
    if event is None:
        raise UnknownName.among("event", name, EVENTS)
    undeclared = fields.keys() - event.fields.keys()
    if undeclared:
        raise InvalidInput(f"the event {name!r} has no field {min(undeclared)!r}; declare it in telemetry/catalogue.py")
    for listener in _listeners:
        listener(name, fields)
    if logs.enabled(event.level):
        logs.write(event.level, name, {**fields, "trace": correlation_id()})


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener(name, fields)` for every event until the block ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
