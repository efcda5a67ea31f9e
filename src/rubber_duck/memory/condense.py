"""Condenses interactions: statements become long term, sessions become summaries, what recurs becomes a pattern."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rubber_duck.memory.distil import Statement, leans, names_in, statements_of, summary
from rubber_duck.memory.reading import spoken
from rubber_duck.memory.remembered import Kind, Memory, Tier
from rubber_duck.settings.memory import MemorySettings

_PATTERN_SESSIONS: Final = 3
_MOST_PATTERNS: Final = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """A text to keep, of which session, and when it was said, the last time."""

    kind: Kind
    session: str
    text: str
    terms: tuple[str, ...]
    said_at: datetime


@dataclass(slots=True)
class Condensed:
    """What a consolidation changes: texts to keep; memories that were said again, and when; what goes."""

    kept: list[Kept] = field(default_factory=list)
    again: list[tuple[UUID, datetime]] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)


def due(own: Sequence[Memory], settings: MemorySettings, now: datetime, *, everything: bool) -> dict[str, list[Memory]]:
    """The interactions that are to be condensed, by session: those over the number that is kept, and the expired."""
    sessions: dict[str, list[Memory]] = {}
    for each in own:
        if each.kind is Kind.INTERACTION:
            sessions.setdefault(each.session, []).append(each)
    oldest = now - timedelta(hours=settings.session_hours)
    found = {}
    for session, turns in sessions.items():
        over = len(turns) - settings.interactions
        ripe = [turn for number, turn in enumerate(turns) if everything or number < over or turn.created_at < oldest]
        while ripe and len(ripe) < len(turns) and leans(turns[len(ripe)].text):
            ripe.pop()  # the next one cannot be understood without it
        if ripe:
            found[session] = ripe
    return found


def condensed(
    own: Sequence[Memory], sessions: Mapping[str, Sequence[Memory]], told: Mapping[str, Sequence[Statement]],
    settings: MemorySettings,
) -> Condensed:  # fmt: skip
    """What becomes of the sessions' interactions. `told`: what a model made of a session, where one was asked."""
    change = Condensed()
    known: dict[tuple[Kind, str], UUID | int] = {
        _key(memory.kind, memory.text): memory.id for memory in own if memory.tier is Tier.LONG
    }
    for session, turns in sessions.items():
        said = [(turn.text, turn.answer) for turn in turns]
        ended = turns[-1].created_at
        stated = [
            (each, turn.created_at)
            for turn, told_in_turn in zip(turns, statements_of(said), strict=True)
            for each in told_in_turn
        ]
        for each, moment in (*stated, *((one, ended) for one in told.get(session, ()))):
            if each.kind.value in settings.keep:
                _keep(change, known, Kept(each.kind, session, each.text, each.terms, moment))
        words = next((each.text for each in told.get(session, ()) if each.kind is Kind.SUMMARY), "")
        words = words or summary(said)
        if words and Kind.SUMMARY.value in settings.keep:
            change.kept.append(Kept(Kind.SUMMARY, session, words, (), ended))
        change.gone += [turn.id for turn in turns]
    return change


def _keep(change: Condensed, known: dict[tuple[Kind, str], UUID | int], new: Kept) -> None:
    """Keep it, or note when it was said again: what was corrected and then said as before is the newest again."""
    key = _key(new.kind, new.text)
    before = known.get(key)
    if before is None:
        known[key] = len(change.kept)
        change.kept.append(new)
    elif isinstance(before, UUID):
        change.again.append((before, new.said_at))
    elif change.kept[before].said_at < new.said_at:
        change.kept[before] = new


def patterns(own: Iterable[Memory], known: Iterable[Memory]) -> list[str]:
    """What recurs in three sessions or more, as sentences; those that are known already are left out."""
    counts = _recurring(own)
    said = {each.text for each in known}
    made = [_pattern(term) for term, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    return [each for each in made[:_MOST_PATTERNS] if each not in said]


def unfounded(held: Sequence[Memory], gone: Collection[UUID]) -> list[UUID]:
    """The patterns of `held` that summaries which are gone had a part in, and too few that are left show still."""
    found = []
    for project in {each.project for each in held}:
        here = [each for each in held if each.project == project]
        lost = {term for each in here if each.id in gone and each.kind is Kind.SUMMARY for term in each.terms}
        left = _recurring(each for each in here if each.id not in gone)
        unsaid = {_pattern(term) for term in lost if term not in left}
        found += [each.id for each in here if each.kind is Kind.PATTERN and each.text in unsaid]
    return found


def too_many(own: Sequence[Memory], settings: MemorySettings, now: datetime) -> list[UUID]:
    """What goes for want of room: the coldest summaries, patterns and preferences, and facts of least use and names."""
    mid = sorted((each for each in own if each.tier is Tier.MID), key=lambda each: each.heat(now))
    facts = sorted(
        (each for each in own if each.kind is Kind.FACT), key=lambda each: each.heat(now) * (1 + names_in(each.text))
    )
    ways = sorted((each for each in own if each.kind in {Kind.PREFERENCE, Kind.STYLE}), key=lambda each: each.heat(now))
    cold = [
        *mid[: max(0, len(mid) - settings.summaries)],
        *ways[: max(0, len(ways) - settings.preferences)],
        *facts[: max(0, len(facts) - settings.facts)],
    ]
    return [each.id for each in cold]


def _recurring(own: Iterable[Memory]) -> Mapping[str, int]:
    """The terms that summaries of enough sessions share: of how many."""
    sessions: dict[str, set[str]] = {}
    for each in own:
        if each.kind is Kind.SUMMARY:
            for term in set(each.terms):
                sessions.setdefault(term, set()).add(each.session)
    return {term: len(held) for term, held in sessions.items() if len(held) >= _PATTERN_SESSIONS}


def _pattern(term: str) -> str:
    return f"Often about {term}"


def _key(kind: Kind, text: str) -> tuple[Kind, str]:
    """What is the same when it is said again: the very words in their order, since `not` and who does what count."""
    return (kind, spoken(text))
