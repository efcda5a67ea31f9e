"""Retrieval: what a search for the question finds, and what stands near it in the graph of imports."""

from __future__ import annotations

from typing import ClassVar, Final

from rubber_duck.context.snippet import Snippet, SnippetKind
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.context.strategy import Strategy, strategies
from rubber_duck.context.surroundings import surroundings, words_at
from rubber_duck.search.hits import Hit

HITS: Final = 20
"""How many hits of the search are looked at."""


@strategies.add
class Retrieval(Strategy):
    """Tell the definitions that a search for the question finds, the likeliest first."""

    name: ClassVar[str] = "retrieval"

    def suits(self, ask: Ask, sources: Sources) -> float:
        """Best for a question."""
        return 0.8 if ask.query else 0.0

    async def gather(self, ask: Ask, sources: Sources) -> list[Snippet]:
        """What the search found, and the surroundings of the place when there is one."""
        query = ask.query or words_at(ask, sources)
        hits = await sources.find(query, HITS) if query else []
        best = max((hit.score for hit in hits), default=0.0)
        found = [self._snippet(hit, best, sources) for hit in hits if sources.lines(hit.path)]
        if ask.line:
            found += surroundings(ask, sources)
        return found

    @staticmethod
    def _snippet(hit: Hit, best: float, sources: Sources) -> Snippet:
        lines = sources.lines(hit.path)[hit.start_line - 1 : hit.end_line]
        reasons = tuple(f"{reason.kind}: {', '.join(reason.words)}".rstrip(": ") for reason in hit.reasons)
        return Snippet(
            SnippetKind.FOUND,
            hit.path,
            "\n".join(lines),
            reasons,
            hit.score / best if best > 0 else 0.5,
            hit.start_line,
            hit.end_line,
            age_days=sources.picture.age_days(hit.path),
            shorter="\n".join(line.text for line in hit.lines),
        )
