"""The contexts of a file that is being written, forwards and back again."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.ngram.index import Level
from rubber_duck.ngram.recent import ORDER, RecentContexts

tokens_of = st.lists(st.integers(64, 67), min_size=1, max_size=40)


def _written(tokens: list[int]) -> RecentContexts:
    recent = RecentContexts()
    for size in range(len(tokens)):
        recent.add(tokens[:size])
    return recent


def _naive(tokens: list[int]) -> list[Level]:
    levels: list[Level] = []
    for order in range(1, min(ORDER, len(tokens)) + 1):
        places = [at for at in range(order, len(tokens)) if tokens[at - order : at] == tokens[-order:]]
        if not places:
            break
        counts = dict(Counter(tokens[at] for at in places))
        if levels and levels[-1].total == len(places):
            levels[-1] = levels[-1]._replace(order=order)
        else:
            levels.append(Level(order, len(places), len(counts), counts))
    return levels


@given(tokens=tokens_of)
def test_a_context_is_followed_by_what_followed_it(tokens: list[int]) -> None:
    assert _written(tokens).after(tokens) == _naive(tokens)


@given(tokens=tokens_of, more=tokens_of)
def test_what_is_taken_back_leaves_nothing(tokens: list[int], more: list[int]) -> None:
    recent = _written(tokens + more)
    recent.cut(tokens + more, len(tokens))
    assert recent.after(tokens) == _naive(tokens)
