"""Ranks the nodes of a weighted graph by where a random reader of it would be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

DAMPING: Final = 0.85
"""How likely the reader follows an edge instead of starting anew (Page, Brin, Motwani, Winograd 1999)."""

TOLERANCE: Final = 1e-9
MAX_ROUNDS: Final = 100


def pagerank(
    nodes: int, edges: Mapping[tuple[int, int], float], *, starts: Sequence[float] | None = None
) -> list[float]:
    """The rank of each of `nodes` nodes, which are numbered from 0; the ranks sum to 1.

    `edges`: (from, to) → a weight above 0. `starts`: how likely the reader begins at each node, not negative; all
    alike when not given or all 0. A node without outgoing edges leads to the starts.
    """
    if nodes == 0:
        return []
    begin = np.full(nodes, 1.0) if starts is None or not any(starts) else np.asarray(starts, dtype=np.float64)
    begin = begin / begin.sum()
    source = np.fromiter((edge[0] for edge in edges), dtype=np.int64, count=len(edges))
    target = np.fromiter((edge[1] for edge in edges), dtype=np.int64, count=len(edges))
    weight = np.fromiter(edges.values(), dtype=np.float64, count=len(edges))
    leaving = np.bincount(source, weight, minlength=nodes)
    share = weight / leaving[source]
    is_end = leaving == 0
    rank = begin
    for _ in range(MAX_ROUNDS):
        passed = np.bincount(target, rank[source] * share, minlength=nodes)
        after = DAMPING * (passed + rank[is_end].sum() * begin) + (1 - DAMPING) * begin
        change = np.abs(after - rank).sum()
        rank = after
        if change < TOLERANCE:
            break
    found: list[float] = rank.tolist()
    return found
