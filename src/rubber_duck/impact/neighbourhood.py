"""Who calls what is changed, and who imports it, directly or over others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.graph import ImportGraph
from rubber_duck.impact.weighed import Weighed

FARTHEST: Final = 3
"""Callers of callers of callers; farther ones are so many that they tell nothing."""

_MOST_DOUBTFUL: Final = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """A definition that calls something changed in `distance` steps: at `line` of its file it calls `callee`.

    `choices`: how many definitions could be meant there instead, 1 when it is certain.
    """

    path: str
    name: str
    line: int
    distance: int
    callee: str
    choices: int


@dataclass(frozen=True, slots=True)
class Importer:
    """A file that imports a changed one in `distance` steps: at `line` it imports `imported`."""

    path: str
    line: int
    distance: int
    imported: str


def callers(graph: Weighed, targets: Sequence[int]) -> tuple[Caller, ...]:
    """The callers of `targets`, up to `FARTHEST` steps away, without the targets; the nearest and surest first."""
    seen = set(targets)
    layer = list(targets)
    found: list[Caller] = []
    for distance in range(1, FARTHEST + 1):
        edges = graph.into(layer)
        edges = edges[graph.is_spoken[edges] & (graph.choices[edges] <= _MOST_DOUBTFUL)]
        best: dict[int, tuple[int, int]] = {}
        for edge, source, choices in zip(
            edges.tolist(), graph.sources[edges].tolist(), graph.choices[edges].tolist(), strict=True
        ):
            if source not in seen and (source not in best or choices < best[source][0]):
                best[source] = (choices, edge)
        seen |= best.keys()
        layer = list(best)
        for number, (choices, edge) in best.items():
            definition, callee = graph.definitions[number], graph.definitions[graph.targets[edge]]
            line = int(graph.lines[edge])
            found.append(Caller(definition.path, definition.name, line, distance, callee.name or callee.path, choices))
    return tuple(sorted(found, key=lambda each: (each.distance, each.choices, each.path, each.line)))


def importers(graph: ImportGraph, paths: Collection[str]) -> tuple[Importer, ...]:
    """The files that import one of `paths`, directly or over others; the nearest first."""
    before: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for edge in graph.edges:
        before[edge.target].append((edge.source, edge.line))
    seen = set(paths)
    layer = sorted(paths)
    found: list[Importer] = []
    distance = 0
    while layer:
        distance += 1
        following: list[str] = []
        for target in layer:
            for source, line in before[target]:
                if source not in seen:
                    seen.add(source)
                    following.append(source)
                    found.append(Importer(source, line, distance, target))
        layer = following
    return tuple(sorted(found, key=lambda each: (each.distance, each.path)))
