"""Variables of Elixir extracted and put back: what acts keeps its place, and macros are let alone."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.elixir_extract import extract_variable
from rubber_duck.code.refactoring.elixir_inline import inline_variable
from rubber_duck.code.refactoring.elixir_rename import rename
from rubber_duck.code.refactoring.refactored import Spot, Stretch
from rubber_duck.errors import InvalidInput, Refused

FILE = """defmodule Pond do
  require Logger
  @deep 3
  defp swim(far), do: far
  defp dive(far, deep), do: {far, deep}

  def go(a, b) do
    HERE
  end
end
"""


def body(*lines: str) -> str:
    return FILE.replace("HERE", "\n    ".join(lines).replace("\n    \n", "\n\n"))


def place(text: str, chosen: str) -> Stretch:
    at = text.index(chosen, text.index(" go(a, b"))
    end = at + len(chosen)
    first, last = text.count("\n", 0, at) + 1, text.count("\n", 0, end) + 1
    return Stretch("p.ex", first, last, at - text.rfind("\n", 0, at), end - text.rfind("\n", 0, end))


def extracted(text: str, chosen: str) -> str:
    return extract_variable({"p.ex": text}, place(text, chosen), "fresh").texts["p.ex"]


def inlined(text: str, name: str) -> str:
    at = text.index(f"{name} =", text.index("def go"))
    spot = Spot("p.ex", text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    return inline_variable({"p.ex": text}, spot).texts["p.ex"]


EXTRACTED = {
    "the first argument": (["dive(a * b, 1)"], "a * b", ["fresh = a * b", "dive(fresh, 1)"]),
    "past what is still": (
        ["dive({a, [@deep | b], 'x'}, swim(b))"],
        "swim(b)",
        ["fresh = swim(b)", "dive({a, [@deep | b], 'x'}, fresh)"],
    ),
    "past the name of a module": (
        ["IO.puts(inspect(a))"],
        "inspect(a)",
        ["fresh = inspect(a)", "IO.puts(fresh)"],
    ),
    "the beginning of a pipe": (
        ["a |> Enum.map(&swim/1) |> Enum.sum()"],
        "a |> Enum.map(&swim/1)",
        ["fresh = a |> Enum.map(&swim/1)", "fresh |> Enum.sum()"],
    ),
    "what a case looks at": (
        ["case swim(a) do", "  ^b -> 1", "  _ -> 2", "end"],
        "swim(a)",
        ["fresh = swim(a)", "case fresh do", "  ^b -> 1", "  _ -> 2", "end"],
    ),
    "in a clause on one line": (
        ["case a do", "  1 -> dive(b + 1, a)", "  _ -> b", "end"],
        "b + 1",
        ["case a do", "  1 ->", "    fresh = b + 1", "    dive(fresh, a)", "  _ -> b", "end"],
    ),
    "in a function on one line": (
        ["Enum.map(a, fn x -> x * b + 1 end)"],
        "x * b",
        ["Enum.map(a, fn x ->", "  fresh = x * b", "  fresh + 1", "end)"],
    ),
    "the first of a with": (
        ["with {:ok, x} <- swim(a), do: dive(x, b)"],
        "swim(a)",
        ["fresh = swim(a)", "with {:ok, x} <- fresh, do: dive(x, b)"],
    ),
    "the rows of a for": (
        ["for x <- swim(a), into: %{}, do: {x, b}"],
        "swim(a)",
        ["fresh = swim(a)", "for x <- fresh, into: %{}, do: {x, b}"],
    ),
    "in a text over several lines": (
        ['"""', "x #{a + 1}", '"""'],
        "a + 1",
        ["fresh = a + 1", '"""', "x #{fresh}", '"""'],
    ),
    "a text over several lines": (
        ['swim("""', "x", '""")'],
        '"""\n    x\n    """',
        ['fresh = """', "x", '"""', "swim(fresh)"],
    ),
    "a capture as a whole": (
        ["Enum.map(a, &(&1 + b))"],
        "&(&1 + b)",
        ["fresh = &(&1 + b)", "Enum.map(a, fresh)"],
    ),
    "in a try": (
        ["try do", "  swim(a + 1)", "rescue", "  e -> swim(e)", "end"],
        "a + 1",
        ["try do", "  fresh = a + 1", "  swim(fresh)", "rescue", "  e -> swim(e)", "end"],
    ),
}


@pytest.mark.parametrize(("before", "chosen", "after"), EXTRACTED.values(), ids=EXTRACTED.keys())
def test_an_expression_gets_a_name_before_its_statement(before: list[str], chosen: str, after: list[str]) -> None:
    assert extracted(body(*before), chosen) == body(*after)


def test_a_definition_on_one_line_becomes_a_block() -> None:
    text = "defmodule Pond do\n  def go(a, b) when a > 1, do: max(a * b, 1)\n  def stay, do: 1\nend\n"
    assert extracted(text, "a * b") == (
        "defmodule Pond do\n  def go(a, b) when a > 1 do\n    fresh = a * b\n    max(fresh, 1)\n  end\n"
        "  def stay, do: 1\nend\n"
    )


NOT_EXTRACTED = {
    "past a call": (["dive(swim(a), swim(b))"], "swim(b)"),
    "past what may fail": (["dive(a + 1, swim(b))"], "swim(b)"),
    "past a field": (["dive(a.far, swim(b))"], "swim(b)"),
    "past a text that asks a protocol": (['"#{a} #{swim(b)}"'], "swim(b)"),
    "past what a pipe begins with": (["swim(a) |> dive(swim(b))"], "swim(b)"),
    "past what then works out first": (["swim(b) |> then(swim(a))"], "swim(b)"),
    "a stage of a pipe": (["a |> swim()"], "swim()"),
    "on the right of and": (["a and swim(b)"], "swim(b)"),
    "on the right of ||": (["a || swim(b)"], "swim(b)"),
    "a branch": (["if a, do: swim(b), else: b"], "swim(b)"),
    "a later clause of with": (["with x <- swim(a), y <- swim(b), do: {x, y}"], "swim(b)"),
    "a body of for": (["for x <- a, do: x + b"], "x + b"),
    "a condition of for": (["for x <- a, swim(b), do: x"], "swim(b)"),
    "a condition of cond": (["cond do", "  a > b -> 1", "  true -> 2", "end"], "a > b"),
    "a pattern": (["{:ok, ^a} = b"], "{:ok, ^a}"),
    "a guard": (["case a do", "  x when x > b -> 1", "end"], "x > b"),
    "what a macro is given": (['Logger.info("#{a + b}")'], "a + b"),
    "what an unknown call is given": (["splash(a + b)"], "a + b"),
    "in a block of an unknown call": (["splash do", "  swim(a + b)", "end"], "a + b"),
    "a part of a capture": (["Enum.map(a, &(&1 + b))"], "&1 + b"),
    "in a capture": (["Enum.map(a, &swim(&1 + b * 2))"], "b * 2"),
    "in code that is made": (["quote do", "  unquote(a + b)", "end"], "a + b"),
    "in a sigil of somebody": (['~p"/#{a + b}"'], "a + b"),
    "a size": (["<<x::size(a + b)>> = b", "x"], "a + b"),
    "what binds a name": (["dive(c = a + b, c)"], "c = a + b"),
    "the way to a place": (["put_in(a.far, b + 1)"], "b + 1"),
    "a field's name": (["a.far + 1"], "far"),
    "where variables are asked for": (["dive(a + b, binding())"], "a + b"),
    "a statement that shares its line": (["a = swim(a); dive(a + b, 1)"], "a + b"),
    "a keyword": (["swim(far: a)"], "far: a"),
    "in an operator of somebody": (["a + b ~> b"], "a + b"),
}


@pytest.mark.parametrize(("lines", "chosen"), NOT_EXTRACTED.values(), ids=NOT_EXTRACTED.keys())
def test_no_name_where_it_is_not_worked_out_once_and_first(lines: list[str], chosen: str) -> None:
    with pytest.raises((Refused, InvalidInput)):
        extracted(body(*lines), chosen)


@pytest.mark.parametrize(
    ("change", "chosen"),
    [
        (("require Logger", "import Kernel, except: [if: 2]"), "a > b"),
        (("require Logger", "use Phoenix.Controller"), "a + b"),
        (("require Logger", "use Phoenix\n  alias Pond.Enum"), "b + a"),
        (("def go(a, b) do", "defmacro go(a, b) do"), "a > b"),
        (("def go(a, b) do", "def go(a, b, fresh) do"), "a > b"),
    ],
)
def test_what_the_rest_of_the_file_says_may_refuse(change: tuple[str, str], chosen: str) -> None:
    text = body("c = if a > b, do: 1", "Geese.all(a + b)", "Enum.map(b + a, &swim/1)").replace(*change)
    with pytest.raises(Refused):
        extracted(text, chosen)


INLINED = {
    "into an operation": (["x = a + b", "x * 2"], ["(a + b) * 2"]),
    "into an argument": (["x = a + b", "dive(x, 1)"], ["dive(a + b, 1)"]),
    "into a pipe": (["x = swim a", "x |> dive(2)"], ["(swim a) |> dive(2)"]),
    "a call without brackets that ends with one": (
        ["x = swim dive(a, 1)", "dive(x, 2)"],
        ["dive((swim dive(a, 1)), 2)"],
    ),
    "past what is still": (["x = swim(a)", "y = b", "dive(y, x)"], ["y = b", "dive(y, swim(a))"]),
    "what is still into everything": (
        ["x = {a, 1}", "f = fn c -> {c, x} end", "if f.(x), do: x"],
        ["f = fn c -> {c, {a, 1}} end", "if f.({a, 1}), do: {a, 1}"],
    ),
    "a variable into a pin and a guard": (
        ["x = b", "case a do", "  ^x -> 1", "  c when c > x -> 2", "end"],
        ["case a do", "  ^b -> 1", "  c when c > b -> 2", "end"],
    ),
    "one that is bound anew": (["x = a", "x = x + 1", "x * 2"], ["x = a + 1", "x * 2"]),
    "the second of that name": (["b = a", "c = b", "dive(c, b)"], ["c = a", "dive(c, a)"]),
    "what a case looks at": (["x = swim(a)", "case x do", "  c -> c", "end"], ["case swim(a) do", "  c -> c", "end"]),
    "over several lines": (["x =", "  a", "  |> swim()", "", "dive(x, 1)"], ["dive(a", "  |> swim(), 1)"]),
    "a function that is called": (["x = fn c -> c end", "x.(a)"], ["(fn c -> c end).(a)"]),
}


@pytest.mark.parametrize(("before", "after"), INLINED.values(), ids=INLINED.keys())
def test_a_value_takes_the_place_of_its_variable(before: list[str], after: list[str]) -> None:
    name = before[0].split(" =")[0]
    assert inlined(body(*before), name) == body(*after)


NOT_INLINED = {
    "read twice": ["x = swim(a)", "dive(x, x)"],
    "a function read twice": ["x = fn c -> c end", "dive(x, x)"],
    "past a call": ["x = swim(a)", "dive(swim(b), x)"],
    "past a statement that acts": ["x = swim(a)", "swim(b)", "x"],
    "past a match that may fail": ["x = swim(a)", "{c, d} = b", "dive(x, {c, d})"],
    "into a branch": ["x = swim(a)", "if b, do: x"],
    "into a loop": ["x = swim(a)", "for c <- b, do: dive(c, x)"],
    "into a function": ["x = swim(a)", "fn -> x end"],
    "where a parameter has the name": ["x = b", "fn b -> dive(b, x) end"],
    "where a pattern has the name": ["x = b", "case a do", "  {b, _} -> dive(b, x)", "end"],
    "where it is bound anew": ["x = a", "a = swim(b)", "dive(a, x)"],
    "no variable behind a pin": ["x = {1, a}", "case b do", "  ^x -> 1", "end"],
    "a call in a guard": ["x = swim(a)", "case b do", "  c when c > x -> 1", "end"],
    "a tuple as a size": ["x = {a}", "<<c::size(x)>> = b", "c"],
    "a capture into a capture": ["x = &(&1 + a)", "Enum.map(b, &x.(&1))"],
    "into a macro": ["x = a", "Logger.info(x)"],
    "into a template": ["x = a", '~H"<%= x %>"'],
    "never read": ["x = a", "b"],
    "a part of a pattern": ["{x = c, d} = a", "dive(x, {c, d})"],
    "with words behind it": ["x = a # why", "x"],
    "where variables are asked for": ["x = a", "dive(x, binding())"],
    "what binds another name": ["x = c = a", "dive(x, c)"],
    "in an expression": ["swim(x = a)", "x"],
}


@pytest.mark.parametrize("lines", NOT_INLINED.values(), ids=NOT_INLINED.keys())
def test_a_variable_stays_where_its_value_could_be_another(lines: list[str]) -> None:
    with pytest.raises((Refused, InvalidInput)):
        inlined(body(*lines), "x")


def test_a_name_of_another_function_may_be_given() -> None:
    text = body("dive(a * b, 1)")
    assert (
        "    deep = a * b\n    dive(deep, 1)\n"
        in extract_variable({"p.ex": text}, place(text, "a * b"), "deep").texts["p.ex"]
    )
    with pytest.raises(Refused, match="is used in the function already"):
        extract_variable({"p.ex": text}, place(text, "a * b"), "dive")


@pytest.mark.parametrize("name", ["Fresh", "fresh!", "do", "if", "length", "_x"])
def test_what_is_no_name_of_a_variable_is_none(name: str) -> None:
    text = body("dive(a * b, 1)")
    with pytest.raises(InvalidInput):
        extract_variable({"p.ex": text}, place(text, "a * b"), name)


def renamed(text: str, name: str, new: str) -> str:
    at = text.index(name, text.index("def go"))
    return rename({"p.ex": text}, Spot("p.ex", text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)), new).texts[
        "p.ex"
    ]


def test_a_variable_is_renamed_each_time_that_it_is_bound_in_its_function() -> None:
    lines = ["x = a.x", "x = swim(x: x) + x", "f = fn x -> &dive(&1, x) end", 'case b do ^x -> "#{x} x :x" end']
    after = ["y = a.x", "y = swim(x: y) + y", "f = fn y -> &dive(&1, y) end", 'case b do ^y -> "#{y} x :x" end']
    assert renamed(body(*lines), "x =", "y") == body(*after)
    assert renamed(body(*after), "y =", "x") == body(*lines)


@pytest.mark.parametrize(
    ("lines", "name", "new"),
    [
        (["x = a", "x + y"], "x =", "y"),
        (["x = a", '~H"<%= x %>"'], "x =", "far"),
        (["x = a", "quote do: x"], "x =", "far"),
        (["x = a", "binding()"], "x =", "far"),
        (["x = a", "x"], "x =", "if"),
        (["if a do", "  x = a", "end", "x"], "x =", "far"),
        (["swim(a)"], "swim", "far"),
        (["a.deep"], "deep", "far"),
    ],
)
def test_what_is_taken_read_by_its_text_or_no_variable_keeps_its_name(lines: list[str], name: str, new: str) -> None:
    text = body(*lines).replace("defp swim", "def swim")
    with pytest.raises((Refused, InvalidInput)):
        renamed(text, name, new)
