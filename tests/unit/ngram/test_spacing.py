"""Tokens are written with blanks where the project writes them."""

from __future__ import annotations

import pytest

from rubber_duck.ngram.spacing import Spacing
from tests.unit.ngram.models import words

PYTHON = """\
x = f(a, b=1)
y = [a, -1]
z = x[1:2] + {"a": 1}["a"]
if not x: y = a.b.c(d) if x else -y
x = f(b, a=2)
z = y[2:3] + {"b": 2}["b"]
if not y: x = c.d.e(f) if y else -x
"""
ELIXIR = """\
def run(a, b), do: a |> f(b) |> g(&(&1 + 1))
%{a: 1, b: x} = y
def run(c, d), do: c |> g(d) |> f(&(&1 + 2))
%{c: 2, d: z} = w
"""


@pytest.mark.parametrize(
    ("family", "sample", "line"),
    [
        ("python", PYTHON, "total = price(item, tax=2)[1:2]"),
        ("python", PYTHON, "if not done: total = -price + {'a': 1}['a']"),
        ("python", PYTHON, "a.b.c(d, e)"),
        ("elixir", ELIXIR, "def go(x, y), do: x |> go(y)"),
        ("elixir", ELIXIR, "%{name: 2, other: y} = map"),
    ],
)
def test_a_line_is_written_as_the_project_writes(family: str, sample: str, line: str) -> None:
    spacing = Spacing.learned(words(family), [sample])
    assert spacing.join([], words(family).split(line), at_blank=True) == line


def test_what_follows_is_joined_to_what_stands_before() -> None:
    spacing = Spacing.learned(words("python"), [PYTHON])
    assert spacing.join(["x"], ["=", "a"], at_blank=False) == " = a"
    assert spacing.join(["x", "="], ["a"], at_blank=True) == "a"
    assert spacing.join(["f", "("], ["a", ")"], at_blank=False) == "a)"


def test_words_never_run_together() -> None:
    assert Spacing(words("python"), {}).join(["return"], ["not", "x"], at_blank=False) == " not x"


def test_a_project_with_another_style_is_followed() -> None:
    spacing = Spacing.learned(words("python"), ["f( a,b )\nf( c,d )\n"])
    assert spacing.join([], ["g", "(", "x", ",", "y", ")"], at_blank=True) == "g( x,y )"
