"""Every check of the architecture looks at the repository and has a planted breach."""

import ast
from pathlib import Path

from tests.architecture.checks.tree import modules
from tests.architecture.planted import ROOT, plant

CHECK = "def check(root: Path) -> list[Breach]: ..."


def unplanted(root: Path) -> list[str]:
    """Checks that the tests name less than twice: once for the repository, once for a breach."""
    tests = "".join(path.read_text() for path in sorted((root / "tests/architecture").glob("test_*.py")))
    return [
        f"{module.path}: {node.name}"
        for module in modules(root, "tests/architecture/checks")
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if node.returns is not None and ast.unparse(node.returns) == "list[Breach]"
        if tests.count(f"{module.name.rpartition('.')[2]}.{node.name}") < 2
    ]


def test_every_check_is_tried_on_the_repository_and_on_a_breach() -> None:
    assert unplanted(ROOT) == []


def test_a_check_without_a_planted_breach_is_caught(tmp_path: Path) -> None:
    tests = "def test_it() -> None:\n    assert shape.check(ROOT) == []\n"
    plant(tmp_path, {"tests/architecture/checks/shape.py": CHECK, "tests/architecture/test_shape.py": tests})
    assert unplanted(tmp_path) == ["tests/architecture/checks/shape.py: check"]
