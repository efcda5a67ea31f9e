"""The command line as it is installed: completion, plug-ins, a zip, and the main job from end to end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import rubber_duck
from tests.integration.duck import COMMAND, duck, environment

PLUGIN = '''
"""Shout."""

from msgspec import Struct

from rubber_duck.engines.engine import Engine
from rubber_duck.scope import Right


class ShoutRequest(Struct):
    """What to shout."""

    text: str = "quack"


class ShoutAnswer(Struct):
    """What was shouted."""

    text: str


class Shout(Engine):
    """Shout something."""

    name = "shout"
    request = ShoutRequest
    answer = ShoutAnswer
    right = Right.CATALOG_READ

    async def run(self, request, call):
        return ShoutAnswer(request.text.upper())
'''


def _install(folder: Path, source: str) -> None:
    """What an installer does with a distribution of one module and one entry point."""
    (folder / "duck_shout.py").write_text(source)
    metadata = folder / "duck_shout-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: duck-shout\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[rubber_duck.engines]\nshout = duck_shout:Shout\n")


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder in which distributions are found."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def test_an_engine_of_a_plug_in_has_a_command(plugins: Path, tmp_path: Path) -> None:
    _install(plugins, PLUGIN)
    home = tmp_path / "home"
    assert (
        "From plug-ins:\n  shout       From duck_shout 1.0\n" in duck("-h", home=home, PYTHONPATH=str(plugins)).stdout
    )
    assert duck("shout", "--text", "hi", home=home, PYTHONPATH=str(plugins)).stdout == "HI\n"


def test_a_broken_plug_in_is_named_and_the_help_still_works(plugins: Path, tmp_path: Path) -> None:
    _install(plugins, "raise ValueError('not today')\n")
    home = tmp_path / "home"
    done = duck("shout", home=home, PYTHONPATH=str(plugins))
    assert done.returncode == 2
    assert done.stderr.startswith("duck: error: the engine 'shout' of duck-shout 1.0 is left out: ")
    assert done.stderr.count("\n") == 1
    assert duck("--help", home=home, PYTHONPATH=str(plugins)).returncode == 0


def test_the_commands_of_a_zip_are_those_of_the_folder(tmp_path: Path) -> None:
    [package] = rubber_duck.__path__
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", Path(package).parent, "rubber_duck")
    home = tmp_path / "home"
    zipped = subprocess.run(
        [*COMMAND, "--help"], env=environment(home, PYTHONPATH=archive), capture_output=True, text=True, check=False
    )
    assert zipped.stderr == ""
    assert zipped.stdout == duck("--help", home=home).stdout


def _complete(words: str, shell: str, home: Path) -> str:
    count = len(words.split()) if words.endswith(" ") else len(words.split()) - 1
    asked = {"_DUCK_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    if shell == "fish":
        asked["COMP_CWORD"] = words.rpartition(" ")[2]
    return duck(home=home, **asked).stdout


def test_commands_options_and_values_are_completed(tmp_path: Path) -> None:
    assert _complete("duck ana", "bash", tmp_path) == "plain,analyze\n"
    assert "--min-severity" in _complete("duck analyze --min", "zsh", tmp_path)
    assert "critical" in _complete("duck analyze . --min-severity c", "fish", tmp_path)
    assert "rename" in _complete("duck projects re", "zsh", tmp_path)


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    launcher = tmp_path / "bin/duck"
    launcher.write_text(f'#!/bin/sh\nexec {COMMAND[0]} -P -m rubber_duck "$@"\n')
    launcher.chmod(0o755)
    words = "COMP_WORDS=(duck do); COMP_CWORD=1"
    script = f'eval "$(duck completion bash)"; {words}; _duck_completion duck; echo "${{COMPREPLY[@]}}"'
    more = environment(tmp_path / "home", PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    done = subprocess.run(["bash", "-c", script], env=more, capture_output=True, text=True, check=False)
    assert done.stdout == "doctor\n", done.stderr


def test_the_main_job_keeps_what_it_found(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "pond"
    project.mkdir()
    (project / "a.py").write_text("def f(a):\n    return eval(a)\n")
    (project / "b.ts").write_text("export const f = (a: string) => eval(a)\n")
    first = duck("up", "pond", home=home, cwd=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert "opened for the first time, 2 files" in first.stdout
    (project / "a.py").write_text("def f(a):\n    return a\n")
    (project / "c.ex").write_text("defmodule C do\nend\n")
    second = duck("up", "pond", home=home, cwd=tmp_path)
    assert "since last time: 1 added, 1 changed, 1 as before" in second.stdout
    assert "a.py" not in second.stdout
    listed = json.loads(duck("projects", "list", "--json", home=home).stdout)
    assert [each["name"] for each in listed["projects"]] == ["pond"]
    [page] = (home / "reports").rglob("report.html")
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in project.iterdir()) == ["a.py", "b.ts", "c.ex"]


def test_what_can_be_done_next_works_when_it_is_pasted(tmp_path: Path) -> None:
    (tmp_path / "a pond").mkdir()
    (tmp_path / "a pond/a.py").write_text("import os\ndef f(a):\n    return eval(a)\n")
    home = tmp_path / "home"
    out = duck("up", "a pond", "--limit", "1", home=home, cwd=tmp_path).stdout
    steps = [line.partition("  ")[2].strip() for line in out.split("The whole report")[1].splitlines()[1:]]
    assert [step.split("duck ")[1] for step in steps] == [
        "analyze 'a pond'",
        "analyze 'a pond' --min-severity medium",
        "rules unsafe-eval",
        "outline 'a pond/a.py'",
    ]
    for step, code in zip(steps, (1, 1, 0, 0), strict=True):
        done = subprocess.run(
            step, shell=True, cwd=tmp_path, env=environment(home), capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (code, ""), step


def test_analyze_says_by_its_exit_code_what_it_found(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "a.py").write_text("def f(a):\n    return eval(a)\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    assert duck("analyze", "a.py", home=home, cwd=tmp_path).returncode == 1
    assert duck("analyze", "b.py", home=home, cwd=tmp_path).returncode == 0
    assert duck("analyze", "a.py", "--min-severity", "critical", home=home, cwd=tmp_path).returncode == 0
    assert duck("analyze", "a.py", "--rule", "complex-function", home=home, cwd=tmp_path).returncode == 0


def test_analyze_needs_no_database(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("x = 1\n")
    done = duck("analyze", "b.py", home=tmp_path / "home", cwd=tmp_path, DUCK_DATABASE_URL="postgresql://127.0.0.1:1/d")
    assert (done.returncode, done.stderr) == (0, "")
