"""The events of processes that work through the queues: a part of the catalogue."""

from __future__ import annotations

from typing import Final

from rubber_duck.telemetry.event import Event

WORK_EVENTS: Final = (
    Event(
        "workflow.not_taken",
        "warning",
        "Nothing could be taken from a queue; it is looked at again.",
        {"queue": "its name", "error": "what was wrong"},
    ),
    Event(
        "workflow.abandoned",
        "warning",
        "What a step returned could not be kept; the run is put back, and the step is done again.",
        {"run": "its id", "error": "what was wrong"},
    ),
    Event(
        "workflow.not_asked",
        "warning",
        "Whose run waits for a signal could not be told; it is tried again while the run waits.",
        {"run": "its id", "signal": "what it waits for", "error": "what was wrong"},
    ),
    Event(
        "workflow.database_away",
        "warning",
        "The database does not answer; what works waits, and asks again.",
        {"executor": "the process's id", "error": "what was wrong"},
    ),
    Event(
        "workflow.orphans_stopped",
        "info",
        "Runs were stopped because the one that started them was cancelled, or took too long.",
        {"runs": "how many"},
    ),
    Event(
        "workflow.adopted",
        "info",
        "Runs that had done nothing yet waited for a version that no process has; they are carried out as this one.",
        {"workflow": "its name", "version": "the one that is here", "runs": "how many"},
    ),
    Event(
        "workflow.schedule_failed",
        "error",
        "What is due by the clock could not be started; it is tried again.",
        {"schedule": "its name", "error": "what was wrong"},
    ),
    Event(
        "workflow.schedule_skipped",
        "info",
        "What is due by the clock was left out: its last run waits or works still.",
        {"schedule": "its name"},
    ),
    Event(
        "workflow.schedule_refused",
        "error",
        "A schedule of the settings cannot be started as it stands there: it is left out, and the others are not.",
        {"schedule": "its name", "error": "what is wrong"},
    ),
)
