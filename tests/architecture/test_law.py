"""The import law holds, without exceptions, and is drawn as it is."""

from pathlib import Path

import pytest

from tests.architecture.checks import law
from tests.architecture.planted import ROOT, lawful, plant

DRAWING = "```law\ncli   # a face\nerrors\n```\n"
CONTRACT = "[importlinter:contract:floors]\ntype = layers\nlayers =\n    __main__\n    cli\n    {}\n"


@pytest.mark.parametrize("check", [law.contracts, law.exceptions, law.libraries, law.protocol, law.drawing])
def test_the_repository_keeps_the_law(check: law.Check) -> None:
    assert "\n".join(check(ROOT)) == ""


def test_a_lawful_folder_passes(tmp_path: Path) -> None:
    assert law.contracts(lawful(tmp_path)) == []


def test_a_stray_package_is_caught(tmp_path: Path) -> None:
    plant(lawful(tmp_path), {"src/rubber_duck/attic.py": ""})
    (breach,) = law.contracts(tmp_path)
    assert "attic" in breach


@pytest.mark.parametrize(
    ("path", "content", "contract"),
    [
        ("errors/extra.py", "import rubber_duck.storage", "A module imports only from lower floors"),
        ("storage/extra.py", "import rubber_duck.egress", "A module imports only from lower floors"),
        ("backoff/extra.py", "import rubber_duck.fault", "A module imports only from lower floors"),
        ("code/extra.py", "def later():\n    import rubber_duck.app", "A module imports only from lower floors"),
        ("analysis/rules/extra.py", "import rubber_duck.workspace", "A rule knows syntax"),
        ("cli/extra.py", "import sqlalchemy", "SQL only in storage"),
        ("code/extra.py", "import sqlalchemy", "SQL only in storage"),
        ("code/extra.py", "import sqlite3", "Database drivers"),
        ("analysis/extra.py", "from tree_sitter import Node", "Syntax trees only in code"),
        ("app/extra.py", "import structlog", "Logs and spans only through telemetry"),
        ("app/extra.py", "import click", "The command line only in cli"),
        ("app/extra.py", "import rich", "Rendering only in cli"),
        ("analysis/extra.py", "import multiprocessing", "Worker processes"),
        ("scope/extra.py", "import msgspec", "Decoding only at the edges"),
    ],
)
def test_an_import_against_the_law_is_caught(tmp_path: Path, path: str, content: str, contract: str) -> None:
    plant(lawful(tmp_path), {f"src/rubber_duck/{path}": content})
    (breach,) = law.contracts(tmp_path)
    assert any(line.startswith(contract) and "BROKEN" in line for line in breach.splitlines()), breach


def test_a_cycle_inside_a_package_is_caught(tmp_path: Path) -> None:
    files = {"code/first.py": "import rubber_duck.code.second", "code/second.py": "import rubber_duck.code.first"}
    plant(lawful(tmp_path), {f"src/rubber_duck/{name}": content for name, content in files.items()})
    (breach,) = law.contracts(tmp_path)
    assert any(line.startswith("No cycles") and "BROKEN" in line for line in breach.splitlines()), breach


def test_an_exception_to_the_law_is_caught(tmp_path: Path) -> None:
    plant(tmp_path, {".importlinter": CONTRACT.format("errors") + "ignore_imports =\n    a -> b\n"})
    assert len(law.exceptions(tmp_path)) == 1


def test_a_library_that_no_contract_names_is_caught(tmp_path: Path) -> None:
    plant(tmp_path, {".importlinter": "", "src/rubber_duck/cli/x.py": "def f():\n    import requests.sessions\n"})
    assert law.libraries(tmp_path) == [
        "src/rubber_duck/cli/x.py:2: imports requests.sessions; say in .importlinter who may"
    ]


@pytest.mark.parametrize(
    "line",
    ["from rubber_duck.app import App", "import rubber_duck.analysis.finding", "from rubber_duck.cli import local"],
)
def test_a_command_that_knows_more_than_the_protocol_is_caught(tmp_path: Path, line: str) -> None:
    plant(tmp_path, {"src/rubber_duck/cli/commands/x.py": f"from rubber_duck.cli.connection import run\n{line}\n"})
    assert len(law.protocol(tmp_path)) == 1


@pytest.mark.parametrize("floor", ["errors\n    storage", "storage", "(errors)", "errors | storage"])
def test_a_drawing_that_differs_is_caught(tmp_path: Path, floor: str) -> None:
    plant(tmp_path, {"docs/architecture.md": DRAWING, ".importlinter": CONTRACT.format(floor)})
    assert len(law.drawing(tmp_path)) == 1
