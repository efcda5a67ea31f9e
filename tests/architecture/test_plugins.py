"""Every rule's examples hold and every plug-in stands in the file of its name; planted breaches are seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from rubber_duck.analysis.finding import Edit, Fix, Kind, Severity
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.engines.engine import engines
from tests.architecture.checks import plugins

PASS, RETURN = Example("python", "def f():\n    pass\n"), Example("python", "def f():\n    return 1\n")


class NoPass(Rule):
    """A rule that is right: it reports `pass` and replaces it."""

    name = "no-pass"
    kind = Kind.STYLE
    severity = Severity.LOW
    kinds: ClassVar = {"python": ("pass_statement",)}
    good = (RETURN,)
    bad = (PASS,)
    replacement = "..."

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Report each `pass`."""
        yield Hit(node, "pass", Fix("replace it", (Edit(node.start_byte, node.end_byte, self.replacement),), safe=True))


class Falsely(NoPass):
    """Its good example is reported."""

    name = "falsely-good"
    good = (PASS,)


class Silent(NoPass):
    """Its bad example is not reported."""

    name = "falsely-bad"
    bad = (RETURN,)


class Twice(NoPass):
    """Its bad example is reported twice."""

    name = "reported-twice"
    bad = (Example("python", "def f():\n    pass\n    pass\n"),)


class Unmended(NoPass):
    """Its fix fixes nothing."""

    name = "not-mended"
    replacement = "pass; x = 1"


class Broken(NoPass):
    """Its example is not a program."""

    name = "not-python"
    good = (Example("python", "def f(:\n"),)


class Raising(NoPass):
    """It fails."""

    name = "always-failing"

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Fail."""
        raise ValueError("no")


def test_the_examples_of_every_rule_hold() -> None:
    assert "\n".join(plugins.examples(rules.discover().values())) == ""


def test_every_rule_and_engine_stands_in_the_file_of_its_name() -> None:
    found = plugins.places(rules.discover().values(), "rubber_duck.analysis.rules")
    found += plugins.places(engines.discover().values(), "rubber_duck.engines")
    assert "\n".join(found) == ""


def test_a_rule_that_is_right_passes() -> None:
    assert plugins.examples([NoPass]) == []


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (Falsely, "reports the good example"),
        (Silent, "0 times"),
        (Twice, "2 times"),
        (Unmended, "the fix leaves"),
        (Broken, "is not valid python"),
        (Raising, "ValueError: no"),
    ],
)
def test_an_example_that_does_not_hold_is_caught(rule: type[Rule], what: str) -> None:
    (breach,) = plugins.examples([rule])
    assert what in breach


def test_a_plug_in_in_a_file_of_another_name_is_caught() -> None:
    class Misplaced(NoPass):
        """A rule that says it is from another file."""

        name = "misplaced-rule"

    Misplaced.__module__ = "rubber_duck.analysis.rules.style.other"
    assert len(plugins.places([Misplaced], "rubber_duck.analysis.rules")) == 1
