import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.context.pagerank import Edges
from rubber_duck.context.pagerank import pagerank as ranked


def pagerank(nodes: int, edges: dict[tuple[int, int], float], *, starts: list[float] | None = None) -> list[float]:
    pairs = np.array([*edges], dtype=np.int64).reshape(len(edges), 2)
    columns = Edges(pairs[:, 0], pairs[:, 1], np.array([*edges.values()], dtype=np.float64))
    found: list[float] = ranked(nodes, columns, starts=starts).tolist()
    return found


def test_nobody_gives_no_ranks() -> None:
    assert pagerank(0, {}) == []


def test_without_edges_every_node_has_the_rank_of_its_start() -> None:
    assert pagerank(2, {}, starts=[3.0, 1.0]) == pytest.approx([0.75, 0.25])


def test_a_chain_has_the_ranks_that_follow_from_the_definition() -> None:
    # a → b, and b leads to the starts: a = s, b = s + .85 a with s = (.85 b + .15) / 2, and a + b = 1.
    assert pagerank(2, {(0, 1): 1.0}) == pytest.approx([1 / 2.85, 1.85 / 2.85])


def test_a_node_passes_its_rank_on_by_the_weights_of_its_edges() -> None:
    ranks = pagerank(3, {(0, 1): 3.0, (0, 2): 1.0}, starts=[1.0, 0.0, 0.0])
    assert ranks[1] == pytest.approx(3 * ranks[2])


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 9), st.integers(0, 9)), st.floats(0.01, 100.0, allow_nan=False), max_size=40
    )
)
def test_ranks_sum_to_one(edges: dict[tuple[int, int], float]) -> None:
    ranks = pagerank(10, edges)
    assert sum(ranks) == pytest.approx(1.0)
    assert min(ranks) > 0
