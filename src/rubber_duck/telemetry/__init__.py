"""What the program says about itself: named events, a correlation id through every task, spans and counters."""

from rubber_duck.telemetry.catalogue import COUNTERS, EVENTS, SPANS
from rubber_duck.telemetry.correlation import correlate, correlated, correlation_id
from rubber_duck.telemetry.event import Event
from rubber_duck.telemetry.events import Value, emit, listening
from rubber_duck.telemetry.logs import configure_logs
from rubber_duck.telemetry.recorder import MemoryRecorder, Recorder, count, recording, span

__all__ = [
    "COUNTERS",
    "EVENTS",
    "SPANS",
    "Event",
    "MemoryRecorder",
    "Recorder",
    "Value",
    "configure_logs",
    "correlate",
    "correlated",
    "correlation_id",
    "count",
    "emit",
    "listening",
    "recording",
    "span",
]
