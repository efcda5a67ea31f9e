"""How likely a test goes a way, given what the test says: a condition whose words it says is likelier met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rubber_duck.code.calls import CallEdge, CallGraph
from rubber_duck.impact.reach import Matrix, guardedness, leading_to, sureness
from rubber_duck.impact.tests import Test
from rubber_duck.impact.wording import overlap, own_name, words

MOST_EDGES: Final = 20_000
"""Of more edges only the surest are followed."""

MOST_PAIRS: Final = 8_000_000
"""Of more edges times tests only the likeliest tests are followed; it bounds the time to some seconds."""

_COLUMNS: Final = 128
_SWEEPS: Final = 14
_INNERMOST: Final = 2
_LEAST: Final = 1e-6
_OWNER: Final = 0.6
"""What saying the words of a class's name counts beside naming the class."""


@dataclass(frozen=True, slots=True)
class Suited:
    """For each test (rows) and each target (columns) the probability of the ways between, by three readings.

    `full` counts the words of conditions and of classes, `guard` the former only, `hard` both twice as much.
    """

    full: Matrix
    guard: Matrix
    hard: Matrix


@dataclass(frozen=True, slots=True)
class Said:
    """What each test says: its tokens as written, and their parts in lower case."""

    tokens: Sequence[frozenset[str]]
    words: Sequence[frozenset[str]]


def suited(graph: CallGraph, tests: Sequence[Test], targets: Sequence[int], said: Said, likely: Matrix) -> Suited:
    """How likely each test leads to each of `targets`.

    `likely` says how likely they do for all that is known of the tests; where there are too many, only the likeliest
    are followed, and the others have 0.
    """
    edges = _edges(graph, tests, targets)
    shape = (len(tests), len(targets))
    found = [np.zeros(shape, dtype=np.float32) for _ in range(3)]
    best = likely.max(axis=1, initial=0)
    most = max(MOST_PAIRS // max(len(edges), 1), _COLUMNS)
    chosen = np.argsort(-best, kind="stable")[:most]
    for first in range(0, len(chosen), _COLUMNS):
        rows = [int(row) for row in chosen[first : first + _COLUMNS] if best[row] > 0]
        if not rows:
            break
        starts = [tests[row].definition for row in rows]
        for at, values in enumerate(_ways(graph, edges, starts, _matches(graph, edges, said, rows))):
            found[at][rows] = values[targets].T
    return Suited(*found)


def _edges(graph: CallGraph, tests: Sequence[Test], targets: Sequence[int]) -> list[CallEdge]:
    """Those that lead towards the targets, by what they lead to."""
    within = set(leading_to(graph, targets))
    starts = {test.definition for test in tests}
    edges = [edge for edge in graph.edges if edge.target in within and edge.target not in starts]
    if len(edges) > MOST_EDGES:
        edges = sorted(edges, key=lambda edge: -guardedness(edge) * sureness(edge))[:MOST_EDGES]
    return sorted(edges, key=lambda edge: (edge.target, edge.source))


def _matches(graph: CallGraph, edges: Sequence[CallEdge], said: Said, rows: Sequence[int]) -> tuple[Matrix, Matrix]:
    """For each edge and test: how much of the edge's condition or name, and of its target's class, the test says."""
    conditions = [frozenset[str]().union(*map(words, edge.guard.conditions[-_INNERMOST:])) for edge in edges]
    definitions = [graph.definitions[edge.target] for edge in edges]
    names = [words(own_name(each)) for each in definitions]
    classes = [each.owner.rpartition(".")[2] for each in definitions]
    owners = [frozenset({each}) if each else frozenset[str]() for each in classes]
    met = np.maximum(
        _shared(conditions, said.words, rows),
        _shared(names, said.words, rows),
    )
    kind = np.maximum(
        _shared(owners, said.tokens, rows),
        np.float32(_OWNER) * _shared([words(each) for each in classes], said.words, rows),
    )
    return met, kind


def _shared(asked: Iterable[frozenset[str]], said: Sequence[frozenset[str]], rows: Sequence[int]) -> Matrix:
    """`overlap`, worked out once for those that ask the same."""
    numbers: dict[frozenset[str], int] = {}
    places = [numbers.setdefault(each, len(numbers)) for each in asked]
    matrix: Matrix = overlap(list(numbers), said, rows)[:, places].T
    return matrix


def _ways(
    graph: CallGraph, edges: Sequence[CallEdge], starts: Sequence[int], matches: tuple[Matrix, Matrix]
) -> Iterable[Matrix]:
    begin = np.zeros((len(graph.definitions), len(starts)), dtype=np.float32)
    begin[starts, range(len(starts))] = 1
    if not edges:
        return (begin, begin, begin)
    met, kind = matches
    guard = np.log(np.array([[guardedness(edge)] for edge in edges], dtype=np.float32))
    doubt = np.log(np.array([[sureness(edge)] for edge in edges], dtype=np.float32))
    sources = np.array([edge.source for edge in edges])
    targets = np.array([edge.target for edge in edges])
    firsts = np.flatnonzero(np.r_[True, targets[1:] != targets[:-1]])
    heads = targets[firsts]

    def sweep(weights: Matrix) -> Matrix:
        values = begin
        for _ in range(_SWEEPS):
            misses = np.log1p(-np.minimum(values[sources] * weights, 1 - _LEAST))
            found = begin.copy()
            found[heads] = np.maximum(begin[heads], 1 - np.exp(np.add.reduceat(misses, firsts, axis=0)))
            values = found
        return values

    return (
        sweep(np.exp(np.clip(guard * (1.8 * (1 - met) + 0.1), -6, 0) + doubt * (1.2 * (1 - kind) + 0.1))),
        sweep(np.exp(guard * (1.5 * (1 - met) + 0.1) + 0.5 * doubt)),
        sweep(np.exp(guard * (3 * (1 - met) + 0.1) + doubt * (2 * (1 - kind) + 0.1))),
    )
