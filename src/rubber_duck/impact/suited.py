"""How likely a test goes a way, given what the test says: a condition whose words it says is likelier met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rubber_duck.impact.spoken import Spoken, overlap
from rubber_duck.impact.tests import Test
from rubber_duck.impact.weighed import Matrix, Numbers, Weighed
from rubber_duck.impact.wording import Said, own_name, words

MOST_EDGES: Final = 8_000
"""Of more edges only those are followed that lead on likeliest."""

MOST_PAIRS: Final = 4_000_000
"""Of more edges times tests only the likeliest tests are followed; it bounds the time to a second or two."""

_COLUMNS: Final = 128
_SWEEPS: Final = 8
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


def suited(graph: Weighed, tests: Sequence[Test], targets: Sequence[int], said: Said, probable: Matrix) -> Suited:
    """How likely each test leads to each of `targets`.

    `probable` says how likely definitions (rows) do by the graph alone; where there are too many, only the likeliest
    tests and edges are followed, and the other tests have 0.
    """
    edges = _edges(graph, tests, targets, probable)
    likely = probable[[test.definition for test in tests]]
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
        for at, values in enumerate(_ways(graph, edges, (starts, targets), _matches(graph, edges, said, rows))):
            found[at][rows] = values.T
    return Suited(*found)


def _edges(graph: Weighed, tests: Sequence[Test], targets: Sequence[int], probable: Matrix) -> Numbers:
    """Those that lead towards the targets, by what they lead to."""
    within = graph.leading_to(targets)
    within[[test.definition for test in tests]] = False
    edges = np.flatnonzero(within[graph.targets])
    if len(edges) > MOST_EDGES:
        likely = graph.guarded[edges] * graph.sure[edges] * probable.max(axis=1)[graph.targets[edges]]
        edges = edges[np.argsort(-likely, kind="stable")[:MOST_EDGES]]
    return edges[np.lexsort((graph.sources[edges], graph.targets[edges]))]


def _matches(graph: Weighed, edges: Numbers, said: Said, rows: Sequence[int]) -> tuple[Matrix, Matrix]:
    """For each edge and test: how much of the edge's condition or name, and of its target's class, the test says."""
    guards, guard_of = np.unique(graph.guard_numbers[edges], return_inverse=True)
    ends, end_of = np.unique(graph.targets[edges], return_inverse=True)
    conditions = [
        frozenset[str]().union(*map(words, graph.guards[number].conditions[-_INNERMOST:])) for number in guards
    ]
    definitions = [graph.definitions[number] for number in ends]
    names = [words(own_name(each)) for each in definitions]
    classes = [each.owner.rpartition(".")[2] for each in definitions]
    owners = [frozenset({each}) if each else frozenset[str]() for each in classes]
    met = np.maximum(
        _shared(conditions, said.words, rows)[guard_of],
        _shared(names, said.words, rows)[end_of],
    )
    kind = np.maximum(
        _shared(owners, said.tokens, rows),
        np.float32(_OWNER) * _shared([words(each) for each in classes], said.words, rows),
    )[end_of]
    return met, kind


def _shared(asked: Iterable[frozenset[str]], said: Spoken, rows: Sequence[int]) -> Matrix:
    """`overlap`, worked out once for those that ask the same."""
    numbers: dict[frozenset[str], int] = {}
    places = [numbers.setdefault(each, len(numbers)) for each in asked]
    matrix: Matrix = overlap(list(numbers), said, rows)[:, places].T
    return matrix


def _ways(
    graph: Weighed, edges: Numbers, between: tuple[Sequence[int], Sequence[int]], matches: tuple[Matrix, Matrix]
) -> Iterable[Matrix]:
    """For each of the targets (rows) and each of the starts (columns) the three readings; `between`: both."""
    starts, ends = between
    sources, targets = graph.sources[edges], graph.targets[edges]
    nodes, place = np.unique(np.concatenate([sources, targets, starts, ends]), return_inverse=True)
    sources, targets = place[: len(edges)], place[len(edges) : 2 * len(edges)]
    begin = np.zeros((len(nodes), len(starts)), dtype=np.float32)
    begin[place[2 * len(edges) : 2 * len(edges) + len(starts)], range(len(starts))] = 1
    reached = place[len(place) - len(ends) :]
    if not len(edges):
        return (begin[reached], begin[reached], begin[reached])
    met, kind = matches
    guard = np.log(graph.guarded[edges])[:, None]
    doubt = np.log(graph.sure[edges])[:, None]
    firsts = np.flatnonzero(np.r_[True, targets[1:] != targets[:-1]])
    heads = targets[firsts]

    def sweep(weights: Matrix) -> Matrix:
        values = begin
        for _ in range(_SWEEPS):
            misses = np.log1p(-np.minimum(values[sources] * weights, 1 - _LEAST))
            found = begin.copy()
            found[heads] = np.maximum(begin[heads], 1 - np.exp(np.add.reduceat(misses, firsts, axis=0)))
            values = found
        return values[reached]

    return (
        sweep(np.exp(np.clip(guard * (1.8 * (1 - met) + 0.1), -6, 0) + doubt * (1.2 * (1 - kind) + 0.1))),
        sweep(np.exp(guard * (1.5 * (1 - met) + 0.1) + 0.5 * doubt)),
        sweep(np.exp(guard * (3 * (1 - met) + 0.1) + doubt * (2 * (1 - kind) + 0.1))),
    )
