"""The port for spans and counters: nothing is recorded, at almost no cost, until a recorder is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final, Protocol

Attribute = str | int | float | bool


class Recorder(Protocol):
    """Where spans and counters go."""

    def span(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[None]:
        """Record how long the block takes, and its exception if it raises one."""

    def count(self, name: str, value: int, attributes: Mapping[str, Attribute]) -> None:
        """Add `value` to the counter `name`."""


_NOTHING: Final[AbstractContextManager[None]] = nullcontext()
_recorder: Recorder | None = None
_hear: Callable[[str, int], None] | None = None


def span(name: str, /, **attributes: Attribute) -> AbstractContextManager[None]:
    """A context manager that records the block as a span; does nothing while no recorder is set."""
    return _NOTHING if _recorder is None else _recorder.span(name, attributes)


def count(name: str, value: int = 1, /, **attributes: Attribute) -> None:
    """Add to a counter; does nothing while no recorder is set and nobody counts along."""
    if _recorder is not None:
        _recorder.count(name, value, attributes)
    if _hear is not None:
        _hear(name, value)


@contextmanager
def counting(hear: Callable[[str, int], None]) -> Iterator[None]:
    """Tell `hear` of each counter's name and what is added to it, besides the recorder, until the block ends."""
    global _hear  # noqa: PLW0603  # as in recording
    before, _hear = _hear, hear
    try:
        yield
    finally:
        _hear = before


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Send spans and counters to `recorder` until the block ends."""
    global _recorder  # noqa: PLW0603  # a process has one recorder
    before, _recorder = _recorder, recorder
    try:
        yield
    finally:
        _recorder = before


@dataclass(slots=True)
class MemoryRecorder:
    """A recorder for tests: keeps the names of finished spans in order, and the counters' sums."""

    spans: list[tuple[str, dict[str, Attribute]]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[None]:
        """Keep the span when it ends."""
        try:
            yield
        finally:
            self.spans.append((name, dict(attributes)))

    def count(self, name: str, value: int, attributes: Mapping[str, Attribute]) -> None:
        """Add to the sum; attributes are not kept apart."""
        self.counters[name] = self.counters.get(name, 0) + value
