"""How risky a change is: a number with the parts it is made of, each said in a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_MANY_CALLERS: Final = 50
_MANY_FILES: Final = 20
_MANY_LINES: Final = 200
_MANY_CHANGES: Final = 10


@dataclass(frozen=True, slots=True)
class RiskPart:
    """One thing that makes a change risky: how much of it there is, in [0, 1], what it weighs, and why."""

    name: str
    value: float
    weight: float
    why: str


@dataclass(frozen=True, slots=True)
class Risk:
    """`score` in [0, 100]: the parts' values by their weights, which add up to 1."""

    score: int
    parts: tuple[RiskPart, ...]

    @property
    def level(self) -> str:
        """In a word."""
        return "high" if self.score >= 60 else "medium" if self.score >= 30 else "low"


@dataclass(frozen=True, slots=True)
class Exposure:
    """What is known of a change. Counts; `changed` is what of it is code, in definitions or outside of them; `exported`
    of `definitions` may be used by other projects too.

    `mentioning` tests name something changed; `recent` of the `commits` looked at changed one of the files.
    """

    changed: int
    callers: int
    files: int
    definitions: int
    exported: int
    tests: int
    mentioning: int
    lines: int
    recent: int
    commits: int


def assess(exposure: Exposure) -> Risk:
    """The risk of a change. The weights are a judgement, not a measurement."""
    known = exposure
    parts = [
        RiskPart(
            "reach", _of(known.callers, _MANY_CALLERS), 0.25, f"{_counted(known.callers, 'definition')} may call it"
        ),
        RiskPart("spread", _of(known.files, _MANY_FILES), 0.15, f"{_counted(known.files, 'other file')} depend on it"),
        RiskPart(
            "exposure",
            known.exported / known.definitions if known.definitions else 0.0,
            0.15,
            f"{known.exported} of {_counted(known.definitions, 'changed definition')} can be seen from other files",
        ),
        _untested(known),
        RiskPart("size", _of(known.lines, _MANY_LINES), 0.1, f"{_counted(known.lines, 'line')} changed"),
        RiskPart(
            "churn",
            _of(known.recent, _MANY_CHANGES),
            0.1,
            f"changed in {known.recent} of the last {_counted(known.commits, 'commit')}"
            if known.commits
            else "there is no history",
        ),
    ]
    return Risk(round(100 * sum(part.value * part.weight for part in parts)), tuple(parts))


def _untested(known: Exposure) -> RiskPart:
    if not known.changed:
        return RiskPart("untested", 0.0, 0.25, "nothing changed that a test could run")
    if not known.tests:
        return RiskPart("untested", 1.0, 0.25, "no test leads to it")
    if not known.mentioning:
        return RiskPart("untested", 0.5, 0.25, f"no test names it, {_counted(known.tests, 'test')} may run it")
    value = 0.4 / known.mentioning
    return RiskPart("untested", value, 0.25, f"{_counted(known.mentioning, 'test')} name it")


def _of(count: int, many: int) -> float:
    """Grows with the logarithm, from 0 to 1 at `many`."""
    return min(math.log1p(count) / math.log1p(many), 1.0)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
