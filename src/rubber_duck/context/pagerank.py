"""Ranks the nodes of a weighted graph by where a random reader of it would be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DAMPING: Final = 0.85
"""How likely the reader follows an edge instead of starting anew (Page, Brin, Motwani, Winograd 1999)."""

TOLERANCE: Final = 1e-9
MAX_ROUNDS: Final = 100


Numbers = NDArray[np.int64]
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges by column: from which node, to which, and a weight above 0. Equal ones add up."""

    source: Numbers
    target: Numbers
    weight: Weights


def pagerank(nodes: int, edges: Edges, *, starts: Sequence[float] | None = None) -> Weights:
    """The rank of each of `nodes` nodes, which are numbered from 0; the ranks sum to 1.

    `starts`: how likely the reader begins at each node, not negative; all alike when not given or all 0. A node
    without outgoing edges leads to the starts.
    """
    if nodes == 0:
        return np.zeros(0)
    begin = np.full(nodes, 1.0) if starts is None or not any(starts) else np.asarray(starts, dtype=np.float64)
    begin = begin / begin.sum()
    leaving = np.bincount(edges.source, edges.weight, minlength=nodes)
    share = edges.weight / leaving[edges.source]
    is_end = leaving == 0
    rank: Weights = begin
    for _ in range(MAX_ROUNDS):
        passed = np.bincount(edges.target, rank[edges.source] * share, minlength=nodes)
        after = DAMPING * (passed + rank[is_end].sum() * begin) + (1 - DAMPING) * begin
        change = np.abs(after - rank).sum()
        rank = np.asarray(after)
        if change < TOLERANCE:
            break
    return rank
