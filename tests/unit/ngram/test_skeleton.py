"""In a skeleton names stand by how lately they were written."""

from __future__ import annotations

from rubber_duck.ngram.skeleton import LATEST, named, remember, shape, signs, skeleton
from rubber_duck.ngram.vocabulary import FIRST_NEW, FIRST_RANK, RANKS, Vocabulary
from tests.unit.ngram.models import words

VOCABULARY = Vocabulary(words("python"), ["self", ".", "=", "port", "host", "Name", "def"])
SELF, DOT, IS, PORT, HOST, NAME_, DEF = range(64, 71)
SIGNS = signs(VOCABULARY, [SELF])


def test_two_lines_of_one_pattern_have_one_skeleton() -> None:
    first = skeleton([SELF, DOT, PORT, IS, PORT], SIGNS)
    second = skeleton([SELF, DOT, HOST, IS, HOST], SIGNS)
    assert first == second == [SELF, DOT, FIRST_NEW, IS, FIRST_RANK]


def test_a_name_stands_by_its_rank_among_the_latest() -> None:
    assert skeleton([PORT, HOST, NAME_, PORT], SIGNS) == [FIRST_NEW, FIRST_NEW, FIRST_NEW + 1, FIRST_RANK + 2]


def test_a_sign_stands_for_the_name_of_that_rank() -> None:
    assert [named(sign, [PORT, HOST]) for sign in (FIRST_RANK, FIRST_RANK + 1, FIRST_RANK + 2, FIRST_NEW, DOT)] == [
        PORT,
        HOST,
        None,
        None,
        DOT,
    ]


def test_beyond_the_ranks_a_name_is_as_new() -> None:
    latest: list[int] = list(range(100, 100 + LATEST))
    assert remember(latest, 100 + RANKS, FIRST_NEW) == FIRST_NEW
    assert latest[0] == 100 + RANKS
    remember(latest, 999, FIRST_NEW)
    assert len(latest) == LATEST


def test_new_names_stand_by_how_they_look() -> None:
    names = ("name", "Name", "NAME", "N", "_name", "_Name", "_NAME", ":name", "@name", "name:", "$name")
    assert [shape(name) - FIRST_NEW for name in names] == [0, 1, 2, 1, 3, 4, 5, 8, 9, 10, 0]


def test_what_is_plain_and_what_is_no_name_stays() -> None:
    assert [SIGNS[each] for each in (SELF, DOT, DEF, PORT, NAME_)] == [SELF, DOT, DEF, FIRST_NEW, FIRST_NEW + 1]
