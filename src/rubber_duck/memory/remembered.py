"""What is remembered: its tier, its kind, whose it is, and why a recall found it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

DECAY_DAYS: Final = 30.0
"""After so many days without use the heat is 1/e of what it was."""


class Tier(StrEnum):
    """How long something is kept: until its session has expired, while it is warm, or until it is forgotten."""

    SHORT = "short"
    MID = "mid"
    LONG = "long"


class Kind(StrEnum):
    """What it is. An interaction is short term, a summary and a pattern are mid term, the rest is long term."""

    INTERACTION = "interaction"
    SUMMARY = "summary"
    PATTERN = "pattern"
    PREFERENCE = "preference"
    STYLE = "style"
    FACT = "fact"


TIERS: Final = {Kind.INTERACTION: Tier.SHORT, Kind.SUMMARY: Tier.MID, Kind.PATTERN: Tier.MID}
"""The tier of each kind that is not long term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One thing that is remembered.

    - `project`: None for what is the person's own in every project. `is_shared`: everybody in the project sees it.
    - `text`: what was said; of an interaction the question, whose answer is `answer`. `terms`: its words as they are
      found by. `uses`: how often it was said again or recalled. `created_at`: when it was said, the last time.
    """

    id: UUID
    actor: str
    project: UUID | None
    is_shared: bool
    kind: Kind
    session: str
    text: str
    answer: str
    terms: tuple[str, ...]
    uses: int
    created_at: datetime
    used_at: datetime

    @property
    def tier(self) -> Tier:
        """How long it is kept."""
        return TIERS.get(self.kind, Tier.LONG)

    def heat(self, now: datetime) -> float:
        """How often it was of use, decaying: uses · e^(−days / 30)."""
        days = max(0.0, (now - self.used_at).total_seconds() / 86_400)
        return (1 + self.uses) * math.exp(-days / DECAY_DAYS)


@dataclass(frozen=True, slots=True)
class Recalled:
    """A memory that a recall found, how well it fits (the best is 1), and why."""

    memory: Memory
    score: float
    reasons: tuple[str, ...] = field(default=())
