"""A project's own duck.toml silences nothing without a word, in any form of the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.factories import write_tree
from tests.integration.duck import duck

CODE = "import os\n\n\ndef run(text):\n    return eval(text)\n"
ALL = "Switched off by the project's duck.toml: all rules. Not shown for it: 2 findings."
CAVEAT = "No findings in 1 file, rules narrowed by the project's duck.toml"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('ignore = ["*"]', ALL),
        ('select = ["unless-with-else"]', "Switched off by the project's duck.toml: "),
        ('min_severity = "critical"', "Narrowed by the project's duck.toml: nothing below critical."),
        ('ruff = false\nignore = ["unsafe-eval"]', "Switched off by the project's duck.toml: unsafe-eval, ruff/*."),
        ('per_path = [{ path = "*.py", ignore = ["*"] }]', "Narrowed by the project's duck.toml: *.py without *."),
    ],
)
@pytest.mark.parametrize("command", ["analyze", "up"])
def test_what_a_project_silences_is_said_and_is_no_all_clear(
    tmp_path: Path, command: str, settings: str, said: str
) -> None:
    project = write_tree(tmp_path / "p", {"a.py": CODE, "duck.toml": f"[analysis]\n{settings}\n"})
    done = duck(command, ".", home=tmp_path / "home", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{said}" in done.stdout
    assert CAVEAT in done.stdout.splitlines()
    assert "nothing to quack about" not in done.stdout


@pytest.mark.parametrize("command", ["analyze", "up"])
@pytest.mark.parametrize("form", ["json", "sarif", "html"])
def test_every_form_of_the_report_says_it_and_so_does_the_terminal(tmp_path: Path, command: str, form: str) -> None:
    project = write_tree(tmp_path / "p", {"a.py": CODE, "duck.toml": '[analysis]\nignore = ["*"]\n'})
    page = tmp_path / f"report.{form}"
    done = duck(command, ".", "--format", form, "--output", str(page), home=tmp_path / "home", cwd=project)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, ALL)
    text = page.read_text()
    match form:
        case "json":
            narrowing = json.loads(text)["narrowing"]
            assert {"unsafe-eval", "ruff/*"} <= set(narrowing["off"])
            assert (narrowing["is_total"], narrowing["withheld"]) == (True, 2)
        case "sarif":
            [told] = json.loads(text)["runs"][0]["invocations"][0]["toolConfigurationNotifications"]
            assert (told["message"]["text"], "unsafe-eval" in told["properties"]["off"]) == (ALL, True)
        case _:
            assert ALL in text
            assert "nothing to quack about" not in text


def test_what_the_reader_has_set_is_the_readers_own_doing(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": CODE})
    write_tree(tmp_path / "home", {"duck.toml": '[analysis]\nignore = ["*"]\n'})
    done = duck("analyze", ".", home=tmp_path / "home", cwd=project)
    assert done.stdout == "No findings in 1 file: nothing to quack about\n"


def test_what_a_variable_sets_no_project_can_silence(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "p", {"a.py": CODE, "duck.toml": '[analysis]\nignore = ["*"]\n'})
    done = duck("analyze", ".", home=tmp_path / "home", cwd=project, DUCK_ANALYSIS_IGNORE="")
    assert (done.returncode, "duck.toml" in done.stdout) == (1, False)
