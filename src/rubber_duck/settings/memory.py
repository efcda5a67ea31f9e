"""The settings of memory and of privacy: what may be kept of what people say, and for how long."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from rubber_duck.settings.section import Section

Keep = Literal["interaction", "summary", "pattern", "preference", "style", "fact"]


class MemorySettings(Section, frozen=True):
    """What is remembered of people and projects, in this database alone, with secrets taken out."""

    keep: Annotated[
        tuple[Keep, ...],
        Meta(description="The kinds that may be kept; empty: nothing is remembered."),
    ] = ("interaction", "summary", "pattern", "preference", "style", "fact")
    interactions: Annotated[
        int, Meta(ge=1, le=1000, description="Interactions of one session that are kept whole.")
    ] = 20
    session_hours: Annotated[
        float, Meta(gt=0, le=8760, description="Hours after which an interaction is condensed.")
    ] = 24.0
    summaries: Annotated[
        int, Meta(ge=1, le=10_000, description="Summaries and patterns of one person in one project; colder ones go.")
    ] = 100
    preferences: Annotated[
        int, Meta(ge=1, le=10_000, description="Preferences and styles of one person in one project; colder ones go.")
    ] = 200
    facts: Annotated[
        int, Meta(ge=1, le=100_000, description="Facts of one person in one project; those of least use go.")
    ] = 5000
    model: Annotated[bool, Meta(description="Let the models for chat summarise, where there are any.")] = True
    consolidate: Annotated[
        str,
        Meta(
            max_length=200,
            description="When a server condenses what is due of everybody, in UTC: minute hour day month weekday; "
            "empty: never by the clock.",
        ),
    ] = "17 2 * * *"


class PrivacySettings(Section, frozen=True):
    """How long what people said is kept."""

    keep_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36_500,
            description="Days for which conversations, generated code and interactions are kept after they were last "
            "used, and all that is remembered of somebody after they were disabled; 0: until somebody deletes it.",
        ),
    ] = 30
    sweep: Annotated[
        str,
        Meta(
            max_length=200,
            description="When a server deletes what is older, in UTC: minute hour day month weekday; empty: never.",
        ),
    ] = "47 2 * * *"
