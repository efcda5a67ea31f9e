"""The sorted contexts count what a naive search through the tokens counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.ngram.index import LEFT, ORDER, ContextIndex, Level, counted, sort_contexts
from rubber_duck.ngram.vocabulary import LINE_END, OUT_3, SAME, START

tokens_of = st.lists(st.sampled_from([0, 3, 4, 64, 65, 66, 67]), min_size=1, max_size=60)


def _naive(tokens: Sequence[int], context: Sequence[int]) -> list[Level]:
    """What `ContextIndex.after` has to say, found by looking everywhere."""
    by_order: list[tuple[int, list[int]]] = []
    for order in range(1, min(len(context), ORDER) + 1):
        padded = [START] * order + list(tokens)
        places = [at for at in range(len(tokens)) if padded[at : at + order] == list(context[-order:])]
        if not places or (len(places) == 1 and places[0] < order):
            break
        if by_order and by_order[-1][1] == places:
            by_order[-1] = (order, places)
        else:
            by_order.append((order, places))
    levels: list[Level] = []
    left = 1.0
    for order, places in reversed(by_order):
        found = Counter(LINE_END if SAME <= tokens[at] <= OUT_3 else tokens[at] for at in places)
        if found:
            levels.append(Level(order, found.total(), len(found), dict(found)))
            left *= len(found) / (found.total() + len(found))
            if left < LEFT:
                break
    return levels[::-1]


def _index(tokens: Sequence[int]) -> ContextIndex:
    return ContextIndex(np.array(tokens, np.int32))


@given(tokens=tokens_of)
def test_positions_are_sorted_by_the_tokens_before_them(tokens: list[int]) -> None:
    keys = [[tokens[at - back] if at >= back else START for back in range(1, ORDER + 1)] for at in range(len(tokens))]
    expected = sorted(range(len(tokens)), key=lambda at: (keys[at], at))
    assert sort_contexts(np.array(tokens, np.int32)).tolist() == expected


@given(tokens=tokens_of, data=st.data())
def test_a_context_is_followed_by_what_followed_it(tokens: list[int], data: st.DataObject) -> None:
    tokens = [START, *tokens]
    end = data.draw(st.integers(1, len(tokens)))
    context = tokens[max(0, end - ORDER) : end]
    assert _index(tokens).after(context) == _naive(tokens, context)


def test_a_context_that_was_never_seen_has_its_known_end() -> None:
    index = _index([0, 64, 65, 66, 64, 65, 67])
    assert index.after([70, 64, 65]) == [Level(2, 2, 2, {66: 1, 67: 1})]
    assert index.after([64, 70]) == []
    assert index.after([99]) == []


def test_ends_of_lines_count_as_one_token() -> None:
    assert _index([0, 64, 3, 64, 4, 64, 5]).after([64]) == [Level(1, 3, 1, {LINE_END: 3})]


def test_forgotten_positions_do_not_count() -> None:
    index = _index([0, 64, 65, 0, 64, 66])
    index.forget(3, 6)
    assert index.after([64]) == [Level(1, 1, 1, {65: 1})]


def test_hidden_positions_do_not_count_where_few_match() -> None:
    assert _index([0, 64, 65, 0, 64, 66]).after([64], (0, 3))[0].counts == {66: 1}


def test_many_places_are_sampled_fairly() -> None:
    tokens = [0, *([64, 65, 64, 66, 64, 66, 64, 66] * 3000)]
    level = _index(tokens).after([70, 64])[0]
    assert (level.order, level.distinct) == (1, 2)
    assert abs(level.counts[65] / level.total - 0.25) < 0.05


def test_an_empty_text_has_no_contexts() -> None:
    assert ContextIndex(np.empty(0, np.int32)).after([START]) == []


@given(numbers=st.lists(st.integers(0, 300), max_size=50), shift=st.integers(0, 4))
def test_numbers_are_counted_without_their_last_bits(numbers: list[int], shift: int) -> None:
    found = counted(np.array(numbers, np.int32), shift).tolist()
    expected = Counter(number >> shift for number in numbers)
    assert {at: times for at, times in enumerate(found) if times} == dict(expected)
