"""How surely definitions lead to others over calls: readings of the same graph, for many targets at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from rubber_duck.impact.weighed import Matrix, Numbers, Weighed

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


def reach(graph: Weighed, targets: Sequence[int]) -> Reach:
    """How surely each definition of the graph leads to each of `targets`."""
    within = graph.leading_to(targets)
    rows = np.flatnonzero(within)
    whole = [np.zeros((len(graph.definitions), len(targets)), dtype=np.float32) for _ in range(4)]
    if not targets:
        return Reach(*whole)
    place = np.cumsum(within) - 1
    edges = np.flatnonzero(within[graph.sources] & within[graph.targets])  # sorted by source, as all are
    ways = _Ways(place[graph.sources[edges]], place[graph.targets[edges]], graph.guarded[edges], graph.sure[edges])
    for column in range(0, len(targets), _COLUMNS):
        chosen = targets[column : column + _COLUMNS]
        start = np.zeros((len(rows), len(chosen)), dtype=np.float32)
        start[place[list(chosen)], range(len(chosen))] = 1
        for matrix, found in zip(whole, _followed(ways, start), strict=True):
            matrix[rows, column : column + len(chosen)] = found
    return Reach(*whole)


class _Ways(NamedTuple):
    sources: Numbers
    targets: Numbers
    guarded: Matrix
    sure: Matrix


def _followed(ways: _Ways, start: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    sources, targets, guarded, sure = ways
    if not len(sources):
        return start, start, start, start
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
