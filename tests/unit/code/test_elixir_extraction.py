"""The symbols and imports of Elixir."""

from __future__ import annotations

from rubber_duck.code.code import open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.symbols import FileSymbols, ImportEdge, ImportedName, ReferenceKind


def found(source: str) -> FileSymbols:
    return extract(open_source("a.ex", source.encode(), "elixir"))


def test_every_definition_is_a_symbol_of_its_module() -> None:
    source = """
defmodule Shop.Cart do
  @limit 10
  @type t :: %__MODULE__{}
  @typep secret(a) :: a
  @callback price(t) :: integer
  defstruct [:items]
  def add(cart, item), do: {cart, item}
  defp hide(cart), do: cart
  defmacro each(x), do: x
  defmacrop inner, do: 1
  defguard is_even(n) when rem(n, 2) == 0
  defdelegate size(map), to: Map
  def a <> b, do: {a, b}
  defmodule Item do
    defexception [:message]
  end
  defimpl Inspect do
    def inspect(x, _), do: x
  end
end
defprotocol Size do
  def size(x)
end
defimpl Size, for: List do
  def size(x), do: length(x)
end
"""
    result = found(source)
    assert [(each.kind.value, each.qualified_name, each.arity, each.is_private) for each in result.symbols] == [
        ("module", "Shop.Cart", None, False),
        ("constant", "Shop.Cart.@limit", None, True),
        ("type", "Shop.Cart.t", None, False),
        ("type", "Shop.Cart.secret", None, True),
        ("callback", "Shop.Cart.price", 1, False),
        ("struct", "Shop.Cart", None, False),
        ("function", "Shop.Cart.add", 2, False),
        ("function", "Shop.Cart.hide", 1, True),
        ("macro", "Shop.Cart.each", 1, False),
        ("macro", "Shop.Cart.inner", 0, True),
        ("guard", "Shop.Cart.is_even", 1, False),
        ("function", "Shop.Cart.size", 1, False),
        ("function", "Shop.Cart.<>", 2, False),
        ("module", "Shop.Cart.Item", None, False),
        ("struct", "Shop.Cart.Item", None, False),
        ("implementation", "Inspect.Shop.Cart", None, False),
        ("function", "Inspect.Shop.Cart.inspect", 2, False),
        ("protocol", "Size", None, False),
        ("function", "Size.size", 1, False),
        ("implementation", "Size.List", None, False),
        ("function", "Size.List.size", 1, False),
    ]


def test_clauses_of_one_function_are_one_symbol_with_its_doc_spec_and_arity_range() -> None:
    source = '''
defmodule A do
  @moduledoc """
  What A
  is.

  More.
  """
  @doc "Adds.\\n\\nMore."
  @spec add(integer, integer) :: integer
  @deprecated "use sum"
  def add(a, b \\\\ 1)
  def add(a, 1) when is_integer(a), do: a + 1
  def add(a, b) do
    a + b
  end
  def add(a), do: a
end
'''
    module, add, other = found(source).symbols
    assert module.doc == "What A is."
    assert (add.arity, add.arity_least, add.start_line, add.end_line) == (2, 1, 12, 16)
    assert (add.signature, add.type_hint) == (r"def add(a, b \\ 1)", "add(integer, integer) :: integer")
    assert (add.doc, add.decorators) == ("Adds.", ('deprecated "use sum"',))
    assert (other.arity, other.doc, other.type_hint) == (1, "", "")


def test_imports_of_every_form() -> None:
    source = """defmodule A do
  alias B.{C, D.E}
  alias F.G, as: H
  import Ecto.Query, only: [from: 2]
  require Logger
  use GenServer
  def f do
    alias __MODULE__.Inner
  end
end
"""
    assert found(source).imports == (
        ImportEdge("B.C", 2, "alias", alias="C"),
        ImportEdge("B.D.E", 2, "alias", alias="E"),
        ImportEdge("F.G", 3, "alias", alias="H"),
        ImportEdge("Ecto.Query", 4, "import", (ImportedName("from/2"),)),
        ImportEdge("Logger", 5, "require"),
        ImportEdge("GenServer", 6, "use"),
        ImportEdge("A.Inner", 8, "alias", alias="Inner", is_conditional=True),
    )


def test_references_say_how_a_name_is_mentioned() -> None:
    source = """defmodule A do
  def f(x) do
    {:ok, y} = B.C.go(%D{k: x})
    case y do
      ^x -> y.z
    end
  end
end
"""
    assert [(each.name, each.kind.value) for each in found(source).references] == [
        ("x", "write"),
        ("y", "write"),
        ("B.C", "read"),
        ("go", "call"),
        ("D", "type"),
        ("x", "read"),
        ("case", "call"),
        ("y", "read"),
        ("x", "read"),
        ("y", "read"),
        ("z", "call"),
    ]


def test_names_in_specs_and_types_are_types() -> None:
    references = found("defmodule A do\n  @spec f(integer, B.t()) :: list\nend\n").references
    assert {each.name for each in references.of_kind(ReferenceKind.TYPE)} == {"integer", "B", "t", "list"}


def test_a_macro_called_like_a_word_of_the_language_is_just_a_macro() -> None:
    source = "defmodule A do\n  @spec alias(t) :: t\n  defmacro defmodule(alias, do_block)\n  def use(x), do: x\nend\n"
    result = found(source)
    assert [each.qualified_name for each in result.symbols] == ["A", "A.defmodule", "A.use"]
    assert result.imports == ()


def test_a_function_with_a_computed_name_is_passed_over() -> None:
    result = found("defmodule A do\n  def unquote(name)(x), do: x\n  def f, do: 1\nend\n")
    assert [each.name for each in result.symbols] == ["A", "f"]


def test_a_broken_file_gives_what_can_be_read_and_says_where_it_breaks() -> None:
    result = found("defmodule A do\n  def good(x), do: x\n  def (\n  def also(x), do: x\nend\n")
    assert "good" in {each.name for each in result.symbols}
    assert result.problems
