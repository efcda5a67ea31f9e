"""What a shell completes is what there is."""

from __future__ import annotations

import click

from rubber_duck.analysis.rule import rules
from rubber_duck.cli.suggestions import engine_names, rule_names
from rubber_duck.engines.engine import engines

ASKED = (click.Context(click.Command("x")), click.Argument(["name"]))


def test_the_rules_are_those_that_are_registered() -> None:
    own = [name for name, rule in rules.discover().items() if rule.__module__.startswith("rubber_duck.")]
    assert rule_names(*ASKED, "") == own
    assert rule_names(*ASKED, "sql-") == ["sql-injection"]


def test_the_engines_are_those_that_are_registered() -> None:
    own = [name for name, engine in engines.discover().items() if engine.__module__.startswith("rubber_duck.")]
    assert engine_names(*ASKED, "") == own
    assert engine_names(*ASKED, "out") == ["outline"]
