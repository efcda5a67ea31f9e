"""Everything that can be met is documented where it is declared, in the repository and in planted breaches."""

from pathlib import Path

import pytest

from tests.architecture.checks import words
from tests.architecture.checks.law import Check
from tests.architecture.planted import ROOT, plant

CHECKS: list[Check] = [
    words.plugins,
    words.errors,
    words.settings,
    words.events,
    words.fault_points,
    words.commands,
]
ERRORS = '"""Head.\n\n    Known    known  500\n"""\nclass Known(Exception):\n    """It is."""\n    code = "known"\n'
EVENT = 'Event("a.b", "info", "It happened.", {"path": "a file"})\n'

PLANTED: list[tuple[Check, str, str, str]] = [
    (words.plugins, "analysis/rules/style/a.py", "@rules.add\nclass A(Rule):\n    name = 'a-b'\n", "A is registered"),
    (words.errors, "code/a.py", 'class Broken(ValueError):\n    """Is."""\n', "errors are declared in errors.py"),
    (words.errors, "errors.py", ERRORS + "class Bare(Known):\n    code = 'bare'\n", "Bare has no docstring"),
    (words.errors, "errors.py", ERRORS + 'class New(Known):\n    """Is."""\n    code = "x"\n', "does not show New"),
    (words.errors, "errors.py", ERRORS.replace('code = "known"', 'code = "renamed"'), "does not show Known"),
    (words.settings, "settings/tree.py", "class A(Section):\n    x: int = 1\n", "the settings A have no docstring"),
    (
        words.settings,
        "settings/tree.py",
        'class A(Section):\n    """Is."""\n    x: int = 1\n',
        "A.x has no description",
    ),
    (
        words.settings,
        "settings/tree.py",
        'class A(Section):\n    """Is."""\n    x: Annotated[int, Meta(ge=1, description="")] = 1\n',
        "A.x has no description",
    ),
    (words.events, "a.py", 'telemetry.emit("a.b", path="x")\n', "emits the undeclared event 'a.b'"),
    (words.events, "a.py", EVENT, "the event 'a.b' is never emitted"),
    (words.events, "a.py", EVENT.replace("a file", "") + 'emit("a.b")\n', "is not described"),
    (words.events, "a.py", 'Event("a.b", "info", " ")\nemit("a.b")\n', "is not described"),
    (words.fault_points, "fault.py", 'POINTS: dict[str, str] = {"a.b": "x"}\n', "'a.b' is never passed"),
    (words.fault_points, "a.py", 'fault.point("a.b")\n', "passes the undeclared fault point 'a.b'"),
    (words.commands, "cli/commands/a.py", "@click.command('a')\ndef a(): ...\n", "the command a has no help"),
    (words.commands, "cli/commands/a.py", "click.option('--fast', is_flag=True)\n", "an option has no help"),
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_repository_documents_its_words(check: Check) -> None:
    assert "\n".join(check(ROOT)) == ""


@pytest.mark.parametrize(("check", "path", "content", "what"), PLANTED)
def test_an_undocumented_word_is_caught(tmp_path: Path, check: Check, path: str, content: str, what: str) -> None:
    breaches = check(plant(tmp_path, {f"src/rubber_duck/{path}": content}))
    assert [breach for breach in breaches if what in breach], breaches
