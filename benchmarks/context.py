"""Whether a context holds the definitions that the code at a place uses, beside BM25 over chunks under one budget.

`python -m benchmarks.context [first|later] [click|django]`. A place is a line inside a function with calls around it.
Those names near it count that are defined once in the project, or in one file that is imported there: what they mean is
beyond doubt. A definition is told when its first line is in what is told of its file. Both sides are told the same text
before and after the place. Half of the files, by a hash, may be looked at; nothing is tuned on the later half.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import corpus
from benchmarks.search_peers import split
from rubber_duck.analysis.analysis import open_analysis
from rubber_duck.analysis.target import Target, project_settings
from rubber_duck.app import open_app
from rubber_duck.code.symbols import ReferenceKind, SymbolKind
from rubber_duck.context.context import build
from rubber_duck.context.contexts import picture_of
from rubber_duck.context.picture import Picture
from rubber_duck.context.repository_map import is_test_path
from rubber_duck.context.snippet import SnippetKind
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.context.surroundings import around
from rubber_duck.llm.tokens import count_tokens
from rubber_duck.scope import Scope
from rubber_duck.search.hits import Hit
from rubber_duck.settings import Settings, load
from rubber_duck.workspace.paths import Root

BUDGETS: Final = (2_000, 4_000, 8_000)
PLACES: Final = 120
NEAR: Final = 2
"""Names on so many lines before and after the place are those it uses."""

CHUNK_LINES: Final = 40
_KINDS: Final = frozenset({SymbolKind.FUNCTION, SymbolKind.METHOD, SymbolKind.CLASS, SymbolKind.MACRO})
_HALVES: Final = ("first", "later")
_PROJECTS: Final = {"click": corpus.click, "django": corpus.django}
_K1, _B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Case:
    """A place and the (path, line) of the definitions that its code uses."""

    path: str
    line: int
    used: frozenset[tuple[str, int]]


def cases(picture: Picture, half: str) -> list[Case]:
    """At most PLACES of one half of the files, no two in one function, in an order that a hash decides."""
    found = []
    for path in sorted(picture.facts):
        if is_test_path(path) or _HALVES[hashlib.md5(path.encode()).digest()[0] % 2] != half:
            continue
        found += [case for case in _in_file(picture, path) if case.used]
    found.sort(key=lambda case: hashlib.md5(f"{case.path}:{case.line}".encode()).digest())
    return found[:PLACES]


def _in_file(picture: Picture, path: str) -> Iterator[Case]:
    facts = picture.facts[path]
    calls = [each for each in facts.references if each.kind is ReferenceKind.CALL]
    for symbol in facts.symbols:
        if symbol.arity is None or symbol.end_line - symbol.line < 4:
            continue
        inside = [each.line for each in calls if symbol.line < each.line <= symbol.end_line]
        if inside:
            line = inside[len(inside) // 2]
            names = {each.name for each in calls if abs(each.line - line) <= NEAR}
            used = {place for name in names if (place := _meant(picture, path, name)) is not None}
            yield Case(path, line, frozenset(used))


def _meant(picture: Picture, path: str, name: str) -> tuple[str, int] | None:
    """Where `name`, used in `path`, is defined, if that is beyond doubt."""
    places = [
        (where, symbol.line)
        for where, index in picture.definers.get(name, ())
        if (symbol := picture.facts[where].symbols[index]).kind in _KINDS
    ]
    if len(places) == 1:
        return places[0]
    imported = [place for place in places if place[0] in picture.imports.get(path, ())]
    return imported[0] if len(imported) == 1 and not any(place[0] == path for place in places) else None


class Chunks:
    """BM25 (Robertson and Zaragoza 2009) over windows of lines, words split as the product's own search does."""

    def __init__(self, sources: Sources) -> None:
        self.places: list[tuple[str, int, int]] = []
        self._words: list[Counter[str]] = []
        self._holding: dict[str, list[int]] = defaultdict(list)
        for path in sorted(sources.facts):
            lines = sources.lines(path)
            for start in range(0, len(lines), CHUNK_LINES):
                words = Counter(split("\n".join(lines[start : start + CHUNK_LINES])).split())
                for word in words:
                    self._holding[word].append(len(self.places))
                self.places.append((path, start + 1, min(start + CHUNK_LINES, len(lines))))
                self._words.append(words)
        self._sizes = [words.total() for words in self._words]
        self._mean = sum(self._sizes) / max(len(self._sizes), 1)

    def ranked(self, query: str) -> list[tuple[str, int, int]]:
        """The chunks that have a word of the query, the best first."""
        scores: dict[int, float] = defaultdict(float)
        for word in set(split(query).split()):
            holding = self._holding.get(word, [])
            weight = math.log(1 + (len(self.places) - len(holding) + 0.5) / (len(holding) + 0.5))
            for at in holding:
                count = self._words[at][word]
                scores[at] += weight * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * self._sizes[at] / self._mean))
        return [self.places[at] for at in sorted(scores, key=lambda at: (-scores[at], at))]


