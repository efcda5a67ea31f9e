"""Every event, span and counter by name: what it tells, at which level it is logged, which fields it has."""

from __future__ import annotations

from typing import Final

from rubber_duck.telemetry.event import Event
from rubber_duck.telemetry.model_events import MODEL_EVENTS
from rubber_duck.telemetry.notices import NOTICES
from rubber_duck.telemetry.server_events import SERVER_EVENTS
from rubber_duck.telemetry.work_events import WORK_EVENTS


def _catalogue(*events: Event) -> dict[str, Event]:
    return {event.name: event for event in events}


EVENTS: Final[dict[str, Event]] = _catalogue(
    *NOTICES,
    *WORK_EVENTS,
    Event(
        "app.opened",
        "info",
        "Every part that was asked for is open.",
        {"parts": "their names", "duration_ms": "milliseconds"},
    ),
    Event("app.closed", "info", "Every part is closed."),
    Event(
        "app.start_undone",
        "warning",
        "A part failed to open; those before it were closed again.",
        {"part": "its name", "error": "what it said"},
    ),
    Event("app.close_failed", "error", "A part failed to close.", {"part": "its name", "error": "what it said"}),
    Event("engine.started", "debug", "An engine begins to work on a request.", {"engine": "its name"}),
    Event(
        "engine.finished",
        "info",
        "An engine answered.",
        {"engine": "its name", "duration_ms": "milliseconds"},
    ),
    Event(
        "engine.failed",
        "warning",
        "An engine did not answer.",
        {
            "engine": "its name",
            "code": "the error's code",
            "error": "what it said",
            "duration_ms": "milliseconds",
        },
    ),
    Event(
        "engine.passed_over",
        "warning",
        "An engine failed before it began, and another that answers to the same name took its place.",
        {"engine": "its name", "by": "the engine that answered", "error": "what it said"},
    ),
    Event(
        "library.warned",
        "warning",
        "A library said something through Python's own logging, e.g. psycopg of a server that it cannot reach.",
        {"library": "the name of its logger", "said": "its sentence", "traceback": "of the exception it told, if any"},
    ),
    Event(
        "library.failed",
        "error",
        "A library said through Python's own logging that something failed.",
        {"library": "the name of its logger", "said": "its sentence", "traceback": "of the exception it told, if any"},
    ),
    Event(
        "plugin.left_out",
        "warning",
        "A plug-in of another distribution does not work and is not used.",
        {
            "kind": "what it is: rule, engine, language",
            "plugin": "its name; empty: all of that package",
            "package": "the distribution and its version",
            "error": "what is wrong with it",
        },
    ),
    Event(
        "part.crashed",
        "error",
        "A background part raised an exception and will be started again.",
        {
            "part": "its name",
            "error": "what it said",
            "traceback": "where it was raised, and from what, as Python writes it",
            "crashes": "crashes so far",
            "delay_s": "seconds until the restart",
        },
    ),
    Event(
        "part.abandoned",
        "error",
        "A background part crashed too often and is not started again.",
        {
            "part": "its name",
            "error": "what it said",
            "traceback": "where it was raised, and from what, as Python writes it",
            "crashes": "crashes so far",
        },
    ),
    Event(
        "storage.migrated",
        "info",
        "The database was brought to this program's schema.",
        {"revision": "the schema's revision", "previous": "the revision before; empty for a new database"},
    ),
    Event(
        "storage.cache_reset",
        "warning",
        "The disposable cache was unreadable and begins anew.",
        {"path": "its file", "error": "what was wrong"},
    ),
    Event(
        "storage.cache_unavailable",
        "warning",
        "The disposable cache cannot be used; work goes on without it.",
        {"path": "its file", "error": "what was wrong"},
    ),
    Event(
        "storage.cache_write_dropped",
        "warning",
        "Results could not be written to the disposable cache.",
        {"path": "its file", "error": "what was wrong"},
    ),
    Event(
        "storage.full", "error", "The disk is full; what is new is refused until there is room.", {"database": "which"}
    ),
    Event("storage.room", "info", "There is room on the disk again.", {"database": "which"}),
    Event("storage.rolled_back", "debug", "A transaction was rolled back.", {"error": "what ended it"}),
    Event(
        "storage.callback_failed",
        "error",
        "An after-commit callback raised; the commit stands.",
        {"error": "what it said"},
    ),
    Event(
        "workspace.scanned",
        "info",
        "A project's files were listed.",
        {"files": "files found", "left_out": "entries left out", "duration_ms": "milliseconds"},
    ),
    Event(
        "workspace.program_killed",
        "warning",
        "A program was killed with everything it had started.",
        {"program": "its name", "reason": "time-out, cancel or too much output"},
    ),
    Event(
        "analysis.file_crashed",
        "warning",
        "A worker process died or hung on a file, which is left out.",
        {"path": "the file", "reason": "how it ended"},
    ),
    Event(
        "analysis.ruff_failed",
        "warning",
        "ruff failed on some files; if they are several, they are shown to it in smaller parts.",
        {"files": "how many", "error": "how it ended"},
    ),
    Event(
        "search.indexed",
        "info",
        "The index of a project was brought up to date.",
        {
            "added": "files that are new in it",
            "changed": "files that were read again",
            "removed": "files that are gone",
            "duration_ms": "milliseconds",
        },
    ),
    Event(
        "search.file_crashed",
        "warning",
        "A worker process died or hung on a file, which cannot be searched.",
        {"path": "the file", "reason": "how it ended"},
    ),
    Event(
        "search.embedding_stopped",
        "warning",
        "The embeddings model did not answer; search goes on without what it would have said.",
        {"done": "texts that it has answered", "pending": "texts that there were", "error": "what it said"},
    ),
    *MODEL_EVENTS,
    *SERVER_EVENTS,
    Event(
        "analysis.finished",
        "info",
        "An analysis ended.",
        {
            "files": "files analysed",
            "cached": "of these, unchanged and taken from the cache",
            "findings": "findings",
            "duration_ms": "milliseconds",
        },
    ),
    Event(
        "workflow.queued",
        "info",
        "A run of a workflow was queued; it is durable.",
        {"workflow": "its name", "run": "the run's id"},
    ),
    Event(
        "workflow.started",
        "info",
        "A run is carried out, from its beginning or from where it was.",
        {"workflow": "its name", "run": "the run's id"},
    ),
    Event(
        "workflow.progress",
        "debug",
        "A run says how far it is.",
        {"run": "its id", "done": "what is done", "total": "of how much; 0: not known", "note": "what is being done"},
    ),
    Event(
        "workflow.finished",
        "info",
        "A run ended well.",
        {"workflow": "its name", "run": "the run's id"},
    ),
    Event(
        "workflow.failed",
        "warning",
        "A run failed; its finished steps are undone where they can be.",
        {"workflow": "its name", "run": "the run's id", "code": "the error's code", "error": "what it said"},
    ),
    Event(
        "workflow.undo_failed",
        "error",
        "A finished step of a failed run could not be undone.",
        {"run": "its id", "step": "the step's name", "error": "what it said"},
    ),
    Event(
        "workflow.process_lost",
        "warning",
        "A process that works through queues is gone, or was silent for too long, and is taken for dead.",
        {"executor": "its id"},
    ),
    Event(
        "workflow.recovered",
        "info",
        "What dead processes were working on was put back into its queues.",
        {"runs": "how many runs", "executors": "of how many processes"},
    ),
    Event(
        "workflow.cleared",
        "info",
        "Runs that ended long ago were deleted, with their steps and answers.",
        {"runs": "how many runs"},
    ),
    Event(
        "workflow.fenced",
        "warning",
        "This process was taken for dead, and begins anew.",
        {"executor": "its id until now"},
    ),
    Event(
        "ngram.trained",
        "info",
        "A completion model was trained on a project's code.",
        {"files": "files read", "tokens": "tokens counted", "duration_ms": "milliseconds"},
    ),
    Event(
        "ngram.updated",
        "info",
        "A completion model was brought up to date with a project's files.",
        {"changed": "files counted anew", "removed": "files no longer counted", "duration_ms": "milliseconds"},
    ),
    Event(
        "ngram.model_unusable",
        "warning",
        "A kept completion model could not be read or written; it is trained again when it is needed.",
        {"path": "its file", "error": "what was wrong"},
    ),
    Event(
        "ngram.file_left_out",
        "warning",
        "A file could not be read, so a completion model knows nothing of it.",
        {"path": "the file", "error": "what was wrong"},
    ),
    Event(
        "completion.shown",
        "info",
        "Completions were offered at a cursor.",
        {
            "language": "the file's language",
            "candidates": "how many were offered; 0 when there was nothing to offer",
            "reason": "what spoke for the first; empty without one",
            "extended": "whether they were left of the last answer",
            "latency_ms": "milliseconds",
        },
    ),
    Event(
        "completion.accepted",
        "info",
        "A person took an offered completion.",
        {
            "language": "the file's language",
            "rank": "which it was, from 1",
            "characters": "characters that were inserted",
            "thought_ms": "milliseconds between showing and taking it; 0 when not known",
        },
    ),
)
"""Every event by its name. A new event is added here first."""

