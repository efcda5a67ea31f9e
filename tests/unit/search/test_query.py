"""What people write is read as they mean it, and a mistake is shown where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.errors import InvalidInput, LimitExceeded
from rubber_duck.search.query import Condition, Filter, Pattern, Phrase, Query, Word, parse


def test_words_identifiers_and_beginnings() -> None:
    source = "order by  date get_queryset os.path.join open_* date"
    words = ["order", "by", "date", "get_queryset", "os", "path", "join"]
    assert parse(source) == Query(
        source, words=(*map(Word, words), Word("open_", is_prefix=True)), dotted=(("os", "path", "join"),)
    )


@pytest.mark.parametrize(
    ("source", "dotted"),
    [
        ("Model.save", [("Model", "save")]),
        ("Enum.map/2 a::b x#y()", [("Enum", "map"), ("a", "b"), ("x", "y")]),
        ("models.py 3.11 e.g. get_.* Model.sa* .save save", []),
    ],
)
def test_a_name_with_what_is_around_it_stays_together(source: str, dotted: list[tuple[str, ...]]) -> None:
    assert list(parse(source).dotted) == dotted


def test_phrases_patterns_and_conditions() -> None:
    source = 'a "b \\" c" /d \\/ e/i path:"x y" lang:python -symbol:M.save -"no" -/z/ -old'
    assert parse(source) == Query(
        source,
        words=(Word("a"),),
        excluded=("old",),
        phrases=(Phrase('b " c'), Phrase("no", is_negative=True)),
        patterns=(Pattern("d / e", any_case=True, position=11), Pattern("z", is_negative=True, position=65)),
        conditions=(
            Condition(Filter.PATH, "x y", position=21),
            Condition(Filter.LANG, "python", position=32),
            Condition(Filter.SYMBOL, "M.save", is_negative=True, position=44),
        ),
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("/usr/lib", ["usr", "lib"]),
        ("std::vector", ["std", "vector"]),
        ("a:b", ["a", "b"]),
        ("http://x", ["http", "x"]),
        ("x - y", ["x", "y"]),
        ("--dry-run -- x", ["dry", "run", "x"]),
        ("größe 用户", ["größe", "用户"]),
    ],
)
def test_what_only_looks_like_more_is_words(source: str, words: list[str]) -> None:
    assert parse(source).words == tuple(map(Word, words))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "the query is empty"),
        (" \t\n", "the query is empty"),
        ("?!", "the query is empty"),
        ('find "this', 'the phrase that begins here has no " at its end\n    find "this\n         ^'),
        ("a /b(", "the regular expression that begins here has no / at its end\n    a /b(\n      ^"),
        ("a // b", "the regular expression between these slashes is empty\n    a // b\n      ^"),
        ('"?!"', "a phrase needs a letter or a digit"),
        ("path: x", "path: needs a value right behind it, such as path:admin\n    path: x\n    ^"),
        ("pth:x y", "there is no filter 'pth:'; did you mean 'path'?"),
        ("-a -path:b", "the query only says what must not be there"),
    ],
)
def test_mistakes_are_said_with_a_caret(source: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse(source)
    assert error.value.message.startswith(said)


def test_the_caret_stands_in_the_window_that_is_shown_of_a_long_line() -> None:
    with pytest.raises(InvalidInput) as error:
        parse("x" * 900 + ' "open')
    _, shown, caret = error.value.message.split("\n")
    assert shown[caret.index("^")] == '"'


def test_a_megabyte_is_refused_and_so_are_many_parts() -> None:
    with pytest.raises(LimitExceeded, match="the query has 1,000,000 characters, and at most 4,000 are looked for"):
        parse("x" * 1_000_000)
    with pytest.raises(LimitExceeded, match="more than 64 parts"):
        parse("x " * 65)


@given(st.text(alphabet=st.sampled_from('ab "/\\:-*()ipathlg\n\x00ſ用\ud800'), max_size=60))
def test_no_text_makes_it_fail_otherwise(source: str) -> None:
    try:
        found = parse(source)
    except InvalidInput:
        return
    assert found.words or found.phrases or found.patterns or found.conditions
