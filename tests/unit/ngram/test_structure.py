"""Brackets, lines and blocks, as far as tokens tell."""

from __future__ import annotations

from tests.unit.ngram.models import SHOP, draft_of, model_of

MODEL = model_of(SHOP)


def test_an_open_bracket_knows_its_call_and_how_far_it_is() -> None:
    draft = draft_of(MODEL, "x = Order(customer, total=(1, 2), ")
    bracket = draft.structure.brackets[0]
    texts = [draft.reader.text(each) for each in (bracket.before, bracket.closing, *bracket.keywords)]
    assert (len(draft.structure.brackets), bracket.commas, texts) == (1, 2, ["Order", ")", "total"])


def test_a_closed_bracket_is_remembered_by_its_call() -> None:
    draft = draft_of(MODEL, "x = Order(a).")
    assert (draft.structure.brackets, draft.reader.text(draft.structure.closed)) == ([], "Order")


def test_blocks_go_by_columns() -> None:
    draft = draft_of(MODEL, "class Order(Refund):\n    def ship(self):\n        total = 1\n    ")
    heads = [draft.reader.text(block.head) for block in draft.structure.blocks]
    assert heads == ["class", "def"]
    owner = draft.structure.owner()
    assert owner is not None
    assert [draft.reader.text(each) for each in (owner.owner, *owner.parents)] == ["Order", "Refund"]


def test_a_dedent_leaves_the_class() -> None:
    assert draft_of(MODEL, "class Order:\n    total = 1\n\n\nx = ").structure.owner() is None


def test_the_line_before_at_this_depth_is_the_sibling() -> None:
    draft = draft_of(MODEL, "def ship():\n    a = 1\n    if a:\n        total = 2\n    b = ")
    sibling = draft.structure.blocks[-1].sibling
    assert [draft.reader.text(each) for each in sibling] == ["if", "a", ":"]


def test_the_latest_names_stand_first() -> None:
    draft = draft_of(MODEL, "total = price + total - ")
    assert [draft.reader.text(each) for each in draft.structure.latest] == ["total", "price"]


def test_a_copy_does_not_change_with_the_original() -> None:
    draft = draft_of(MODEL, "ship(a")
    before = draft.structure.copy()
    draft.extend(*(each.tolist() for each in draft.reader.tokens(", b)\nnext")))
    assert (len(before.brackets), before.brackets[0].commas, before.blocks[0].sibling) == (1, 0, ())
    assert draft.structure.brackets == []
