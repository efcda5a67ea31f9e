"""Why a test is to be run, in words that a person can check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rubber_duck.code.graph import ImportGraph
from rubber_duck.impact.history import Together
from rubber_duck.impact.tests import Test
from rubber_duck.impact.weighed import Weighed
from rubber_duck.impact.wording import file_words, own_name

_SHOWN: Final = 6
_NAMED: Final = 3
_STEP: Final = 0.1
"""What each step costs beside its doubt: of two ways alike the shorter one is shown."""

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
        graph: Weighed,
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


def _ways(graph: Weighed, targets: Sequence[int]) -> dict[int, int]:
    """For each definition that leads to a target, the next one on its likeliest way (Bellman 1958)."""
    within = graph.leading_to(targets)
    edges = np.flatnonzero(within[graph.sources] & within[graph.targets])
    if not len(edges):
        return {}
    sources, ends = graph.sources[edges], graph.targets[edges]
    steps = _STEP - np.log(graph.guarded[edges] * graph.sure[edges])
    firsts = np.flatnonzero(np.r_[True, sources[1:] != sources[:-1]])
    heads = sources[firsts]
    costs = np.full(len(graph.definitions), np.inf)
    costs[list(targets)] = 0
    while True:
        found = np.minimum(costs[heads], np.minimum.reduceat(costs[ends] + steps, firsts))
        if np.array_equal(found, costs[heads]):
            break
        costs[heads] = found
    is_next = np.flatnonzero((costs[ends] + steps <= costs[sources]) & (costs[sources] > 0))
    return dict(zip(sources[is_next][::-1].tolist(), ends[is_next][::-1].tolist(), strict=True))
