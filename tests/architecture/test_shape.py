"""Sizes, names, opening sentences and `__all__`, in the repository and in planted breaches."""

from pathlib import Path

import pytest

from tests.architecture.checks import shape
from tests.architecture.checks.law import Check
from tests.architecture.planted import ROOT, plant

OPENING = '"""Says what it is for."""\n'
FUNCTION = "def f():\n" + "    x = 1\n" * 60

PLANTED: list[tuple[Check, str, str, str]] = [
    (shape.sizes, "src/rubber_duck/a.py", OPENING + "x = 1\n" * 400, "has 401 lines; the limit is 400"),
    (shape.sizes, "src/rubber_duck/a/__init__.py", OPENING + "x = 1\n" * 40, "has 41 lines; the limit is 40"),
    (shape.sizes, "tests/unit/test_a.py", FUNCTION, "f has 61 lines; the limit is 60"),
    (shape.sizes, "benchmarks/a.py", "class A:\n    async " + FUNCTION.replace("    x", "        x"), "f has 61 lines"),
    (shape.names, "src/rubber_duck/file_utils.py", "", "the banned word 'utils'"),
    (shape.names, "src/rubber_duck/core/__init__.py", "", "the banned word 'core'"),
    (shape.names, "src/rubber_duck/a.py", "class HTTPHandler: ...", "the banned word 'Handler'"),
    (shape.names, "src/rubber_duck/a.py", "class Outer:\n    class _BaseRule: ...", "the banned word 'Base'"),
    (shape.openings, "src/rubber_duck/a.py", "x = 1\n", "does not open with a sentence"),
    (shape.openings, "src/rubber_duck/a.py", '"""Things"""\n', "does not open with a sentence"),
    (shape.openings, "src/rubber_duck/a.py", OPENING + "def f(): ...\n", "f is public and has no docstring"),
    (shape.openings, "src/rubber_duck/a.py", OPENING + "class A: ...\n", "A is public and has no docstring"),
    (shape.exports, "src/rubber_duck/a.py", '__all__ = ["gone"]\n', "lists 'gone', which does not exist"),
    (shape.exports, "src/rubber_duck/a.py", 'x = 1\n__all__ = ["x", "x"]\n', "lists 'x' twice"),
    (shape.exports, "src/rubber_duck/a/__init__.py", "from rubber_duck.b import B\n", "without an `__all__`"),
    (
        shape.exports,
        "src/rubber_duck/a/__init__.py",
        'from rubber_duck.b import B, C\n__all__ = ["B"]\n',
        "does not list 'C'",
    ),
]


@pytest.mark.parametrize("check", [shape.sizes, shape.names, shape.openings, shape.exports])
def test_the_repository_is_in_shape(check: Check) -> None:
    assert "\n".join(check(ROOT)) == ""


@pytest.mark.parametrize(("check", "path", "content", "what"), PLANTED)
def test_what_is_out_of_shape_is_caught(tmp_path: Path, check: Check, path: str, content: str, what: str) -> None:
    (breach,) = check(plant(tmp_path, {path: content}))
    assert breach.startswith(path)
    assert what in breach


def test_words_that_only_contain_a_banned_one_are_allowed(tmp_path: Path) -> None:
    plant(tmp_path, {"src/rubber_duck/database.py": "class Handled: ...\nclass Scores: ...\nclass Informed: ...\n"})
    assert shape.names(tmp_path) == []
