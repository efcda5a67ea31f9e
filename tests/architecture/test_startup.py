"""What commands import before they work, in the repository and in planted breaches."""

from pathlib import Path

import pytest

from tests.architecture.checks import startup
from tests.architecture.checks.law import Check
from tests.architecture.planted import ROOT, plant

MAIN = {"src/rubber_duck/__init__.py": "", "src/rubber_duck/__main__.py": "import rubber_duck.cli.main\n"}
CLI = {"src/rubber_duck/cli/__init__.py": "", "src/rubber_duck/app.py": "", "src/rubber_duck/cli/main.py": ""}


@pytest.mark.parametrize("check", [startup.package, startup.command_help, startup.analyze])
def test_the_repository_imports_lazily(check: Check) -> None:
    assert "\n".join(check(ROOT)) == ""


@pytest.mark.parametrize(
    ("check", "planted", "loaded"),
    [
        (startup.package, {"src/rubber_duck/__init__.py": "import rubber_duck.app\n"}, "rubber_duck.app"),
        (startup.command_help, {"src/rubber_duck/cli/main.py": "import rubber_duck.app\n"}, "rubber_duck.app"),
        (startup.command_help, {"src/rubber_duck/cli/main.py": "import rich\n"}, "rich"),
        (startup.command_help, {"src/rubber_duck/cli/main.py": "raise SystemExit(2)\n"}, "exit status 2"),
        (startup.analyze, {"src/rubber_duck/cli/main.py": "import sqlalchemy\n"}, "sqlalchemy"),
    ],
)
def test_an_eager_import_is_caught(tmp_path: Path, check: Check, planted: dict[str, str], loaded: str) -> None:
    breaches = check(plant(tmp_path, MAIN | CLI | planted))
    assert [breach for breach in breaches if loaded in breach], breaches
