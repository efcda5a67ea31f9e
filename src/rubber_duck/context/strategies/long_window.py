"""Long window: whole files, for models that can read many of them at once."""

from __future__ import annotations

from typing import ClassVar, Final

from rubber_duck.context.compression import elide
from rubber_duck.context.snippet import Snippet, SnippetKind
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.context.strategy import Strategy, strategies
from rubber_duck.context.surroundings import around

LONG_TOKENS: Final = 16_000
"""From this budget on, whole files are worth more than pieces."""

HITS: Final = 30


@strategies.add
class LongWindow(Strategy):
    """Tell whole files: the one that is meant, what it imports, what imports it, and what a search finds."""

    name: ClassVar[str] = "long_window"

    def suits(self, ask: Ask, sources: Sources) -> float:
        """Best when there is room for many files."""
        return 0.9 if ask.budget_tokens >= LONG_TOKENS else 0.1

    async def gather(self, ask: Ask, sources: Sources) -> list[Snippet]:
        """Files, the nearest the most relevant."""
        near: dict[str, tuple[float, str]] = {}
        for path in sources.imports.get(ask.path, ()):
            near[path] = (0.8, f"is imported by {ask.path}")
        for path in sources.picture.importers.get(ask.path, ()):
            near.setdefault(path, (0.5, f"imports {ask.path}"))
        if ask.query:
            hits = await sources.find(ask.query, HITS)
            for place, hit in enumerate(hits):
                near.setdefault(hit.path, (0.9 - 0.5 * place / HITS, "a search for the question finds it"))
        near.pop(ask.path, None)
        files = [self._file(path, near[path], sources) for path in near if sources.lines(path)]
        return [*(around(ask, sources) if ask.line else ()), *files]

    @staticmethod
    def _file(path: str, why: tuple[float, str], sources: Sources) -> Snippet:
        lines = sources.lines(path)
        relevance, reason = why
        found = sources.facts.get(path)
        return Snippet(
            SnippetKind.FILE,
            path,
            "\n".join(lines),
            (reason,),
            relevance,
            1,
            len(lines),
            age_days=sources.picture.age_days(path),
            shorter=elide(lines, found.symbols) if found is not None else "",
        )
