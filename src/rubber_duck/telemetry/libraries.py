"""What libraries say through Python's own logging becomes events, like everything else that is said.

Below warning they are not listened to: that is Python's own threshold, and nobody here could act on it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from rubber_duck.telemetry.events import emit


@contextmanager
def libraries_heard() -> Iterator[None]:
    """Until the block ends, a warning or an error of a library is an event; inside another such block nothing changes.

    Without it Python writes them to standard error, between the lines of a report.
    """
    root = logging.getLogger()
    if any(isinstance(each, _Relay) for each in root.handlers):
        yield
        return
    relay = _Relay(logging.WARNING)
    root.addHandler(relay)
    try:
        yield
    finally:
        root.removeHandler(relay)


class _Relay(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Turn a record into an event; what cannot even be formatted is told by logging's own means."""
        try:
            said = record.getMessage()
            error = record.exc_info[1] if record.exc_info else None
            where = "".join(traceback.format_exception(error)) if error is not None else None
            if record.levelno >= logging.ERROR:
                emit("library.failed", library=record.name, said=said, traceback=where)
            else:
                emit("library.warned", library=record.name, said=said, traceback=where)
        except Exception:  # noqa: BLE001  # logging must never break what is logged
            self.handleError(record)
