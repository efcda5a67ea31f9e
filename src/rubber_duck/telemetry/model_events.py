"""The events of models, of the catalogue."""

from __future__ import annotations

from typing import Final

from rubber_duck.telemetry.event import Event

MODEL_EVENTS: Final = (
    Event(
        "llm.retried",
        "info",
        "A provider did not begin to answer and is asked again.",
        {"provider": "its name", "error": "what it said", "delay_s": "seconds until then"},
    ),
    Event(
        "llm.fell_back",
        "warning",
        "A model did not begin to answer, and the next of its chain is asked.",
        {"model": "as provider/model", "to": "the next one", "error": "what the first said"},
    ),
    Event(
        "llm.breaker_changed",
        "warning",
        "A provider that kept failing is left alone, or is trusted again.",
        {"provider": "its name", "state": "open or closed", "error": "what it said last; empty when closed"},
    ),
    Event(
        "llm.calls_unwritten",
        "error",
        "Calls to models could not be written; they are kept and tried again, and charged with the most until then.",
        {"calls": "how many", "error": "what was wrong"},
    ),
    Event(
        "llm.reservation_lapsed",
        "warning",
        "Calls were under way when their process died: what was reserved of a budget for them is given back.",
        {"holder": "whose budget", "usd": "how much", "tokens": "how many"},
    ),
    Event(
        "llm.reservations_unrenewed",
        "error",
        "What is reserved for calls under way could not be renewed; if it lapses they are charged once they end.",
        {"calls": "how many", "error": "what was wrong"},
    ),
    Event(
        "completion.unread",
        "warning",
        "A project could not be read for a model that completes in it, which is told only of the file at hand.",
        {"error": "what was wrong"},
    ),
    Event(
        "memory.condensed",
        "info",
        "What somebody said in sessions that are over became facts, preferences, style and summaries.",
        {
            "interactions": "how many were condensed",
            "kept": "memories that are new",
            "dropped": "gone for want of room",
        },
    ),
    Event(
        "memory.not_condensed",
        "warning",
        "What was due could not be condensed; it is kept as it is, and tried again when more is said.",
        {"error": "what was wrong"},
    ),
)
