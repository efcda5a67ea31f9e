"""Private functions of Elixir put into their calls: what a call gives is worked out when and as often as before."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.elixir_inline_function import inline
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import DuckError

FILE = """defmodule Pond do
  require Logger
  @deep 3

MADE

  def go(a, b) do
    HERE
  end

  def swim(far), do: far
end
"""


def body(made: str, *lines: str) -> str:
    head = "\n".join(f"  {each}" for each in made.split("\n")) if made else ""
    text = FILE.replace("HERE", "\n    ".join(lines))
    return text.replace("MADE\n\n", f"{head}\n\n" if made else "")


def inlined(text: str, at: str = "aid") -> str:
    start = text.index(at)
    spot = Spot("p.ex", text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
    return inline({"p.ex": text}, spot).texts["p.ex"]


INLINED = {
    "into an operation": ("defp aid(p, q), do: p + q", ["aid(a, b) * 2", "aid(1, 2)"], ["(a + b) * 2", "1 + 2"]),
    "a block of one expression": ("defp aid(p) do\n  {p, p}\nend", ["aid({a, 1})"], ["{{a, 1}, {a, 1}}"]),
    "with its specification": (
        "@spec aid(integer) :: integer\ndefp aid(p), do: p * 2",
        ["aid(a + b) - 1"],
        ["((a + b) * 2) - 1"],
    ),
    "what acts, in its order": ("defp aid(p, q), do: {p, q}", ["aid(swim(a), swim(b))"], ["{swim(a), swim(b)}"]),
    "what acts, before all else": ("defp aid(p), do: swim({@deep, p})", ["aid(swim(a))"], ["swim({@deep, swim(a)})"]),
    "what acts, before a condition": ("defp aid(p, q), do: p && q", ["aid(swim(a), b)"], ["swim(a) && b"]),
    "from a pipe": ("defp aid(p, q), do: {p, q}", ["a |> swim() |> aid(b)"], ["{a |> swim(), b}"]),
    "into a pipe": ("defp aid(p), do: p |> swim()", ["a |> aid() |> swim()"], ["a |> swim() |> swim()"]),
    "a function that is called": ("defp aid(f), do: f.(1)", ["aid(fn x -> x + a end)"], ["(fn x -> x + a end).(1)"]),
    "what is not read and does nothing": ("defp aid(_p), do: @deep", ["aid(a)"], ["@deep"]),
    "without parameters": ("defp aid(), do: swim(7)", ["{aid(), aid()}"], ["{swim(7), swim(7)}"]),
    "into a branch": ("defp aid(p), do: p > 1", ["if aid(a), do: aid(b)"], ["if a > 1, do: b > 1"]),
    "names of its own": (
        "defp aid(p), do: Enum.map(p, fn x -> x + 1 end)",
        ["aid(a)"],
        ["Enum.map(a, fn x -> x + 1 end)"],
    ),
}


@pytest.mark.parametrize(("made", "before", "after"), INLINED.values(), ids=INLINED.keys())
def test_its_expression_takes_the_place_of_every_call(made: str, before: list[str], after: list[str]) -> None:
    assert inlined(body(made, *before), made[made.index("defp") + 5 :][:5]) == body("", *after)


def test_at_a_call_only_that_call_gives_way_and_the_last_takes_the_definition_along() -> None:
    made = "defp aid(p), do: p * 2"
    text = body(made, "swim(aid(a))", "swim(aid(b))")
    once = inlined(text, "aid(b)")
    assert once == body(made, "swim(aid(a))", "swim(b * 2)")
    assert inlined(once, "aid(a)") == body("", "swim(a * 2)", "swim(b * 2)")


def test_a_variable_at_the_place_is_put_where_it_is_read() -> None:
    assert inlined(body("", "x = a + b", "swim(x)"), "x =") == body("", "swim(a + b)")


KEPT = {
    "another order": ("defp aid(p, q), do: {q, p}", "aid(swim(a), swim(b))"),
    "what acts behind something that acts": ("defp aid(p), do: {swim(1), p}", "aid(swim(a))"),
    "what acts in a branch": ("defp aid(p, q), do: if(p, do: q)", "aid(a, swim(b))"),
    "what acts in a function": ("defp aid(p), do: fn -> p end", "aid(swim(a))"),
    "what acts and is read twice": ("defp aid(p), do: {p, p}", "aid(swim(a))"),
    "what acts and is not read": ("defp aid(_p), do: 1", "aid(swim(a))"),
    "a function that is read twice": ("defp aid(p), do: {p, p}", "aid(fn -> a end)"),
    "a name that the body has, too": ("defp aid(p), do: fn a -> {a, p} end", "aid(a)"),
    "a call in a guard of the body": ("defp aid(p), do: (case 1 do\n  x when x > p -> 1\nend)", "aid(swim(a))"),
    "several clauses": ("defp aid(0), do: 1\ndefp aid(p), do: p", "aid(a)"),
    "a guard": ("defp aid(p) when p > 1, do: p", "aid(a)"),
    "a default": ("defp aid(p \\\\ 1), do: p", "aid(a)"),
    "a pattern": ("defp aid({p, q}), do: p + q", "aid({a, b})"),
    "several statements": ("defp aid(p) do\n  swim(p)\n  p\nend", "aid(a)"),
    "a rescue": ("defp aid(p) do\n  swim(p)\nrescue\n  e -> e\nend", "aid(a)"),
    "itself": ("defp aid(p), do: aid(p)", "aid(a)"),
    "a capture": ("defp aid(p), do: p", "Enum.map(a, &aid/1)"),
    "in a capture": ("defp aid(p), do: p", "Enum.map(a, &aid(&1))"),
    "an atom of its name": ("defp aid(p), do: p", "{aid(a), :aid}"),
    "a macro that is given it": ("defp aid(p), do: p", "Logger.info(aid(a))"),
    "a macro in it": ("defp aid(p), do: Logger.info(p)", "aid(a)"),
    "its own stack": ("defp aid(p), do: {p, __STACKTRACE__}", "aid(a)"),
    "keywords without brackets": ("defp aid(p), do: p", "aid(k: a)"),
    "what binds a name": ("defp aid(p), do: p", "aid(c = a)"),
    "words in it": ("defp aid(p) do\n  # why\n  p\nend", "aid(a)"),
    "documentation": ("@doc false\ndefp aid(p), do: p", "aid(a)"),
    "never called": ("defp aid(p), do: p", "swim(a)"),
    "public": ("def aid(p), do: p", "aid(a)"),
}


@pytest.mark.parametrize(("made", "line"), KEPT.values(), ids=KEPT.keys())
def test_it_stays_where_something_could_be_another(made: str, line: str) -> None:
    with pytest.raises(DuckError):
        inlined(body(made, line))


def test_an_attribute_or_an_alias_that_changes_between_refuses() -> None:
    text = body("defp aid(p), do: {p, @deep, Enum.sum([p])}", "aid(a)")
    assert "{a, @deep, Enum.sum([a])}" in inlined(text)
    for line in ("@deep 4", "alias Pond.Enum"):
        with pytest.raises(DuckError):
            inlined(text.replace("  def go(", f"  {line}\n  def go("))
