"""One question to an engine: follows its pieces, draws how far it is, and ends in order when the person has enough."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

from rubber_duck.cli import connection, profiles, terminal
from rubber_duck.cli.connection import Delta, Progress, Result
from rubber_duck.cli.failures import warn
from rubber_duck.cli.invocation import Invocation
from rubber_duck.cli.meter import Meter, meter_for

_TICK_S: Final = 0.1
_REPAIR: Final = "repair or uninstall that package, `duck doctor` looks at every plug-in"
_LOOK: Final = "`duck doctor` looks at every engine"
_ENDING_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


async def converse(
    invocation: Invocation, name: str, request: dict[str, Any], on_text: Callable[[str], None] | None
) -> Any:  # Any: builtins of the engine's own shape
    """The answer of the engine that answers to `name`; what `asking.ask` does, inside an event loop."""
    ended_by = _end_on_signals()
    meter = meter_for(invocation)
    ticker = asyncio.create_task(_tick(meter), name="progress bar")
    try:
        async with _warned(invocation, meter), aclosing(_pieces(invocation, meter, name, request)) as pieces:
            async for piece in pieces:
                match piece:
                    case Progress():
                        meter.show(piece.done, piece.total, piece.note)
                    case Delta() if on_text is not None:
                        meter.hide()
                        on_text(piece.text)
                    case Result():
                        return piece.payload
    except asyncio.CancelledError:
        if ended_by:
            raise SystemExit(128 + ended_by[0]) from None
        raise
    finally:
        ticker.cancel()
        await asyncio.wait([ticker])
        meter.hide()
    raise AssertionError(f"the connection ended without a result of {name!r}")


def _pieces(
    invocation: Invocation, meter: Meter, name: str, request: dict[str, Any]
) -> AsyncGenerator[Progress | Delta | Result, None]:
    if invocation.runner is not None:
        return invocation.runner(name, request)

    def tell(sentence: str) -> None:
        meter.hide()
        if not invocation.quiet:
            terminal.note(terminal.printable(invocation.as_called(sentence)))

    return connection.run(name, request, invocation, tell)


def _end_on_signals() -> list[int]:
    """Cancel this task on SIGTERM and SIGHUP as Ctrl-C does; the signal is put into the list returned."""
    task, ended_by = asyncio.current_task(), list[int]()
    assert task is not None

    def end(number: int) -> None:
        ended_by.append(number)
        task.cancel()

    for number in _ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    return ended_by


@asynccontextmanager
async def _warned(invocation: Invocation, meter: Meter) -> AsyncIterator[None]:
    """At the end, however it ends, say what did not work and was worked around; events may come from threads.

    Where a server answers nothing is worked around here.
    """
    if invocation.runner is None and profiles.chosen(invocation.server, os.environ) is not None:
        yield
        return
    from rubber_duck import telemetry  # noqa: PLC0415  # whom a server answers needs none of it

    sentences: list[str] = []

    def listener(name: str, fields: Mapping[str, telemetry.Value]) -> None:
        if name == "plugin.left_out":
            what = f"the {fields['kind']} {fields['plugin']!r}" if fields["plugin"] else f"every {fields['kind']}"
            sentences.append(f"{what} of {fields['package']} is left out: {fields['error']}; {_REPAIR}")
        elif name == "engine.passed_over":
            sentences.append(f"{fields['error']}; {fields['by']!r} answered in its place, {_LOOK}")

    try:
        with telemetry.listening(listener):
            yield
    finally:
        meter.hide()
        for sentence in sentences:
            warn(invocation, sentence)


async def _tick(meter: Meter) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        meter.refresh()
