"""Symbols say which names fit: after a dot, in a call, in an import, after `def`."""

from __future__ import annotations

import pytest

from rubber_duck.ngram.expectation import IMPORTS, MEMBERS, NONE, OVERRIDES, expectation
from tests.unit.ngram.models import SHOP, draft_of, likeliest, model_of

MODEL = model_of(SHOP)
ORDER = ["__init__", "address", "cancel", "customer", "reason", "ship", "total"]


def _members(prefix: str) -> tuple[int, list[str]]:
    draft = draft_of(MODEL, prefix)
    found = expectation(draft)
    return found.reason, sorted(draft.reader.text(each) for each in found.members)


@pytest.mark.parametrize(
    ("prefix", "members"),
    [
        ("Order.", ORDER),
        ("o = Order(a, b)\no.", ORDER),
        ("def f(o: Order):\n    o.", ORDER),
        ("Order(a).", ORDER),
        ("order.", ORDER),
        (
            "class Gift(Order):\n    def f(self):\n        self.ribbon = 1\n        self.",
            sorted([*ORDER, "f", "ribbon"]),
        ),
        ("unknown.", []),
        ("self.", []),
    ],
)
def test_after_a_dot_stand_members_of_the_thing_before(prefix: str, members: list[str]) -> None:
    assert _members(prefix) == (MEMBERS, members)


def test_from_a_module_come_its_names() -> None:
    assert _members("from shop.orders import ") == (IMPORTS, ["Order", "Refund"])
    assert _members("from shop.orders import Order, ") == (IMPORTS, ["Refund"])


def test_a_class_may_override_what_its_parent_has() -> None:
    prefix = "class Gift(Order):\n    def ship(self): ...\n    def "
    assert _members(prefix) == (OVERRIDES, [each for each in ORDER if each != "ship"])


@pytest.mark.parametrize(
    ("prefix", "parameters", "argument", "begins"),
    [
        ("Order(", ["customer", "total"], "customer", True),
        ("Order(x, ", ["customer", "total"], "total", True),
        ("Order(total=x, ", ["customer"], "total", True),
        ("Order(x + ", ["customer", "total"], "customer", False),
        ("order.ship(", ["address"], "address", True),
        ("order.ship(a, ", ["address"], "", True),
    ],
)
def test_a_call_takes_parameters(prefix: str, parameters: list[str], argument: str, begins: bool) -> None:
    draft = draft_of(MODEL, prefix)
    found = expectation(draft)
    assert [draft.reader.text(each) for each in found.parameters] == parameters
    assert draft.reader.text(found.argument) == argument
    assert found.is_argument is begins


def test_elsewhere_nothing_is_expected() -> None:
    assert expectation(draft_of(MODEL, "x = ")).reason == NONE


def test_members_are_predicted_though_they_were_never_written_there() -> None:
    assert {"cancel", "ship"} <= set(likeliest(MODEL, "gift = Order(a, b)\ngift."))