SPANS: Final[dict[str, str]] = {
    "app.open": "Opening every part that was asked for.",
    "engine.run": "One engine working on one request.",
    "analysis.run": "One analysis of a set of files.",
    "workspace.scan": "Listing a project's files.",
    "search.update": "Bringing an index up to date.",
    "context.build": "Building one context that was not known.",
    "search.query": "One question to an index.",
    "workflow.step": "One step of a run.",
    "ngram.train": "One training of a completion model.",
    "storage.transaction": "One transaction.",
}
"""Every span by its name."""

COUNTERS: Final[dict[str, str]] = {
    "analysis.files": "Files analysed.",
    "context.cache_hits": "Contexts that were told again, because nothing had changed.",
    "analysis.cache_hits": "Files whose results came from the cache.",
    "analysis.findings": "Findings.",
    "completion.shown": "Answers with at least one completion.",
    "completion.accepted": "Completions that were taken.",
    "workflow.runs": "Runs that were begun, those begun again included.",
    "engine.runs": "Requests an engine worked on.",
    "socket.messages": "Messages that clients sent.",
    "socket.refused": "Messages that were answered with an error, or dropped.",
    "http.turned_away": "Connections that were too many, or did not come through the declared proxy.",
    "channel.joins": "Topics that were joined.",
    "cluster.disbelieved": "Messages and values in Redis that were forged, too old or heard before, and were dropped.",
    "cluster.unreadable": "Messages of other processes that could not be understood, and were dropped.",
}
"""Every counter by its name."""
