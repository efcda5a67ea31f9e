"""Words: how tokens are taken apart, and what the forms of a word have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.search.stem import stem
from rubber_duck.search.words import LONG, SILENT, TOKEN, Words, counted, is_indexed, words_of, words_of_name


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("SIZE", ("size",)),
        ("getUserID", ("get", "user", "id", "getuserid")),
        ("HTTPServer2", ("http", "server", "httpserver2")),
        ("__init__", ("init", "__init__")),
        ("_private", ("private", "_private")),
        ("is_empty", ("empty", "is_empty")),
        ("utf8", ("utf", "utf8")),
        ("x", ()),
        ("self", ()),
        ("404", ("404",)),
        ("123456789", (LONG,)),
        ("a" * 65, (LONG,)),
        ("get_" + "a" * 64, ("get", "a" * 64, LONG)),
        ("größeÄndern", ("größe", "ändern", "größeändern")),
        ("获取用户", ("获取", "取用", "用户", "获取用户")),
        ("用", ("用",)),
        ("poſt", ("post",)),
    ],
)
def test_a_token_counts_as_a_whole_and_by_its_parts(token: str, words: tuple[str, ...]) -> None:
    assert words_of(token) == words


def test_in_names_even_silent_words_count() -> None:
    assert words_of_name("is_empty") == ("is", "empty", "is_empty")
    assert {word for word in SILENT if words_of(word)} == set()


@given(st.text(max_size=80))
def test_every_token_can_be_found_again(text: str) -> None:
    for token in TOKEN.findall(text):
        found = words_of(token)
        assert is_indexed(token) or LONG in found or len(token) == 1 or token.lower() in SILENT
        assert len(set(found)) == len(found)


def test_words_are_counted_over_all_their_tokens() -> None:
    found = counted("get_user(user, getUser) # the user", Words())
    assert found == {"get": 2, "user": 4, "get_user": 1, "getuser": 1}


PAPER = {
    "caresses": "caress", "ponies": "poni", "ties": "ti", "cats": "cat", "feed": "feed", "agreed": "agre",
    "plastered": "plaster", "motoring": "motor", "sing": "sing", "conflated": "conflat", "hopping": "hop",
    "falling": "fall", "filing": "file", "happy": "happi", "sky": "sky", "relational": "relat",
    "conditional": "condit", "digitizer": "digit", "vietnamization": "vietnam", "operator": "oper",
    "hopefulness": "hope", "triplicate": "triplic", "formalize": "formal", "electrical": "electr", "goodness": "good",
    "allowance": "allow", "replacement": "replac", "adoption": "adopt", "communism": "commun", "effective": "effect",
    "probate": "probat", "rate": "rate", "controll": "control", "roll": "roll",
}  # fmt: skip


def test_stems_are_those_of_porters_paper() -> None:
    assert {word: stem(word) for word in PAPER} == PAPER


@pytest.mark.parametrize("word", ["is", "get_user", "größe", "utf8", "", "a" * 65])
def test_what_is_no_english_word_is_its_own_stem(word: str) -> None:
    assert stem(word) == word


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=20))
def test_any_letters_have_a_stem_that_is_no_longer_than_they_and_begins_alike(word: str) -> None:
    assert len(stem(word)) <= len(word) + 1
    assert stem(word)[:1] == word[:1]
