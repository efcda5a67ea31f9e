"""Chooses the snippets that are worth most together, within a budget of tokens that is never exceeded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rubber_duck.context.snippet import Chosen, Refused, Score, Snippet, SnippetKind

HALF_LIFE_DAYS: Final = 30.0
LARGEST_SHARE: Final = 0.25
"""The most of the budget that one snippet may take, unless it is needed or a whole file."""

NO_ROOM: Final = "no tokens left for it"

_WORD: Final = re.compile(r"\w{2,}")
_ALIKE: Final = 0.9
_ORDER: Final = {kind: place for place, kind in enumerate(SnippetKind)}


@dataclass(frozen=True, slots=True)
class Packed:
    """What was chosen, in the order in which it is told, its text and tokens, and what was refused and why."""

    chosen: tuple[Chosen, ...]
    refused: tuple[Refused, ...]
    text: str
    tokens: int


def pack(snippets: Sequence[Snippet], budget_tokens: int, count: Callable[[str], int]) -> Packed:
    """The snippets to tell; `count` counts the tokens of a text.

    Those that are needed come first, then always the one worth most beside those chosen already. One that is too long
    is told with its bodies elided, if it has such a form; one whose lines or words are told already is refused.
    """
    packing = _Packing(budget_tokens, count)
    waiting = [_Weighed(snippet, frozenset(_WORD.findall(snippet.text)), 0.0) for snippet in snippets]
    while waiting:
        best = max(waiting, key=lambda each: (each.snippet.is_needed, each.score.total))
        waiting.remove(best)
        if packing.take(best):
            waiting = [each.beside(best) for each in waiting]
    chosen = sorted(packing.chosen, key=_place)
    text = render(chosen)
    return Packed(tuple(chosen), tuple(packing.refused), text, count(text) if text else 0)


def render(chosen: Sequence[Chosen]) -> str:
    """The text of what was chosen: each snippet under a line that says where it is from."""
    return "".join(f"{_title(each.snippet)}\n{each.text.rstrip()}\n\n" for each in chosen)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A snippet, its words, and how much of them the most similar chosen one has."""

    snippet: Snippet
    words: frozenset[str]
    likeness: float

    @property
    def score(self) -> Score:
        recency = 0.5 ** (max(self.snippet.age_days, 0.0) / HALF_LIFE_DAYS)
        return Score(self.snippet.relevance, self.snippet.completeness, 1.0 - self.likeness, recency)

    def beside(self, chosen: _Weighed) -> _Weighed:
        shared = len(self.words & chosen.words) / len(self.words) if self.words else 1.0
        return _Weighed(self.snippet, self.words, max(self.likeness, shared))


class _Packing:
    def __init__(self, budget_tokens: int, count: Callable[[str], int]) -> None:
        self.chosen: list[Chosen] = []
        self.refused: list[Refused] = []
        self._budget_tokens = budget_tokens
        self._count = count
        self._told_tokens = 0

    def take(self, weighed: _Weighed) -> bool:
        """Whether the snippet was chosen; otherwise it was refused."""
        snippet = weighed.snippet
        if not snippet.text.strip():
            return self._refuse(snippet, "empty")
        if not snippet.is_needed:
            if self._is_told(snippet):
                return self._refuse(snippet, "these lines are told already")
            if weighed.likeness >= _ALIKE and snippet.kind not in (SnippetKind.RULES, SnippetKind.MAP):
                return self._refuse(snippet, "nearly the same is told already")
        for text in (snippet.text, snippet.shorter):
            if text and self._fits(snippet, text, weighed.score):
                return True
        return self._refuse(snippet, NO_ROOM)

    def _fits(self, snippet: Snippet, text: str, score: Score) -> bool:
        chosen = Chosen(snippet, text, self._count(text), score)
        is_limited = not snippet.is_needed and snippet.kind is not SnippetKind.FILE
        if is_limited and chosen.tokens > self._budget_tokens * LARGEST_SHARE:
            return False
        # Each begins with "#" behind an empty line, where no token joins two: the whole has as many as its parts.
        tokens = self._count(render([chosen]))
        if self._told_tokens + tokens > self._budget_tokens:
            return False
        self._told_tokens += tokens
        self.chosen.append(chosen)
        return True

    def _is_told(self, snippet: Snippet) -> bool:
        return snippet.start_line > 0 and any(
            other.snippet.path == snippet.path
            and other.snippet.start_line <= snippet.start_line
            and snippet.end_line <= other.snippet.end_line
            and not other.is_shortened
            for other in self.chosen
        )

    def _refuse(self, snippet: Snippet, reason: str) -> bool:
        # Its text is never shown, and may be long: whole files are among what is refused.
        self.refused.append(Refused(replace(snippet, text="", shorter=""), reason))
        return False


def _place(chosen: Chosen) -> tuple[int, int, str, int]:
    snippet = chosen.snippet
    return _ORDER[snippet.kind], snippet.order, snippet.path, snippet.start_line


def _title(snippet: Snippet) -> str:
    lines = f":{snippet.start_line}-{snippet.end_line}" if snippet.start_line else ""
    return f"### {snippet.kind.value} {snippet.path}{lines}".rstrip()
