"""What a rule class says of itself is checked when it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from rubber_duck.analysis.codes import is_code
from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.rule import Example, Hit, Rule
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.errors import InvalidDeclaration


class NoPass(Rule):
    """A rule that is right."""

    name = "no-pass"
    kind = Kind.STYLE
    severity = Severity.LOW
    kinds: ClassVar = {"python": ("pass_statement",)}
    replaces = ("ruff/PIE790", "eslint/no-empty-function", "bandit/B110", "credo/Credo.Check.Warning.IoInspect")
    good = (Example("python", "x = 1\n"),)
    bad = (Example("python", "pass\n"),)

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Report each `pass`."""
        yield Hit(node, f"`{file.text(node)}`")


@pytest.mark.parametrize(
    ("replaces", "fault"),
    [
        ("ruff/S307", "has 'ruff/S307' as `replaces`; write a tuple of text"),
        (("S307",), "replaces 'S307', which no tool that is known calls a rule"),
        (("ruff/S*",), "replaces 'ruff/S*', which no tool that is known calls a rule"),
        (("pylint/eval-used",), "`ruff/…`, `bandit/…`, `eslint/…`, `credo/…`"),
        ((307,), "replaces 307, which no tool that is known calls a rule"),
        (("ruff/S307", "bandit/B307", "ruff/S307"), "replaces 'ruff/S307' twice; take one out"),
    ],
)
def test_what_a_rule_replaces_is_a_tuple_of_other_tools_rules(replaces: object, fault: str) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        type("Wrong", (NoPass,), {"__doc__": "Wrong.", "name": "wrong-rule", "replaces": replaces})
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ruff/S602", True),
        ("ruff/PLW0127", True),
        ("bandit/B602", True),
        ("eslint/no-eval", True),
        ("eslint/complexity", True),
        ("eslint/react/no-danger", True),
        ("eslint/@typescript-eslint/no-implied-eval", True),
        ("credo/Credo.Check.Warning.UnsafeToAtom", True),
        ("ruff/s602", False),
        ("ruff/", False),
        ("ruff", False),
        ("bandit/S602", False),
        ("eslint/No_Eval", False),
        ("credo/UnsafeToAtom", False),
        ("flake8/E722", False),
        ("unsafe-eval", False),
        ("ruff/S602\n", False),
    ],
)
def test_a_rule_of_another_tool_is_written_as_its_tool_writes_it(name: str, *, expected: bool) -> None:
    assert is_code(name) is expected
