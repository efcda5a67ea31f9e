"""How surely definitions lead to others over calls: readings of the same graph, for many targets at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rubber_duck.code.calls import CallEdge, CallGraph, CallKind

Matrix: TypeAlias = "NDArray[np.float32]"

BRANCH: Final = 0.5
RESCUE: Final = 0.1
LOOP: Final = 0.9
EXIT: Final = 0.8
OPTIONAL: Final = 0.6
MENTIONED: Final = 0.8
"""How likely a call is made that stands below a condition, in a handler of errors …; once for each of them."""

_SWEEPS: Final = 14
_COLUMNS: Final = 64
_LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Reach:
    """For each definition (rows) and each target (columns), values in [0, 1]; 1 where they are the same.

    - `probable`: that one of the ways is gone, as if they were independent (noisy or), guards and doubt counted.
    - `certain`: the best way, counting only how sure it is which definition is meant.
    - `unguarded`: the best way, counting only what it is guarded by.
    - `near`: a half to the power of the calls on the shortest way.
    """

    probable: Matrix
    certain: Matrix
    unguarded: Matrix
    near: Matrix


def reach(graph: CallGraph, targets: Sequence[int]) -> Reach:
    """How surely each definition of the graph leads to each of `targets`."""
    rows = leading_to(graph, targets)
    shape = (len(graph.definitions), len(targets))
    whole = [np.zeros(shape, dtype=np.float32) for _ in range(4)]
    if not targets:
        return Reach(*whole)
    place = {number: at for at, number in enumerate(rows)}
    edges = [edge for edge in graph.edges if edge.source in place and edge.target in place]
    for column in range(0, len(targets), _COLUMNS):
        chosen = targets[column : column + _COLUMNS]
        start = np.zeros((len(rows), len(chosen)), dtype=np.float32)
        for at, number in enumerate(chosen):
            start[place[number], at] = 1
        for matrix, found in zip(whole, _ways(edges, place, start), strict=True):
            matrix[rows, column : column + len(chosen)] = found
    return Reach(*whole)


def guardedness(edge: CallEdge) -> float:
    """How likely the call is made when its source runs, in (0, 1]."""
    guard = edge.guard
    likely: float = (
        BRANCH**guard.branches
        * RESCUE**guard.rescues
        * LOOP**guard.loops
        * EXIT ** min(guard.exits, 4)
        * (OPTIONAL if edge.is_optional else 1)
        * (MENTIONED if edge.kind is CallKind.MENTION else 1)
    )
    return likely


def sureness(edge: CallEdge) -> float:
    """How sure it is that the call means this target, in (0, 1]."""
    doubt: float = 1 / edge.choices**0.7
    return doubt if edge.is_likely or edge.choices == 1 else doubt * 0.7


def leading_to(graph: CallGraph, targets: Sequence[int]) -> list[int]:
    """The targets and all definitions from which one of them can be reached, sorted."""
    before: dict[int, list[int]] = {}
    for edge in graph.edges:
        before.setdefault(edge.target, []).append(edge.source)
    found = set(targets)
    waiting = list(found)
    while waiting:
        for source in before.get(waiting.pop(), ()):
            if source not in found:
                found.add(source)
                waiting.append(source)
    return sorted(found)


def _ways(edges: Sequence[CallEdge], place: dict[int, int], start: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    if not edges:
        return start, start, start, start
    sources = np.array([place[edge.source] for edge in edges])  # the graph's edges are sorted by source
    targets = np.array([place[edge.target] for edge in edges])
    guarded = np.array([guardedness(edge) for edge in edges], dtype=np.float32)
    sure = np.array([sureness(edge) for edge in edges], dtype=np.float32)
    firsts = np.flatnonzero(np.r_[True, sources[1:] != sources[:-1]])
    heads = sources[firsts]

    def best(weights: Matrix) -> Matrix:
        values = start
        for _ in range(2 * _SWEEPS):
            found = start.copy()
            found[heads] = np.maximum(start[heads], np.maximum.reduceat(values[targets] * weights, firsts, axis=0))
            if np.array_equal(found, values):
                break
            values = found
        return values

    weights = (guarded * sure)[:, None]
    probable = start
    for _ in range(_SWEEPS):
        misses = np.log1p(-np.minimum(probable[targets] * weights, 1 - _LEAST))
        found = start.copy()
        found[heads] = np.maximum(start[heads], 1 - np.exp(np.add.reduceat(misses, firsts, axis=0)))
        probable = found
    return probable, best(sure[:, None]), best(guarded[:, None]), best(np.float32(0.5) * np.ones_like(sure)[:, None])
