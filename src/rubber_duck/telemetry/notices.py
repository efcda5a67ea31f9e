"""The events of telling people: a part of the catalogue."""

from __future__ import annotations

from typing import Final

from rubber_duck.telemetry.event import Event

NOTICES: Final = (
    Event(
        "workflow.chore_failed",
        "warning",
        "What a process does beside working failed, such as telling of runs that ended; it is tried again.",
        {"error": "what it said"},
    ),
    Event(
        "notice.unread",
        "warning",
        "What waits for a member could not be read; they get it with the next notice, or when they join again.",
        {"error": "what it said"},
    ),
    Event(
        "project.unwatched",
        "warning",
        "The folder of a project cannot be watched, so its members are not told when files change; it is tried again.",
        {"project": "its id", "error": "what it said"},
    ),
    Event(
        "project.unlisted",
        "warning",
        "The duck.toml of a project cannot be understood, so of its files only those are told of that were known.",
        {"project": "its id", "error": "what it said"},
    ),
    Event(
        "notice.untold",
        "warning",
        "Nobody could be told that a run ended; where that may pass, it is tried again.",
        {"run": "its id", "error": "what it said"},
    ),
    Event(
        "notice.wordless",
        "warning",
        "A workflow could not say what came of a run; that it has finished is told without it.",
        {"workflow": "its name", "run": "its id", "error": "what it said"},
    ),
    Event(
        "notice.told",
        "info",
        "Somebody was told something; it is kept for them.",
        {"kind": "finished, failed, approval or budget", "ways": "by how many ways it is sent besides"},
    ),
    Event(
        "notice.sent",
        "info",
        "A notice was handed to a mail server or a webhook.",
        {"by": "mail or webhook", "kind": "finished, failed, approval or budget"},
    ),
)
