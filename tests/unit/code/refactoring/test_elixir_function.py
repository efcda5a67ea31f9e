"""Functions of Elixir extracted: what goes in and comes out of a selection, and what cannot leave its place."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.elixir_function import extract_function
from rubber_duck.code.refactoring.refactored import Stretch
from rubber_duck.errors import InvalidInput, Refused

FILE = """defmodule Pond do
  require Logger
  @deep 3
  defp swim(far), do: far
  defp dive(far, deep), do: {far, deep}

  def go(a, b) do
    HERE
  end

  def go(a), do: a

  @deep 4
  def stay(a), do: a
end
"""


def parts(*lines: str) -> tuple[str, Stretch]:
    """The file with these lines, and what stands between << and >> in them."""
    text = FILE.replace("HERE", "\n    ".join(lines))
    before, _, rest = text.partition("<<")
    inside, _, after = rest.partition(">>")
    first = before.count("\n") + 1
    last = first + inside.count("\n")
    column = len(before) - before.rfind("\n")
    end = len(inside) - inside.rfind("\n") if "\n" in inside else column + len(inside)
    return before + inside + after, Stretch("p.ex", first, last, column, end)


def extracted(*lines: str) -> str:
    text, stretch = parts(*lines)
    return extract_function({"p.ex": text}, stretch, "fresh").texts["p.ex"]


def expected(lines: list[str], made: list[str]) -> str:
    text = FILE.replace("HERE", "\n    ".join(lines))
    head = "  def go(a), do: a\n"
    return text.replace(head, f"{head}\n  {made[0]} do\n" + "".join(f"    {each}\n" for each in made[1:]) + "  end\n")


EXTRACTED = {
    "an expression": (["dive(<<a * b>>, 1)"], ["dive(fresh(a, b), 1)"], ["defp fresh(a, b)", "a * b"]),
    "statements that give nothing": (
        ["<<swim(a)", "dive(a, b)>>", "b"],
        ["fresh(a, b)", "b"],
        ["defp fresh(a, b)", "swim(a)", "dive(a, b)"],
    ),
    "statements that give one": (
        ["<<x = swim(a)", "y = x + b>>", "y"],
        ["y = fresh(a, b)", "y"],
        ["defp fresh(a, b)", "x = swim(a)", "y = x + b", "y"],
    ),
    "statements that give several": (
        ["<<x = swim(a)", "{y, _} = dive(x, b)>>", "{x, y}"],
        ["{x, y} = fresh(a, b)", "{x, y}"],
        ["defp fresh(a, b)", "x = swim(a)", "{y, _} = dive(x, b)", "{x, y}"],
    ),
    "the last statements": (
        ["x = swim(a)", "<<y = x + b", "dive(x, y)>>"],
        ["x = swim(a)", "fresh(x, b)"],
        ["defp fresh(x, b)", "y = x + b", "dive(x, y)"],
    ),
    "what binds its own name anew": (
        ["<<a = a + 1>>", "dive(a, b)"],
        ["a = fresh(a)", "dive(a, b)"],
        ["defp fresh(a)", "a = a + 1", "a"],
    ),
    "what a clause binds": (
        ["case a do", "  {:ok, x} when x > b -> <<dive(x, b)>>", "  _ -> 1", "end"],
        ["case a do", "  {:ok, x} when x > b -> fresh(x, b)", "  _ -> 1", "end"],
        ["defp fresh(x, b)", "dive(x, b)"],
    ),
    "what is pinned": (["<<^a = swim(b)>>", "1"], ["fresh(a, b)", "1"], ["defp fresh(a, b)", "^a = swim(b)"]),
    "a later clause of with": (
        ["with {:ok, x} <- swim(a), {:ok, y} <- <<dive(x, b)>> do", "  y", "end"],
        ["with {:ok, x} <- swim(a), {:ok, y} <- fresh(x, b) do", "  y", "end"],
        ["defp fresh(x, b)", "dive(x, b)"],
    ),
    "the whole of a case": (
        ["<<case a do", "  ^b -> 1", "  _ -> b", "end>>"],
        ["fresh(a, b)"],
        ["defp fresh(a, b)", "case a do", "  ^b -> 1", "  _ -> b", "end"],
    ),
    "the beginning of a pipe": (
        ["<<a |> swim()>> |> dive(b)"],
        ["fresh(a) |> dive(b)"],
        ["defp fresh(a)", "a |> swim()"],
    ),
    "a text over several lines": (
        ['<<x = """', "far", "  #{a}", '"""', "swim(x)>>"],
        ["fresh(a)"],
        ["defp fresh(a)", 'x = """', "far", "  #{a}", '"""', "swim(x)"],
    ),
    "names in a function of its own": (
        ["<<Enum.map(a, fn x -> {x, b} end)>>"],
        ["fresh(a, b)"],
        ["defp fresh(a, b)", "Enum.map(a, fn x -> {x, b} end)"],
    ),
}


@pytest.mark.parametrize(("before", "after", "made"), EXTRACTED.values(), ids=EXTRACTED.keys())
def test_a_selection_becomes_a_private_function_behind_the_clauses(
    before: list[str], after: list[str], made: list[str]
) -> None:
    assert extracted(*before) == expected(after, made)


REFUSED = {
    "a stage of a pipe": ["a |> <<swim()>>"],
    "a part of a capture": ["Enum.map(a, &<<swim(&1 + b)>>)"],
    "in a capture": ["Enum.map(a, &dive(&1, <<b + 1>>))"],
    "a pattern": ["{:ok, <<x>>} = a", "x"],
    "a guard": ["case a do", "  x when <<x > b>> -> 1", "end"],
    "a generator": ["for <<x <- a>>, do: x"],
    "a match whose name is read in the same place": ["dive(<<x = a>>, b)", "x"],
    "a macro": ["<<Logger.info(a)>>", "1"],
    "what a macro is given": ["Logger.info(<<a + b>>)"],
    "a call that may be a macro": ["<<splash(a)>>"],
    "a name that nobody binds": ["<<dive(a, conn)>>"],
    "its own stack": ["try do", "  swim(a)", "rescue", "  e -> <<reraise(e, __STACKTRACE__)>>", "end"],
    "clauses": ["case a do", "  <<1 -> 2>>", "  _ -> 3", "end"],
    "code that is made": ["quote do", "  <<unquote(a) + 1>>", "end"],
    "where variables are asked for": ["<<swim(a)>>", "binding()"],
    "an alias of its own": ["alias Pond.Nest", "<<Nest.all(a)>>"],
    "a template that may read what it binds": ["<<assigns = %{a: a}>>", '~H"<%= @assigns %>"'],
    "the way to a place": ["put_in(<<a.far>>, b)"],
    "a sigil of somebody": ["<<swim(~p'/x')>>"],
    "words around": ["<<# why", "swim(a)>>"],
}


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_told_or_cannot_leave_stays(lines: list[str]) -> None:
    with pytest.raises((Refused, InvalidInput)):
        extracted(*lines)


def test_an_attribute_that_changes_behind_the_function_refuses() -> None:
    text, stretch = parts("<<dive(@deep, a)>>")
    assert "defp fresh(a) do\n    dive(@deep, a)" in extract_function({"p.ex": text}, stretch, "fresh").texts["p.ex"]
    between = text.replace("  def go(a), do: a\n", "  @deep 5\n  def go(a), do: a\n")
    with pytest.raises(Refused, match="another value"):
        extract_function({"p.ex": between}, stretch, "fresh")


def test_a_definition_on_one_line_stays_on_it() -> None:
    text = "defmodule Pond do\n  def go(a, b) when a > 1, do: max(a * b, 1)\nend\n"
    done = extract_function({"p.ex": text}, Stretch("p.ex", 2, 2, 36, 41), "fresh").texts["p.ex"]
    assert done == (
        "defmodule Pond do\n  def go(a, b) when a > 1, do: max(fresh(a, b), 1)\n\n"
        "  defp fresh(a, b) do\n    a * b\n  end\nend\n"
    )
