"""What one check of `duck doctor` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How a check went."""

    WELL = "✓"
    NOTE = "!"
    ILL = "✗"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check saw. `advice` says what to do; a NOTE is something that RubberDuck works without."""

    state: State
    subject: str
    seen: str
    advice: str = ""
