"""A session follows what is typed, and is then the same as one that had seen the text at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.ngram.mixer import mixer
from rubber_duck.ngram.prediction import guesses
from rubber_duck.ngram.reading import relate_with
from rubber_duck.ngram.session import MOST_TEXT, Session, Spot, latest_text
from rubber_duck.ngram.training import train
from rubber_duck.ngram.vocabulary import LOCAL
from tests.unit.ngram.models import SHOP, model_of, texts_of, words

MODEL = model_of(SHOP)
CODE = SHOP["shop/checkout.py"] + SHOP["shop/orders.py"]
PIECES = [
    "order",
    ".",
    "ship(",
    ")",
    "\n    ",
    "\n",
    " ",
    "= ",
    "'text'",
    "# no",
    '"""',
    "class Order:",
    "self.x = ",
    "é",
]


def _state(session: Session) -> tuple[object, ...]:
    draft = session.draft
    structure = draft.structure
    return (
        texts_of(draft),
        [sign if sign < LOCAL else draft.reader.text(sign) for sign in draft.signs],
        structure.line and [draft.reader.text(each) for each in structure.line],
        [(block.column, block.place) for block in structure.blocks],
        [draft.reader.text(each) for each in structure.latest],
        [(draft.reader.text(guess.token), round(guess.share, 5), guess.reason) for guess in guesses(draft)],
    )


def _at_once(prefix: str) -> Session:
    session = Session(MODEL, "shop/x.py")
    session.move(prefix)
    return session


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_however_a_text_came_about_the_draft_is_the_same(data: st.DataObject) -> None:
    session = Session(MODEL, "shop/x.py")
    text = CODE[: data.draw(st.integers(0, len(CODE)))]
    for _ in range(data.draw(st.integers(1, 5))):
        session.move(text)
        kept = data.draw(st.integers(max(0, len(text) - 200), len(text)))
        text = text[:kept] + "".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=5)))
    session.move(text)
    assert _state(session) == _state(_at_once(text))


def test_typing_letter_by_letter_is_the_same_as_the_whole() -> None:
    session = Session(MODEL, "shop/x.py")
    text = SHOP["shop/orders.py"][:160]
    for size in range(len(text) + 1):
        session.move(text[:size])
    assert _state(session) == _state(_at_once(text))


@pytest.mark.parametrize(
    ("prefix", "spot"),
    [
        ("", Spot("", False, ())),
        ("x = order.sh", Spot("sh", False, ("x", "=", "order", "."))),
        ("x = order.", Spot("", False, ("x", "=", "order", "."))),
        ("a\nx = ", Spot("", False, ("x", "="))),
        ("x = 1  # not here", Spot("", True, ("x", "=", "1"))),
        ("x = 'not here", Spot("", True, ("x", "="))),
        ('"""not\nhere', Spot("", True, ())),
        ("x = 'here'", Spot("", False, ("x", "=", "'here'"))),
        ("x = '\\'", Spot("", True, ("x", "="))),
        ("x = ''", Spot("", False, ("x", "=", "''"))),
        ("f'{a}", Spot("", True, ())),
        ("# over\nret", Spot("ret", False, ())),
    ],
)
def test_a_spot_tells_what_is_being_typed(prefix: str, spot: Spot) -> None:
    assert Session(MODEL, "shop/x.py").move(prefix) == spot


@pytest.mark.parametrize(
    ("family", "text", "inside"),
    [
        ("elixir", "~s/not", True),
        ("elixir", "~s/here/", False),
        ("elixir", "~w(here there)a", False),
        ("elixir", "~w(not", True),
        ("elixir", '~s"""\nnot', True),
        ("elixir", '"here": ', False),
        ("elixir", "'not", True),
        ("ecmascript", "`not ${a}", True),
        ("ecmascript", "`here ${a}`", False),
        ("ecmascript", "x = /here/g;", False),
        ("python", "rb'not\\'", True),
        ("python", "rb'here\\\\'", False),
    ],
)
def test_strings_of_all_languages_have_their_ends(family: str, text: str, inside: bool) -> None:
    model = train(words(family), [], relate_with(family), using=mixer())
    assert Session(model, "x").move(text).inside is inside


def test_of_a_long_text_the_end_is_looked_at_from_a_margin() -> None:
    line = "def f():\n" + "    x = 1\n" * 50
    text = line * 400
    cut = latest_text(text)
    assert len(cut) <= MOST_TEXT
    assert text.endswith(cut)
    assert cut.startswith("def f():\n")


def test_where_a_long_text_is_cut_does_not_move_with_each_letter() -> None:
    text = "x = 1\n" * 20_000
    start = len(text) - len(latest_text(text))
    assert len(text + "y = 2") - len(latest_text(text + "y = 2")) == start
