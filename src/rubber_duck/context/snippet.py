"""A piece of what a model may be told: where it is from, why it was gathered, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SnippetKind(StrEnum):
    """What part a snippet has in the whole; they are told in this order."""

    RULES = "rules"
    MAP = "map"
    OUTLINE = "outline"
    DEFINITION = "definition"
    FOUND = "found"
    FILE = "file"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines of a file, or a text made of several files.

    - `path` is relative to the project's root, empty for a text of several files. Lines are 1-based and inclusive,
      0 for what is no stretch of lines. `shorter` is the same with bodies elided, empty when there is none.
    - `relevance` 0 to 1: how likely it helps. `completeness` 0 to 1: how much of its definition it holds.
      `age_days` since its file was changed.
    - `is_needed`: without it the rest is of no use; it is taken first. `order`: among those of its kind, the lower
      ones are told first, equal ones by path and line.
    """

    kind: SnippetKind
    path: str
    text: str
    reasons: tuple[str, ...]
    relevance: float
    start_line: int = 0
    end_line: int = 0
    completeness: float = 1.0
    age_days: float = 0.0
    shorter: str = ""
    is_needed: bool = False
    order: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """What a snippet is worth beside those chosen before it; each part from 0 to 1."""

    relevance: float
    completeness: float
    diversity: float
    recency: float

    @property
    def total(self) -> float:
        """The parts weighed .40, .25, .20 and .15, as the plan has it (plan-v1 3.4)."""
        return 0.40 * self.relevance + 0.25 * self.completeness + 0.20 * self.diversity + 0.15 * self.recency


@dataclass(frozen=True, slots=True)
class Chosen:
    """A snippet as it is told: its text, whole or with bodies elided, its tokens, and its score when it was chosen."""

    snippet: Snippet
    text: str
    tokens: int
    score: Score

    @property
    def is_shortened(self) -> bool:
        """Whether less than the whole snippet is told."""
        return self.text != self.snippet.text


@dataclass(frozen=True, slots=True)
class Refused:
    """A snippet that is not told, without its text, and why."""

    snippet: Snippet
    reason: str
