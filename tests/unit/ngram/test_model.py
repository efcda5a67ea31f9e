"""A model that was told of changes counts like one that was trained on the files as they are now."""

from __future__ import annotations

from collections.abc import Mapping

from rubber_duck.ngram.index import Level
from rubber_duck.ngram.model import ProjectModel, ReadFile, merged
from rubber_duck.ngram.reading import relate_with
from rubber_duck.ngram.training import decoded
from tests.unit.ngram.models import SHOP, draft_of, likeliest, model_of

EXTRA = "def refund(order):\n    order.settle(order.total)\n    return order\n"
CONTEXTS = (["order", "."], ["return"], ["order", ".", "ship", "("], ["import"], ["def"], ["settle", "("])


def _read(model: ProjectModel, files: Mapping[str, str]) -> list[ReadFile]:
    found = []
    for path, text in files.items():
        tokens = model.read(decoded(text.encode()))
        relations = relate_with("python")(path, text.encode(), model.number)
        found.append(ReadFile(path, f"hash of {text}", tokens, relations))
    return found


def _counts(model: ProjectModel) -> list[list[tuple[int, int, int, dict[str, int]]]]:
    """What followed some contexts, in words."""
    found = []
    for context in CONTEXTS:
        numbers = [model.vocabulary.number(word) or 1 for word in context]
        levels = model.after(numbers, (0, 0))
        texts = model.vocabulary.texts
        found.append(
            [(a, b, c, {texts[token]: times for token, times in counts.items()}) for a, b, c, counts in levels]
        )
    return found


def _members(model: ProjectModel, name: str) -> list[str]:
    number = model.vocabulary.number(name)
    assert number is not None
    return sorted(model.vocabulary.texts[each] for each in model.table.members(number))


def test_a_file_that_was_added_counts() -> None:
    model = model_of(SHOP)
    assert "settle" not in likeliest(model, "order.")
    model.change(_read(model, {"shop/refunds.py": EXTRA}))
    assert "settle" in likeliest(model, "order.")
    assert _members(model, "refunds") == ["refund"]
    assert _counts(model.folded()) == _counts(model_of(SHOP | {"shop/refunds.py": EXTRA}))


def test_a_file_that_changed_counts_as_it_is_now() -> None:
    model = model_of(SHOP)
    model.change(_read(model, {"shop/orders.py": EXTRA}))
    model.change(_read(model, {"shop/orders.py": EXTRA + "x = 1\n"}))
    now = model_of({**SHOP, "shop/orders.py": EXTRA + "x = 1\n"})
    assert _counts(model.folded()) == _counts(now)
    assert _members(model, "orders") == _members(now, "orders") == ["refund", "x"]


def test_a_file_that_is_gone_does_not_count() -> None:
    model = model_of(SHOP | {"shop/refunds.py": EXTRA})
    model.change([], ["shop/refunds.py", "never/there.py"])
    assert _counts(model) == _counts(model_of(SHOP))
    assert "settle" not in likeliest(model, "order.")


def test_the_files_beside_are_those_of_the_folder() -> None:
    model = model_of(SHOP | {"other/far.py": EXTRA})
    near = model.near("shop/x.py")
    assert near is not None
    assert len(near) == sum(entry.end - entry.start for path, entry in model.files.items() if path.startswith("shop/"))
    assert model.near("nowhere/x.py") is None


def test_the_saved_text_of_the_open_file_is_not_echoed() -> None:
    model = model_of(SHOP | {"shop/refunds.py": EXTRA})
    assert "settle" in likeliest(model, "def refund(order):\n    order.", "shop/other.py")
    assert "settle" not in likeliest(model, "def refund(order):\n    order.", "shop/refunds.py")


def test_names_that_begin_alike_are_found_commonest_first() -> None:
    model = model_of(SHOP)
    texts = [model.vocabulary.texts[number] for number in model.beginning("re")]
    assert texts == ["reason", "return"]
    assert model.beginning("zebra") == []


def test_a_variable_is_taken_for_the_class_of_its_name() -> None:
    model = model_of({"a.py": "class BoundField:\n    label = 1\n\nbound_field = field = 1\n"})
    number = model.vocabulary.number
    assert model.named_like(number("bound_field") or 0) == number("BoundField")
    assert model.named_like(number("field") or 0) == 0


def test_however_many_files_change_the_counts_are_those_of_the_files_as_they_are() -> None:
    files = dict(SHOP)
    model = model_of(files)
    for at in range(12):
        path = f"shop/many{at % 5}.py"
        files[path] = EXTRA.replace("settle", f"settle{at}") * (1 + at % 3)
        model.change(_read(model, {path: files[path]}))
    assert _counts(model.folded()) == _counts(model_of(files))
    assert {path: entry.end - entry.start for path, entry in model.files.items()} == {
        path: entry.end - entry.start for path, entry in model_of(files).files.items()
    }


def test_the_levels_of_two_indexes_are_added() -> None:
    first = [Level(1, 3, 2, {64: 2, 65: 1}), Level(3, 1, 1, {64: 1})]
    second = [Level(1, 1, 1, {66: 1}), Level(2, 1, 1, {66: 1})]
    assert merged(first, second) == [
        Level(1, 4, 3, {64: 2, 65: 1, 66: 1}),
        Level(2, 1, 1, {66: 1}),
        Level(3, 1, 1, {64: 1}),
    ]
    assert merged(first, []) == first


def test_a_project_without_files_learns_from_the_open_one_alone() -> None:
    model = model_of({"a.py": ""})
    model.change([], ["a.py"])
    assert len(model.files) == 0
    assert "total" in likeliest(model, "total = price\ntotal = price\n")


def test_the_draft_of_a_file_is_as_before_once_more_was_taken_back() -> None:
    draft = draft_of(model_of(SHOP), "order.ship(")
    before = (list(draft.tokens), list(draft.signs), len(draft.structure.brackets))
    draft.extend([64, 65], [-1, -1])
    draft.cut(len(before[0]))
    assert (draft.tokens, draft.signs, len(draft.structure.brackets)) == before
