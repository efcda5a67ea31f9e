"""The events of the server and its cluster, of the catalogue."""

from __future__ import annotations

from typing import Final

from rubber_duck.telemetry.event import Event

SERVER_EVENTS: Final = (
    Event(
        "channel.failed",
        "error",
        "A channel raised something of its own; the client was told that the request failed.",
        {"topic": "the topic", "message": "the event that the client sent", "error": "what it said"},
    ),
    Event(
        "server.opened",
        "info",
        "The server takes requests.",
        {"hosts": "the names it answers to"},
    ),
    Event(
        "http.answered",
        "info",
        "A request over HTTP was answered; what stood in its address and its headers is not told.",
        {"route": "method and path of the route", "status": "the status", "duration_ms": "milliseconds"},
    ),
    Event(
        "http.failed",
        "error",
        "A route raised something of its own; the client was told that the request failed.",
        {"route": "method and path of the route", "error": "what it said"},
    ),
    Event(
        "server.unsure",
        "error",
        "Nobody could say for seconds whether rights changed, so sockets were ended; clients may come back.",
        {"sockets": "how many", "error": "what was wrong"},
    ),
    Event(
        "server.work_stopped",
        "info",
        "Somebody's work was stopped, because they may not have it done any more.",
        {"actor": "whose it was", "error": "what is missing"},
    ),
    Event(
        "server.process_ended",
        "error",
        "One of several processes of a server ended by itself; it is started again.",
        {"process": "its number", "status": "how it ended; negative: by a signal", "lasted_s": "seconds it ran"},
    ),
    Event(
        "remote.fetched",
        "info",
        "The copy of a Git remote was brought up to date, by the clock or because its host said so.",
        {"project": "the project's id"},
    ),
    Event(
        "remote.not_fetched",
        "warning",
        "The copy of a Git remote could not be brought up to date; it stays as it was.",
        {"project": "the project's id", "error": "what was wrong"},
    ),
    Event(
        "project.not_refreshed",
        "warning",
        "The index of a project could not be brought up to date; what is found is as of before.",
        {"project": "the project's id", "error": "what was wrong"},
    ),
    Event(
        "socket.too_slow",
        "warning",
        "A client read too slowly for what others say, and is cut off; it may come back.",
        {"actor": "who", "waiting_bytes": "bytes that waited for it"},
    ),
    Event(
        "cluster.lost",
        "warning",
        "Redis does not answer: this process goes on alone until it does.",
        {"redis": "its URL without the password", "error": "what was wrong"},
    ),
    Event(
        "cluster.found",
        "info",
        "Redis answers again; who listens is told that messages may have been missed.",
        {"redis": "its URL without the password"},
    ),
    Event(
        "cluster.subscriber_failed",
        "error",
        "What another process said made a subscriber raise; the others were told.",
        {"topic": "the topic", "error": "what it said"},
    ),
)
"""Events of the server, its sockets and channels, and the cluster."""
