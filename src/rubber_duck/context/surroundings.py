"""What stands around a place in a file: the text before and after it, and the definitions of the names there."""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rubber_duck.code.symbols import ReferenceKind, References, Symbol, SymbolKind
from rubber_duck.context.compression import elide
from rubber_duck.context.snippet import Snippet, SnippetKind
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.llm.tokens import cut

NEIGHBOUR_LINES: Final = 40
"""Names that are mentioned further away are not looked up."""

_MINOR: Final = frozenset((SymbolKind.FIELD, SymbolKind.CONSTANT, SymbolKind.VARIABLE))

_NAME: Final = re.compile(r"[A-Za-z_]\w{2,}")

AMBIGUOUS: Final = 4
"""A name with more definitions says too little about which is meant."""


def around(ask: Ask, sources: Sources) -> Iterator[Snippet]:
    """The text before the place and after it: at most what the ask says, and three quarters of the budget."""
    lines = sources.lines(ask.path)
    column = max(ask.column - 1, 0)
    here = lines[ask.line - 1] if ask.line <= len(lines) else ""
    before = "\n".join([*lines[: ask.line - 1], here[:column]])
    after = "\n".join([here[column:], *lines[ask.line :]])
    kept = cut(before, min(ask.before_tokens, ask.budget_tokens * 9 // 16), keep="end")
    first = ask.line - kept.count("\n")
    if kept.strip():
        yield _part(SnippetKind.BEFORE, ask, kept, (first, ask.line))
    kept = cut(after, min(ask.after_tokens, ask.budget_tokens * 3 // 16))
    if kept.strip():
        yield _part(SnippetKind.AFTER, ask, kept, (ask.line, ask.line + kept.count("\n")))


def definitions(ask: Ask, sources: Sources, shown: range = range(0)) -> Iterator[Snippet]:
    """The definitions of the names that are mentioned near the place, without those on lines of its file in `shown`."""
    found = sources.facts.get(ask.path)
    if found is None:
        return
    near = _near(found.references, ask.line)
    imported = set(sources.imports.get(ask.path, ()))
    for name, count in near.most_common():
        places = [
            (path, index)
            for path, index in sources.picture.definers.get(name, ())
            if sources.facts[path].symbols[index].kind not in _MINOR
        ]
        own = [each for each in places if each[0] == ask.path]
        chosen = own or [each for each in places if each[0] in imported] or places
        if not 0 < len(chosen) <= AMBIGUOUS:
            continue
        for path, index in chosen:
            symbol = sources.facts[path].symbols[index]
            if path == ask.path and (symbol.line in shown or symbol.start_line <= ask.line <= symbol.end_line):
                continue
            is_near = path == ask.path or path in imported
            relevance = min(1.0, 0.4 + 0.1 * math.log2(1 + count) + (0.3 if is_near else 0.0))
            reasons = [f"defines {name}, which is named near here"]
            if path in imported:
                reasons.append("is imported here")
            elif path == ask.path:
                reasons.append("stands further away in this file")
            yield of_symbol(sources, path, symbol, (SnippetKind.DEFINITION, relevance, tuple(reasons)))


def surroundings(ask: Ask, sources: Sources) -> list[Snippet]:
    """What stands around the place, and the definitions of the names near it that are not in that."""
    parts = [*around(ask, sources)]
    first = min((part.start_line for part in parts), default=ask.line)
    shown = range(first, max((part.end_line for part in parts), default=ask.line) + 1)
    return [*parts, *definitions(ask, sources, shown)]


def words_at(ask: Ask, sources: Sources) -> str:
    """The names on the line of the place and on the two above, as a query; empty when there are none."""
    lines = sources.lines(ask.path)[max(ask.line - 3, 0) : ask.line]
    return " ".join(dict.fromkeys(_NAME.findall("\n".join(lines))))


def of_symbol(sources: Sources, path: str, symbol: Symbol, why: tuple[SnippetKind, float, tuple[str, ...]]) -> Snippet:
    """One definition as a snippet; `why` is its kind, its relevance and its reasons."""
    kind, relevance, reasons = why
    lines = sources.lines(path)
    shown = range(symbol.start_line, min(symbol.end_line, len(lines)) + 1)
    whole = "\n".join(lines[symbol.start_line - 1 : symbol.end_line])
    inside = _inside(sources.facts[path].symbols, symbol)
    shorter = elide(lines, inside, only=shown).lstrip("\n") if shown else ""
    return Snippet(
        kind,
        path,
        whole,
        reasons,
        relevance,
        symbol.start_line,
        symbol.end_line,
        age_days=sources.picture.age_days(path),
        shorter=shorter if shorter != whole else "",
    )


def _inside(symbols: Sequence[Symbol], symbol: Symbol) -> list[Symbol]:
    """The symbol and those within it, of a file's in their order."""
    first = bisect_left(symbols, symbol.start_line, key=lambda each: each.start_line)
    found = itertools.takewhile(lambda each: each.start_line <= symbol.end_line, itertools.islice(symbols, first, None))
    return [each for each in found if each.end_line <= symbol.end_line]


def _near(references: References, line: int) -> Counter[str]:
    """How much each name counts: those mentioned near the line, nearest most, and those that the file imports."""
    above, below = line - NEIGHBOUR_LINES, line + NEIGHBOUR_LINES
    imports = references.of_kind(ReferenceKind.IMPORT)
    near: Counter[str] = Counter()
    near.update(each.name for each in imports if each.line < above)
    for each in references.between(above, below):
        near[each.name] += 2 if abs(each.line - line) <= NEIGHBOUR_LINES // 4 else 1
    near.update(each.name for each in imports if each.line > below)
    return near


def _part(kind: SnippetKind, ask: Ask, text: str, lines: tuple[int, int]) -> Snippet:
    reason = "stands before the cursor" if kind is SnippetKind.BEFORE else "stands after the cursor"
    return Snippet(kind, ask.path, text, (reason,), 1.0, *lines, is_needed=True)
