"""The likeliest tokens and lines."""

from __future__ import annotations

from rubber_duck.ngram.prediction import MOST_TOKENS, guesses, lines
from rubber_duck.ngram.vocabulary import LINE_END
from tests.unit.ngram.models import SHOP, draft_of, likeliest, model_of

MODEL = model_of(SHOP)
AGAIN = "from shop.orders import Order\n\n\ndef undo(customer, items):\n    for item in items:\n"


def _lines(prefix: str, count: int = 3) -> list[str]:
    draft = draft_of(MODEL, prefix)
    return [" ".join(map(draft.reader.text, line.tokens)) for line in lines(draft, count=count)]


def test_what_was_written_elsewhere_is_predicted() -> None:
    assert likeliest(MODEL, AGAIN + "        total = ")[0] == "item"
    assert _lines(AGAIN + "        ", 1) == ["total = item . price"]


def test_a_line_ends_where_the_like_did() -> None:
    draft = draft_of(MODEL, AGAIN + "        total = item.price ")
    assert guesses(draft)[0].token == LINE_END
    assert all(guess.token != LINE_END for guess in guesses(draft, ends=False))


def test_a_line_that_has_not_begun_does_not_end() -> None:
    assert all(guess.token != LINE_END for guess in guesses(draft_of(MODEL, AGAIN)))


def test_guesses_sum_to_one() -> None:
    assert abs(sum(guess.share for guess in guesses(draft_of(MODEL, AGAIN))) - 1) < 1e-5


def test_brackets_close_in_their_order() -> None:
    draft = draft_of(MODEL, "x = [Order(customer, total ")
    texts = {draft.reader.text(guess.token) for guess in guesses(draft)}
    assert ")" in texts
    assert not texts & {"]", "}"}


def test_only_what_begins_as_typed_is_offered() -> None:
    draft = draft_of(MODEL, "order.")
    texts = [draft.reader.text(guess.token) for guess in guesses(draft, partial="c")]
    assert set(texts) == {"cancel", "checkout", "class", "customer"}


def test_several_lines_come_likeliest_first_and_leave_the_draft_as_it_was() -> None:
    draft = draft_of(MODEL, AGAIN + "        total = item.price\n    ")
    before = (list(draft.tokens), list(draft.signs))
    found = lines(draft, count=3)
    assert [line.share for line in found] == sorted((line.share for line in found), reverse=True)
    assert len({line.tokens for line in found}) == len(found) == 3
    assert (draft.tokens, draft.signs) == before


def test_a_way_is_as_likely_as_all_of_its_tokens_together() -> None:
    draft = draft_of(MODEL, AGAIN + "        total = item.")
    found = lines(draft, count=1)[0]
    first = guesses(draft)[0]
    draft.push(first.token)
    assert found.tokens == (first.token,)
    assert abs(found.share - first.share * guesses(draft)[0].share) < 1e-6


def test_what_speaks_for_a_guess_is_told() -> None:
    draft = draft_of(MODEL, "def f(gift: Order):\n    gift.")
    assert {guess.reason for guess in guesses(draft) if draft.reader.text(guess.token) == "ship"} == {"symbols"}
    draft = draft_of(MODEL, "zebra = stripes\nzebra = ")
    assert {guess.reason for guess in guesses(draft) if draft.reader.text(guess.token) == "stripes"} == {"file"}


def test_a_line_is_not_followed_forever() -> None:
    draft = draft_of(MODEL, "x = a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + ")
    assert all(len(line.tokens) <= MOST_TOKENS for line in lines(draft, count=5))


def test_nobody_waits_for_what_was_stopped() -> None:
    draft = draft_of(MODEL, AGAIN)
    asked: list[int] = []

    def stop() -> bool:
        asked.append(len(asked))
        return True

    assert all(len(line.tokens) == 1 for line in lines(draft, count=3, stop=stop))
    assert asked


def test_behind_a_dot_only_members_of_a_known_class_are_offered() -> None:
    model = model_of(
        {
            "a.py": "class Order:\n    def total(self):\n        return 1\n\n    def ship(self):\n        return 2\n"
            "\n\nclass Basket:\n    def append(self, x):\n        return x\n\n\n"
            "def f(basket):\n    basket.append(1)\n    basket.append(2)\n"
        }
    )
    draft = draft_of(model, "def g(o: Order):\n    o.")
    assert {draft.reader.text(guess.token) for guess in guesses(draft)} == {"total", "ship"}
