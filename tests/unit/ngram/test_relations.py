"""What belongs to what, from the symbols of files in each language."""

from __future__ import annotations

import pytest

from rubber_duck.ngram.reading import relate_with
from rubber_duck.ngram.relations import RelationTable
from tests.unit.ngram.models import SHOP, draft_of, model_of


class Names(dict[str, int]):
    """Numbers for names, in the order in which they are asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]

    def of(self, numbers: frozenset[int] | tuple[int, ...]) -> list[str]:
        """The names of numbers, sorted if they have no order."""
        texts = {number: name for name, number in self.items()}
        found = [texts[number] for number in numbers]
        return sorted(found) if isinstance(numbers, frozenset) else found


def _table(language: str, path: str, text: str) -> tuple[RelationTable, Names]:
    names = Names()
    table = RelationTable()
    table.add(relate_with(language)(path, text.encode(), names.__getitem__))
    return table, names


PYTHON = """\
class Box(Base, other.Mixin, metaclass=Meta):
    lid: Lid

    def __init__(self, size, *, color="red"):
        self.size = size

    def open(self, key=None, **options) -> Lid: ...

def pack(box: Box, *things): ...
"""
TYPESCRIPT = """\
export class Box extends Base<Lid> implements Closable {
  lid: Lid;
  open(key?: Key, ...rest: string[]): Lid { return this.lid; }
}
interface Closable extends Thing { close(): void }
"""
ELIXIR = """\
defmodule Shop.Box do
  def open(box, key \\\\ nil), do: {box, key}
  defp look(box), do: box
end
"""


def test_classes_have_what_their_bodies_and_their_methods_give_them() -> None:
    table, names = _table("python", "shop/boxes.py", PYTHON)
    assert names.of(table.members(names["Box"])) == ["__init__", "lid", "open", "size"]
    assert names.of(table.parents(names["Box"])) == ["Base", "Mixin"]
    assert names.of(table.parameters(names["Box"])) == ["size", "color"]
    assert names.of(table.parameters(names["open"])) == ["key", "options"]
    assert names.of(table.parameters(names["pack"])) == ["box", "things"]


def test_a_module_has_its_names_under_its_own() -> None:
    table, names = _table("python", "shop/boxes.py", PYTHON)
    assert names.of(table.members(names["boxes"])) == ["Box", "pack"]
    table, names = _table("python", "shop/__init__.py", "from .boxes import Box as Case, pack\n")
    assert names.of(table.members(names["shop"])) == ["Case", "pack"]


def test_members_of_parents_are_members() -> None:
    table, names = _table("python", "a.py", "class A:\n    def f(self): ...\nclass B(A):\n    def g(self): ...\n")
    assert names.of(table.members(names["B"])) == ["f", "g"]
    table, names = _table("python", "a.py", "class A(B):\n    f = 1\nclass B(A):\n    g = 1\n")
    assert names.of(table.members(names["B"])) == ["f", "g"]


def test_a_function_gives_a_type_that_has_members() -> None:
    table, names = _table("python", "a.py", "class A:\n    x = 1\ndef f() -> A: ...\ndef g() -> int: ...\n")
    assert (table.result(names["f"]), table.result(names["g"])) == (names["A"], 0)


def test_typescript_and_elixir_say_the_same_in_their_words() -> None:
    table, names = _table("typescript", "src/box.ts", TYPESCRIPT)
    assert names.of(table.members(names["Box"])) == ["lid", "open"]
    assert names.of(table.parents(names["Box"])) == ["Base"]
    assert names.of(table.parents(names["Closable"])) == ["Thing"]
    assert names.of(table.parameters(names["open"])) == ["key", "rest"]
    table, names = _table("elixir", "lib/box.ex", ELIXIR)
    assert names.of(table.members(names["Box"])) == ["look", "open"]
    assert names.of(table.parameters(names["open"])) == ["box", "key"]


@pytest.mark.parametrize("language", ["python", "typescript", "elixir"])
def test_what_is_removed_is_as_if_it_had_never_been(language: str) -> None:
    names = Names()
    text = {"python": PYTHON, "typescript": TYPESCRIPT, "elixir": ELIXIR}[language].encode()
    triples = relate_with(language)("a/b", text, names.__getitem__)
    table = RelationTable()
    table.add(triples)
    table.add(triples)
    table.remove(triples)
    assert table.members(names["Box"])
    table.remove(triples)
    assert [table.members(number) for number in names.values()] == [frozenset()] * len(names)


def test_names_without_a_number_are_left_out() -> None:
    assert relate_with("python")("a.py", PYTHON.encode(), {"Box": 1, "open": 2}.get).tolist() == [0, 1, 2]


def test_a_file_that_cannot_be_parsed_within_limits_says_nothing() -> None:
    assert relate_with("python")("a.py", b"(" * 5000, Names().__getitem__).tolist() == []


def test_a_draft_knows_the_members_of_its_project() -> None:
    model = model_of(SHOP)
    draft = draft_of(model, "x")
    order = model.vocabulary.number("Order")
    assert order is not None
    members = sorted(draft.reader.text(each) for each in model.table.members(order))
    assert members == ["__init__", "address", "cancel", "customer", "reason", "ship", "total"]
