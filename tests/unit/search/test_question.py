"""A question is looked for by its words, whatever stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.search.query import MAX_PARTS, Query, Word
from rubber_duck.search.question import query_of


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ('why does "duck serve hang?', "why does duck serve hang"),
        ("fix lang: detection", "fix lang detection"),
        ("make the --fix flag quiet, -q too", "make the fix flag quiet q too"),
        ("what of /usr(lib path:x symbol:y?", "what of usr lib path x symbol y"),
        ("get_* or swim, swim", "get_ or swim"),
        ("\ud800 \0 --- ?!", ""),
    ],
)
def test_no_sign_in_a_question_means_anything(question: str, words: str) -> None:
    assert query_of(question) == Query(question, tuple(map(Word, words.split())))


def test_a_name_with_what_is_around_it_stays_together() -> None:
    asked = query_of("Does `Model.save()` call (lang::core), e.g. in models.py, or Enum.map/2?")
    assert asked.dotted == (("Model", "save"), ("lang", "core"), ("Enum", "map"))


def test_of_many_words_those_that_tell_something_are_taken_and_names_first() -> None:
    said = " ".join(f"the word{chr(97 + n % 26)}{'x' * (n // 26)} of" for n in range(200))
    asked = query_of(f"{said} {'q' * 900} get_queryset")
    assert len(asked.words) == MAX_PARTS
    assert (asked.words[0], asked.words[-1]) == (Word("worda"), Word("get_queryset"))
    assert query_of("a b c d e f g h i j k l m n o p q r s t u v w x y z " + " ".join(map(str, range(99)))).words


@given(st.text(max_size=300) | st.text(alphabet='ab "/\\:-*()ipathlngsymbo\n\0._#', max_size=300))
def test_no_question_is_refused_or_excludes_anything(question: str) -> None:
    found = query_of(question)
    assert len(found.words) <= MAX_PARTS
    assert found == Query(question, found.words, found.dotted)
