"""The correlation id: set once where a request enters, inherited by every task it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_trace: ContextVar[str | None] = ContextVar("rubber_duck_trace", default=None)


def correlate(trace: str | None) -> None:
    """The rest of this task, and every task that it starts, carries `trace`."""
    _trace.set(trace)


def correlation_id() -> str | None:
    """The id of the request this code runs for; None outside any."""
    return _trace.get()


@contextmanager
def correlated(trace: str | None) -> Iterator[None]:
    """Everything in the block, and every task started in it, carries `trace`; None: belongs to no request."""
    token = _trace.set(trace)
    try:
        yield
    finally:
        _trace.reset(token)
