"""Texts split into the tokens of their language, whole and in linear time, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.ngram.families import lexicon
from rubber_duck.ngram.lexicon import COMMENT, KEYWORD, LAYOUT, NAME, NUMBER, STRING, SYMBOL
from tests.unit.ngram.models import words

FAMILIES = ("python", "ecmascript", "elixir")

SPLIT = [
    ("python", "x = f'{a}' + 1.5e-3 # no\n    y", ["x", "=", "f'{a}'", "+", "1.5e-3", "# no\n    ", "y"]),
    ("python", '"""a\n"b"\n"""\nz', ['"""a\n"b"\n"""', "\n", "z"]),
    (
        "python",
        "a.b(**c) -> d := e\n\n\n  f",
        ["a", ".", "b", "(", "**", "c", ")", "->", "d", ":=", "e", "\n\n\n  ", "f"],
    ),
    ("python", "rb'\\'' 'open\nx", ["rb'\\''", "'open", "\n", "x"]),
    ("python", "a = \\\n    b", ["a", "=", "\\\n    ", "b"]),
    ("ecmascript", "a?.b ?? `x${y}` // no\n  /* c */ z", ["a", "?.", "b", "??", "`x${y}`", "// no\n  /* c */ ", "z"]),
    ("ecmascript", "x = /a[/]b/g; y = a / b", ["x", "=", "/a[/]b/g", ";", "y", "=", "a", "/", "b"]),
    ("ecmascript", "this.#secret = $scope", ["this", ".", "#secret", "=", "$scope"]),
    ("elixir", "@doc ~s(a b) |> :ok\n  x!", ["@doc", "~s(a b)", "|>", ":ok", "\n  ", "x!"]),
    ("elixir", 'if a?, do: "#{b("c")}" <> ?x', ["if", "a?", ",", "do:", '"#{b("c")}"', "<>", "?x"]),
    ("elixir", "%{a: 1, b => &1}", ["%{", "a:", "1", ",", "b", "=>", "&1", "}"]),
]

KINDS = [
    (
        "python",
        {"self": NAME, "None": KEYWORD, "f'a'": STRING, "0x1f": NUMBER, "->": SYMBOL, "# a": COMMENT, "\n ": LAYOUT},
    ),
    ("ecmascript", {"#x": NAME, "type": NAME, "const": KEYWORD, "/a/": STRING, "/": SYMBOL, "/* a */": COMMENT}),
    ("ecmascript", {"// a\n": LAYOUT, "// a": COMMENT, "`a`": STRING, ".5": NUMBER, "?.": SYMBOL, "@Input": NAME}),
    ("elixir", {":ok": NAME, "do:": NAME, "do": KEYWORD, "~r/a/": STRING, "?a": NUMBER, "::": SYMBOL, "\\\\": SYMBOL}),
]

HOSTILE = (
    " ",
    '"',
    "'",
    "`",
    "/",
    "#",
    "\\",
    "~s(",
    "${",
    "`${",
    "/a",
    "\n ",
    "#{",
    '"#{',
    "1e",
    "/*",
    "/[",
    '~"""',
    "`${{",
)


@pytest.mark.parametrize(("family", "text", "tokens"), SPLIT)
def test_a_text_is_split_as_its_language_says(family: str, text: str, tokens: list[str]) -> None:
    assert words(family).split(text) == tokens


@pytest.mark.parametrize(("family", "kinds"), KINDS)
def test_each_token_is_of_its_kind(family: str, kinds: dict[str, int]) -> None:
    assert {token: words(family).kind(token) for token in kinds} == kinds


@pytest.mark.parametrize("family", FAMILIES)
@given(text=st.text(alphabet="ab_1 \t\n\"'`/*#\\(){}[]$~:@?!&|<>=.,;é", max_size=80))
def test_nothing_but_blanks_is_lost(family: str, text: str) -> None:
    def without_blanks(written: str) -> str:
        return "".join(written.split())

    assert without_blanks("".join(words(family).split(text))) == without_blanks(text)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_line_is_split_to_its_end(family: str, piece: str) -> None:
    tokens = words(family).split(piece * 30_000 + "\nend")
    assert "".join("".join(tokens).split()) == "".join((piece * 30_000 + "end").split())


def test_the_column_after_an_end_of_line_is_that_of_the_next_token() -> None:
    assert [words("python").width(each) for each in ("\n", "\n\n  ", "# a\n\t  ", "\\\n        ")] == [0, 2, 6, 8]
    assert words("ecmascript").width("\n  /* a */ ") == 3


def test_a_family_without_a_lexicon_has_none() -> None:
    assert lexicon("cobol") is None
