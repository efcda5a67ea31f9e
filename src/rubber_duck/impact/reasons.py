"""Why a test is to be run, in words that a person can check."""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.calls import CallGraph
from rubber_duck.code.graph import ImportGraph
from rubber_duck.impact.history import Together
from rubber_duck.impact.reach import guardedness, sureness
from rubber_duck.impact.tests import Test
from rubber_duck.impact.wording import file_words, own_name

_SHOWN: Final = 6
_NAMED: Final = 3
_TOKEN: Final = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Reason:
    """`kind`: changed, covered, names, calls, loads, file or history; `words` say it."""

    kind: str
    words: str


class Reasons:
    """What ties tests to one change."""

    def __init__(
        self,
        graph: CallGraph,
        targets: Sequence[int],
        texts: Mapping[str, str],
        imports: ImportGraph,
        together: Sequence[Together],
    ) -> None:
        self._graph = graph
        self._targets = frozenset(targets)
        self._lines = {path: text.split("\n") for path, text in texts.items()}
        self._importing = {(edge.source, edge.target): edge.line for edge in imports.edges}
        self._together = {each.path: each for each in together}
        self._next = _ways(graph, targets)
        changed = [graph.definitions[number] for number in targets]
        self._names = {own_name(each) for each in changed if each.name and len(own_name(each)) > 1}
        self._files = {each.path for each in changed}

    def of(self, test: Test, *, covered: bool, loads: int | None) -> tuple[Reason, ...]:
        """The reasons for one test, the strongest first.

        `covered`: it ran the changed lines when that was recorded. `loads`: over how many imports it loads a file
        that changed outside of all definitions.
        """
        found: list[Reason] = []
        if test.definition in self._targets:
            found.append(Reason("changed", "it is changed itself"))
        if covered:
            found.append(Reason("covered", "it ran this code when coverage was recorded"))
        named = self._named(test)
        if named:
            found.append(Reason("names", f"it names {', '.join(named[:_NAMED])}"))
        way = self._way(test.definition)
        if len(way) > 1:
            found.append(Reason("calls", " → ".join(way)))
        if loads is not None:
            found.append(Reason("loads", "it loads the file" + (f" over {loads} imports" if loads > 1 else "")))
        alike = [path for path in sorted(self._files) if path != test.path and self._is_alike(path, test.path)]
        if alike:
            found.append(Reason("file", f"its file is called after {alike[0]}"))
        known = self._together.get(test.path)
        if known is not None:
            found.append(Reason("history", f"its file changed in {known.together} of {known.changes} such commits"))
        return tuple(found)

    def _named(self, test: Test) -> list[str]:
        definition = self._graph.definitions[test.definition]
        lines = self._lines.get(definition.path, [])[definition.start_line - 1 : definition.end_line]
        said = {token for line in lines for token in _TOKEN.findall(line)}
        return sorted(self._names & said)

    def _way(self, number: int) -> list[str]:
        """The names on the likeliest way to something changed; in the middle of a long one some are left out."""
        way = [number]
        while way[-1] in self._next:
            way.append(self._next[way[-1]])
        if way[-1] not in self._targets:
            return []
        names = [self._graph.definitions[each].name or self._graph.definitions[each].path for each in way]
        if len(names) > _SHOWN:
            names = [*names[: _SHOWN - 2], "…", *names[-2:]]
        return names

    def _is_alike(self, path: str, test: str) -> bool:
        own = file_words(path)
        return bool(own) and own <= file_words(test)


def _ways(graph: CallGraph, targets: Sequence[int]) -> dict[int, int]:
    """For each definition that leads to a target, the next one on its likeliest way (Dijkstra 1959)."""
    before: dict[int, list[tuple[int, float]]] = {}
    for edge in graph.edges:
        cost = 0.1 - math.log(guardedness(edge) * sureness(edge))
        before.setdefault(edge.target, []).append((edge.source, cost))
    costs = dict.fromkeys(targets, 0.0)
    following: dict[int, int] = {}
    waiting = [(0.0, number) for number in targets]
    heapq.heapify(waiting)
    while waiting:
        cost, number = heapq.heappop(waiting)
        if cost > costs[number]:
            continue
        for source, step in before.get(number, ()):
            if cost + step < costs.get(source, math.inf):
                costs[source] = cost + step
                following[source] = number
                heapq.heappush(waiting, (cost + step, source))
    return following
