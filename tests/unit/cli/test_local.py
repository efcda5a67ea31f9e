"""The commands about this installation tell the truth, and work when the application cannot be opened."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import msgspec
import pytest

from rubber_duck.settings import Settings, load, public
from rubber_duck.settings.tree import Section
from tests.unit.cli.calling import Script, call


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with a duck.toml."""
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home/duck.toml").write_text(
        '[database]\nurl = "postgresql://duck:hush@h/d"\n\n[log]\nlevel = "info"\n\n'
        "[analysis.rules.complex-function]\nmax_complexity = 20\n\n"
        '[[analysis.per_path]]\npath = "t/"\nignore = ["x-y"]\n'
    )
    return tmp_path / "home"


def test_settings_are_shown_as_toml_that_reads_back(home: Path) -> None:
    outcome = call("config", "show", DUCK_HOME=str(home), DUCK_WORKERS_COUNT="3")
    read = tomllib.loads(outcome.out)
    expected = public(load({"DUCK_HOME": str(home), "DUCK_WORKERS_COUNT": "3"}))
    del expected["home"]
    assert outcome.code == 0
    assert read == json.loads(json.dumps(expected))


def test_what_nobody_has_set_is_shown_too_and_can_be_added_to(tmp_path: Path) -> None:
    shown = call("config", "show", DUCK_HOME=str(tmp_path)).out
    headings = [line.split("  ")[0] for line in shown.splitlines() if line.startswith("[")]
    sections = [each.encode_name for each in msgspec.structs.fields(Settings) if isinstance(each.default, Section)]
    assert [each for each in headings if "." not in each] == [f"[{name}]" for name in sections] + ["[engines]"]
    assert {"[analysis.rules]", "[workflows.queues]", "[workflows.schedules]"} <= set(headings)
    assert f"\n{'[analysis.rules]':<44}  # nothing is set here\n" in shown
    (tmp_path / "duck.toml").write_text(shown + "[analysis.rules.complex-function]\nmax_complexity = 9\n")
    assert load({"DUCK_HOME": str(tmp_path)}).analysis.rules == {"complex-function": {"max_complexity": 9}}


def test_settings_say_where_they_come_from(home: Path) -> None:
    lines = call("config", "show", DUCK_HOME=str(home), DUCK_WORKERS_COUNT="3", DUCK_PROFILE="test").out.splitlines()
    said = {
        line.split(" = ")[0]: line.partition("# ")[2]
        for line in reversed(lines)  # of two tables with one key, the first counts
        if " = " in line and not line.startswith("#")
    }
    assert said["count"] == "DUCK_WORKERS_COUNT"
    assert said["url"] == "duck.toml"
    assert said["profile"] == "DUCK_PROFILE"
    assert said["pool_min"] == ""
    assert said["max_complexity"] == "duck.toml"


def test_no_secret_is_shown(home: Path) -> None:
    for arguments in (("config", "show"), ("config", "show", "--json")):
        outcome = call(*arguments, DUCK_HOME=str(home))
        assert "hush" not in outcome.out + outcome.err
        assert "***" in outcome.out


def test_good_settings_pass_the_check(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/duck.toml").write_text("[analysis]\nruff = false\n")
    outcome = call("config", "check", str(tmp_path / "project"), DUCK_HOME=str(tmp_path))
    assert outcome.code == 0
    assert outcome.out == (
        f"✓ no {tmp_path}/duck.toml: defaults and DUCK_ variables hold\n✓ {tmp_path}/project/duck.toml\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[analysis\n", "not valid TOML"),
        ("[analysys]\n", "did you mean 'analysis'?"),
        ("[database]\nurl = 'x'\n", "a project's own duck.toml may set only"),
        ("[analysis]\nselect = ['no-such-rule']\n", "there is no rule 'no-such-rule'"),
        ("[analysis.rules.complex-function]\nmax_complexety = 1\n", "did you mean 'max_complexity'?"),
        ("[analysis.rules.complex-function]\nmax_complexity = true\n", "is true; write a whole number such as 20\n"),
    ],
)
def test_a_bad_duck_toml_of_a_project_is_a_sentence(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text(content)
    outcome = call("config", "check", str(tmp_path), DUCK_HOME=str(tmp_path / "home"))
    assert outcome.code == 2
    assert said in outcome.err
    assert f"{tmp_path}/duck.toml" in outcome.err or "[analysis] of duck.toml" in outcome.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[engines.analize]\nx = 1\n", "did you mean 'analyze'?"),
        ("[engines.analyze]\nx = 1\n", "no setting 'engines.analyze.x'"),
    ],
)
def test_settings_of_engines_are_checked_too(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text(content)
    outcome = call("config", "check", DUCK_HOME=str(tmp_path))
    assert outcome.code == 2
    assert said in outcome.err


def test_migrating_twice_does_it_once(tmp_path: Path) -> None:
    first = call("migrate", DUCK_HOME=str(tmp_path))
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith(f"sqlite:///{tmp_path}/duck.db now has schema ")
    assert call("migrate", DUCK_HOME=str(tmp_path)).out.endswith("already\n")


def test_seeding_writes_examples_and_opens_each(tmp_path: Path) -> None:
    script = Script({"project": "x", "findings": 3, "languages": [{"files": 4}, {"files": 1}]})
    outcome = call("migrate", "--seed", script=script, DUCK_HOME=str(tmp_path))
    roots = [tmp_path / "examples" / name for name in ("pond", "feeder", "flock")]
    assert outcome.out.splitlines()[1:] == [f"the project 'x' is open, 5 files, 3 findings: {root}" for root in roots]
    assert script.asked == [("up", {"path": str(root), "directory": os.getcwd()}) for root in roots]
    assert {path.suffix for root in roots for path in root.rglob("*") if path.is_file()} >= {
        ".py", ".js", ".ts", ".tsx", ".ex", ".exs", ".md", ".toml",
    }  # fmt: skip


def test_seeding_again_keeps_what_was_changed(tmp_path: Path) -> None:
    script = Script({"project": "x", "findings": 3, "languages": []})
    call("migrate", "--seed", script=script, DUCK_HOME=str(tmp_path))
    (tmp_path / "examples/pond/pond/duck.py").write_text("mine")
    assert call("migrate", "--seed", script=script, DUCK_HOME=str(tmp_path)).code == 0
    assert (tmp_path / "examples/pond/pond/duck.py").read_text() == "mine"


def test_a_folder_with_something_else_in_it_is_not_filled(tmp_path: Path) -> None:
    (tmp_path / "examples/flock").mkdir(parents=True)
    (tmp_path / "examples/flock/mine.txt").write_text("")
    outcome = call("migrate", "--seed", script=Script({}), DUCK_HOME=str(tmp_path))
    assert outcome.code == 2
    assert f"'{tmp_path}/examples/flock' holds something else; move it away to get the example there" in outcome.err
    assert [path.name for path in (tmp_path / "examples").iterdir()] == ["flock"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_completion_script_for_each_shell(shell: str) -> None:
    outcome = call("completion", shell)
    assert outcome.code == 0
    assert f"_DUCK_COMPLETE={shell}_complete" in outcome.out


def test_all_versions_are_shown_on_request() -> None:
    lines = call("version", "--all").out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "duck", "python", "click", "rich", "msgspec", "sqlalchemy", "tree-sitter", "ruff",
    ]  # fmt: skip