def told_by_chunks(case: Case, sources: Sources, chunks: Chunks, budget: int) -> set[tuple[str, int]]:
    """Which of the used definitions are told by what stands around the place and the best chunks beside it."""
    parts = [*around(Ask(case.path, case.line, 1, budget_tokens=budget), sources)]
    told = {(case.path, line) for part in parts for line in range(part.start_line, part.end_line + 1)}
    left = budget - sum(count_tokens(part.text) + 12 for part in parts)
    lines = sources.lines(case.path)
    for path, start, end in chunks.ranked("\n".join(lines[max(case.line - 20, 0) : case.line + 20])):
        tokens = count_tokens("\n".join(sources.lines(path)[start - 1 : end])) + 12
        if tokens > left:
            break
        left -= tokens
        told |= {(path, line) for line in range(start, end + 1)}
    return told & case.used


async def told(case: Case, sources: Sources, budget: int) -> tuple[set[tuple[str, int]], int]:
    """Which of the used definitions are told by a context, without those that only the map names, and its tokens."""
    built = await build(Ask(case.path, case.line, 1, budget_tokens=budget), sources, strategy="fim")
    found = set()
    for path, line in case.used:
        head = sources.lines(path)[line - 1].strip()
        for each in built.packed.chosen:
            is_there = each.snippet.path == path and each.snippet.start_line <= line <= each.snippet.end_line
            if is_there and each.snippet.kind is not SnippetKind.MAP and head in each.text:
                found.add((path, line))
    return found, built.packed.tokens


async def _nothing(query: str, limit: int) -> Sequence[Hit]:
    return ()


async def _compare(name: str, folder: Path, half: str, settings: Settings) -> None:
    root = Root(folder)
    async with open_analysis(settings) as analysis:
        target = Target(root, (), project_settings(root, settings))
        picture = picture_of(await analysis.read(target, lambda done, total, note: None))
    sources = Sources(root, picture, _nothing)
    chunks = Chunks(sources)
    chosen = cases(picture, half)
    used = sum(len(case.used) for case in chosen)
    print(f"{name}, {half} half: {len(chosen)} places that use {used} definitions")
    print(f"  {'budget':>8} {'context':>9} {'BM25':>9} {'ratio':>7}  longest")
    for budget in BUDGETS:
        ours = theirs = longest = 0
        for case in chosen:
            found, tokens = await told(case, sources, budget)
            ours += len(found)
            longest = max(longest, tokens)
            theirs += len(told_by_chunks(case, sources, chunks, budget))
        ratio = ours / max(theirs, 1)
        print(f"  {budget:>8,} {ours / used:>9.3f} {theirs / used:>9.3f} {ratio:>6.2f}x  {longest:,} tokens")


async def _timed(folder: Path, settings: Settings) -> None:
    """How long asks take in one process: nothing known, the same again, another place, after one file changed."""
    place = "django/db/models/query.py"
    async with open_app(settings, for_engines=["context"]) as app:
        for label, line in (("cold", 300), ("the same again", 300), ("another place", 310), ("a third", 320)):
            started, cpu = time.perf_counter(), time.process_time()
            answer = await app.run("context", {"place": f"{place}:{line}", "directory": str(folder)}, Scope.local())
            wall_ms, cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000
            told_again = ", told again" if answer.cached else ""
            print(f"  {label:<16} {wall_ms:>9,.0f} ms wall {cpu_ms:>8,.0f} ms CPU of this process{told_again}")


def main() -> None:
    """Print both comparisons and the times."""
    half = next((each for each in sys.argv[1:] if each in _HALVES), "later")
    chosen = [each for each in _PROJECTS if each in sys.argv[1:]] or [*_PROJECTS]
    with tempfile.TemporaryDirectory(prefix="duck-bench-") as home:
        settings = load({"DUCK_HOME": home})
        for name in chosen:
            asyncio.run(_compare(name, _PROJECTS[name](), half, settings))
    if "django" in chosen:
        with tempfile.TemporaryDirectory(prefix="duck-bench-") as home:
            print("django, one process:")
            asyncio.run(_timed(corpus.django(), load({"DUCK_HOME": home})))


if __name__ == "__main__":
    main()
