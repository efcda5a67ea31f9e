"""What the grammar of Elixir reads and Elixir refuses is a problem of the text; the answers are Elixir 1.14's own."""

from __future__ import annotations

import pytest

from rubber_duck.code.code import open_source

RIGHT = [
    "f(a, b c)",
    "f(b c, d)",
    "f a: b c, d",
    "[a b]",
    "{:ok, spawn fn -> 1 end}",
    "[x, f a do\n1\nend]",
    "f(a, b c, d do\n1\nend)",
    "x = f a, b",
    "[fn -> f a, b end]",
    "f(a && g b, c)",
    "f(a, quote do: x)",
    "%{a | b: c | d}",
    ":queue.in(item, queue)",
    "x.end",
    'IO.puts"hi"',
    "f :a",
    "@spec f(x) :: x when x: term",
    "x not in y",
    "[do: 1, end: 2]",
    "&and/2",
    "~w(do end)a",
]
WRONG = [
    ("x = [key: do]", "'do' is no name"),
    ("f(%{a: do})", "'do' is no name"),
    ("def f(x), do: do", "'do' is no name"),
    ("f(x) ==", "'identifier' is not whole"),
    ("[if x, do: y]", "parentheses are missing around these"),
    ("{a b, c}", "parentheses are missing around these"),
    ("f(a, b c, d)", "parentheses are missing around these"),
    ("f(a: b c, d)", "parentheses are missing around these"),
    ("f a, b c, d", "parentheses are missing around these"),
    ("[not g b, c]", "parentheses are missing around these"),
    ("[a: f b, c: 1]", "parentheses are missing around these"),
    ("%{a | b: 1 | c: 2}", "no keywords may stand here"),
    ("true.Case", "this is in no module"),
    ("f:a", "a blank is missing before this"),
    ("dep{a: 1}", "a blank is missing before this"),
    ("1 integer :: x", "a blank is missing behind this"),
    ("f(\n a,\n b\n c)", "a comma is missing before this"),
    ("[\n a\n b]", "a comma is missing before this"),
]


def _problems(text: str) -> list[str]:
    return [each.message for each in open_source("x.ex", text.encode(), "elixir").problems]


@pytest.mark.parametrize("text", RIGHT)
def test_what_elixir_reads_is_no_problem(text: str) -> None:
    assert _problems(text) == []


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_elixir_refuses_is_one(text: str, message: str) -> None:
    assert message in _problems(text)
