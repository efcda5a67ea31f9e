"""Small projects to predict in."""

from __future__ import annotations

from collections.abc import Mapping

from rubber_duck.code.code import detect, family
from rubber_duck.ngram.draft import Draft
from rubber_duck.ngram.families import lexicon
from rubber_duck.ngram.lexicon import Lexicon
from rubber_duck.ngram.mixer import mixer
from rubber_duck.ngram.model import ProjectModel
from rubber_duck.ngram.prediction import guesses
from rubber_duck.ngram.reading import relate_with
from rubber_duck.ngram.session import Session
from rubber_duck.ngram.training import SourceText, train

SHOP = {
    "shop/orders.py": """\
class Order:
    def __init__(self, customer, total):
        self.customer = customer
        self.total = total

    def cancel(self, reason):
        self.reason = reason

    def ship(self, address):
        self.address = address


class Refund(Order):
    def pay_back(self):
        return self.total
""",
    "shop/checkout.py": """\
from shop.orders import Order


def checkout(customer, items):
    for item in items:
        total = item.price
    order = Order(customer, total)
    order.ship(customer.address)
    return order


def undo(customer, items):
    for item in items:
        total = item.price
    order = Order(customer, total)
    order.cancel(customer.reason)
    return order
""",
}


def words(family_name: str) -> Lexicon:
    """The lexicon of a family."""
    found = lexicon(family_name)
    assert found is not None
    return found


def model_of(files: Mapping[str, str]) -> ProjectModel:
    """The model of a project with these files, all of the language of the first."""
    language = detect(next(iter(files)), None) or ""
    texts = [SourceText(path, f"hash of {text}", text.encode()) for path, text in sorted(files.items())]
    return train(words(family(language)), texts, relate_with(language), using=mixer())


def draft_of(model: ProjectModel, prefix: str, path: str = "shop/x.py") -> Draft:
    """A draft that ends with `prefix`."""
    session = Session(model, path)
    session.move(prefix)
    return session.draft


def texts_of(draft: Draft) -> list[str]:
    """The texts of its tokens; `""` for ends of lines."""
    return [draft.reader.text(token) for token in draft.tokens[1:]]


def likeliest(model: ProjectModel, prefix: str, path: str = "shop/x.py") -> list[str]:
    """The texts of the guesses behind `prefix`, the likeliest first."""
    draft = draft_of(model, prefix, path)
    return [draft.reader.text(guess.token) for guess in guesses(draft)]
