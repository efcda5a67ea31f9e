"""The commands ask the right thing and show the answer well."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.calling import Script, call

FINDINGS: dict[str, Any] = {
    "report": "the report\n",
    "findings": 2,
    "files": 1,
    "cached": 0,
    "problems": 0,
    "by_severity": {},
    "refused": [],
    "narrowed": [],
}
CLEAN = FINDINGS | {"findings": 0}
UP: dict[str, Any] = {
    "project": "pond",
    "project_id": "01a1fb53-9b60-7426-bf40-6145c5bba96a",
    "root": "pond",
    "languages": [
        {"name": "", "title": "", "files": 1, "lines": 3},
        {"name": "python", "title": "Python", "files": 1200, "lines": 48000},
    ],
    "added": 1,
    "changed": 2,
    "removed": 0,
    "unchanged": 1198,
    "findings": 1292,
    "by_severity": {"critical": 0, "high": 2, "medium": 28, "low": 1262, "info": 0},
    "worst_rule": "sql-injection",
    "worst_file": "pond/a duck.py",
    "narrowed": [],
    "report": "the report\n",
    "html": "<!doctype html>",
}
PROJECT = {
    "id": "01a1fb53-9b60-7426-bf40-6145c5bba96a",
    "name": "pond",
    "root": "/home/d/pond",
    "present": True,
    "description": "",
    "version": 3,
    "created_at": "2026-11-20T23:38:42.912490+00:00",
    "updated_at": "2026-11-21T23:38:42.912490+00:00",
}


def test_analyze_ends_with_2_and_a_sentence_when_a_named_file_was_refused() -> None:
    done = call("analyze", "x", script=Script(CLEAN | {"refused": ["'x' could not be analysed: holds NUL bytes"]}))
    assert (done.code, done.err) == (2, "duck: error: 'x' could not be analysed: holds NUL bytes\n")


def test_analyze_asks_for_what_the_options_say() -> None:
    script = Script(CLEAN)
    options = ["--min-severity", "high", "--rule", "a-b", "--rule", "ruff/*", "--limit", "5", "--color", "always"]
    assert call("analyze", "x", "y", *options, script=script).code == 0
    assert script.asked == [
        (
            "analyze",
            {
                "paths": ["x", "y"],
                "directory": os.getcwd(),
                "format": "text",
                "min_severity": "high",
                "rules": ["a-b", "ruff/*"],
                "color": True,
                "width": 100,
                "limit": 5,
            },
        )
    ]


@pytest.mark.parametrize(("answer", "code"), [(CLEAN, 0), (FINDINGS, 1)])
def test_analyze_ends_with_1_when_there_are_findings(answer: dict[str, Any], code: int) -> None:
    outcome = call("analyze", ".", script=Script(answer))
    assert (outcome.code, outcome.out, outcome.err) == (code, "the report\n", "")


@pytest.mark.parametrize(
    ("arguments", "format_"),
    [
        ((), "text"),
        (("--format", "sarif"), "sarif"),
        (("--output", "OUT/x.sarif"), "sarif"),
        (("--output", "OUT/x.HTML"), "html"),
        (("--output", "OUT/x.json"), "json"),
        (("--output", "OUT/x.txt"), "text"),
        (("--output", "OUT/x.json", "--format", "text"), "text"),
        (("--output", "-"), "text"),
    ],
)
def test_the_form_is_the_one_named_or_that_of_the_file(
    arguments: tuple[str, ...], format_: str, tmp_path: Path
) -> None:
    script = Script(CLEAN)
    call("analyze", ".", *(each.replace("OUT", str(tmp_path)) for each in arguments), script=script)
    assert script.asked[0][1]["format"] == format_


def test_a_report_in_a_file_has_no_colours_and_is_announced(tmp_path: Path) -> None:
    script = Script(FINDINGS)
    place = tmp_path / "report.txt"
    outcome = call("analyze", ".", "-o", str(place), "--color", "always", script=script)
    assert script.asked[0][1]["color"] is False
    assert place.read_text() == "the report\n"
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"2 findings in 1 file, written to {place}\n"
    assert call("analyze", ".", "-q", "-o", str(place), script=script).err == ""


@pytest.mark.parametrize(("command", "answer"), [("analyze", FINDINGS), ("up", UP)])
def test_what_a_project_keeps_from_a_report_in_a_file_is_said_in_the_terminal(
    tmp_path: Path, command: str, answer: dict[str, Any]
) -> None:
    script = Script(answer | {"narrowed": ["Switched off by the project's duck.toml: all rules."]})
    outcome = call(command, ".", "--format", "json", "-o", str(tmp_path / "report.json"), script=script)
    assert outcome.err.splitlines()[1:] == ["Switched off by the project's duck.toml: all rules."]


@pytest.mark.parametrize(
    "arguments", [(), (".", "--min-severity", "huge"), (".", "--limit", "-1"), (".", "--format", "pdf")]
)
def test_what_analyze_cannot_do_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    outcome = call("analyze", *arguments, script=Script(CLEAN))
    assert outcome.code == 2
    assert outcome.err.startswith("duck: error: ")
    assert "Try `duck analyze --help`." in outcome.err


@pytest.mark.parametrize("limit", ["-1", "x", "1.5", "٣", "1" * 20])
def test_a_limit_is_a_whole_number(limit: str) -> None:
    outcome = call("up", ".", "--limit", limit, script=Script(UP))
    assert outcome.code == 2
    assert f"duck: error: invalid value for '--limit': '{limit}' is not a whole number of 0 or more\n" in outcome.err
    assert "--limit N " in call("up", "--help").out
    assert "0 shows\n" in call("up", "--help", COLUMNS="80").out
    assert "[default: 10]" in call("up", "--help").out


def test_the_commands_of_a_group_are_told_in_whole_sentences() -> None:
    out = call("projects", "--help", COLUMNS="60").out
    assert out.startswith("Usage: duck projects [OPTIONS] COMMAND …\n")
    remove = [
        "  remove   Remove a project, which `restore` undoes; its",
        "           folder is not touched",
    ]
    assert "\n".join(["", *remove, ""]) in out


def test_up_shows_what_there_is_what_changed_and_what_to_do_next(tmp_path: Path) -> None:
    outcome = call("up", "pond", script=Script(UP), DUCK_HOME=str(tmp_path))
    page = tmp_path / "reports/pond-c5bba96a/report.html"
    assert outcome.code == 0
    assert (
        outcome.out
        == f"""
pond
since last time: 1 added, 2 changed, 1,198 as before

language  files   lines
Python    1,200  48,000
other         1       3

the report

The whole report        {page}
All 1,292 findings      duck analyze pond
The 30 medium or worse  duck analyze pond --min-severity medium
What a rule means       duck rules sql-injection
What a file defines     duck outline 'pond/a duck.py'
"""
    )
    assert page.read_text() == "<!doctype html>"
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.parent.stat().st_mode & 0o777 == 0o700


def _steps(answer: dict[str, Any], *options: str, program: str = "duck", home: Path) -> list[str]:
    """What `up` says can be done next, without the report's page."""
    out = call("up", "pond", *options, script=Script(answer), program=program, DUCK_HOME=str(home)).out
    return [" ".join(line.split()) for line in out.split("The whole report")[1].splitlines()[1:]]


def test_what_to_do_next_can_be_pasted(tmp_path: Path) -> None:
    assert _steps(UP, program=".venv/bin/duck", home=tmp_path) == [
        "All 1,292 findings .venv/bin/duck analyze pond",
        "The 30 medium or worse .venv/bin/duck analyze pond --min-severity medium",
        "What a rule means .venv/bin/duck rules sql-injection",
        "What a file defines .venv/bin/duck outline 'pond/a duck.py'",
    ]


def test_what_was_shown_already_is_not_offered_again(tmp_path: Path) -> None:
    rest = ["What a rule means duck rules sql-injection", "What a file defines duck outline 'pond/a duck.py'"]
    few = UP | {"findings": 2, "by_severity": {"medium": 1, "low": 1}}
    assert _steps(few, home=tmp_path) == rest
    assert _steps(UP, "--limit", "0", home=tmp_path) == rest
    severe = UP | {"by_severity": {"high": 1292}}
    assert _steps(severe, home=tmp_path) == ["All 1,292 findings duck analyze pond", *rest]
    none = UP | {"findings": 0, "by_severity": {}, "worst_rule": "", "worst_file": ""}
    assert _steps(none, home=tmp_path) == [
        "What the rules are duck rules",
        "What a file defines duck outline pond/FILE",
    ]


@pytest.mark.parametrize(("root", "title"), [(".", "pond"), ("pond", "pond"), ("/home/d/pond", "pond /home/d/pond")])
def test_a_project_is_called_by_name_and_place(root: str, title: str, tmp_path: Path) -> None:
    assert call("up", "x", script=Script(UP | {"root": root}), DUCK_HOME=str(tmp_path)).out.startswith(f"\n{title}\n")


def test_the_first_time_and_an_unchanged_project_are_said(tmp_path: Path) -> None:
    first = UP | {"added": 1, "changed": 0, "unchanged": 0}
    same = UP | {"added": 0, "changed": 0}
    home = str(tmp_path)
    assert "\nopened for the first time, 1 file\n" in call("up", ".", script=Script(first), DUCK_HOME=home).out
    assert (
        "\nsince last time: nothing has changed, 1,198 as before\n"
        in call("up", ".", script=Script(same), DUCK_HOME=home).out
    )


def test_a_strange_project_name_stays_inside_the_reports(tmp_path: Path) -> None:
    strange = UP | {"project": "../../a b/\udcff"}
    call("up", ".", script=Script(strange), DUCK_HOME=str(tmp_path))
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["a-b-c5bba96a"]


def test_up_writes_where_it_is_told(tmp_path: Path) -> None:
    call("up", ".", "--output", str(tmp_path), script=Script(UP), DUCK_HOME=str(tmp_path / "home"))
    assert (tmp_path / "report.html").read_text() == "<!doctype html>"
    place = tmp_path / "x.sarif"
    outcome = call(
        "up", ".", "--format", "sarif", "-o", str(place), script=Script(UP), DUCK_HOME=str(tmp_path / "home")
    )
    assert place.read_text() == "the report\n"
    assert outcome.err == f"1,292 findings, written to {place}\n"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("options", [("--format", "json"), ()])
def test_up_writes_to_the_terminal_when_it_is_told(options: tuple[str, ...], tmp_path: Path) -> None:
    told = call("up", "a", *options, "-o", "-", script=Script(UP), DUCK_HOME=str(tmp_path), PWD=str(tmp_path))
    assert told.out == call("up", "a", *options, script=Script(UP), DUCK_HOME=str(tmp_path)).out
    assert not os.path.exists("-")


def test_the_name_of_a_report_cannot_move_a_terminal(tmp_path: Path) -> None:
    for command, answer in (("up", UP), ("analyze", FINDINGS)):
        place = tmp_path / "\x1b[31m\n.json"
        outcome = call(command, ".", "--format", "json", "-o", str(place), script=Script(answer))
        assert outcome.err.splitlines()[0].endswith(f"written to {tmp_path}/\\x1b[31m\\n.json")


def test_the_name_of_a_project_is_on_one_line(tmp_path: Path) -> None:
    strange = UP | {"project": "a\nb\t\x1b", "root": "c\nd"}
    outcome = call("up", ".", script=Script(strange), DUCK_HOME=str(tmp_path))
    assert outcome.out.startswith("\na\\nb\\t\\x1b c\\nd\n")
    assert "duck analyze $'c\\012d'\n" in outcome.out
    same = UP | {"project": r"c\nd", "root": "c\nd"}
    assert call("up", ".", script=Script(same), DUCK_HOME=str(tmp_path)).out.startswith("\nc\\nd\n")


def test_quiet_up_is_the_report_alone(tmp_path: Path) -> None:
    assert call("up", ".", "-q", script=Script(UP), DUCK_HOME=str(tmp_path)).out == "the report\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x.xyz",), "it is text: .xyz is none of .json, .sarif, .html, .htm\n"),
        (("x.xyz", "--format", "text"), ""),
        (("x.txt",), ""),
        (("x",), ""),
    ],
)
def test_a_suffix_that_says_nothing_of_the_form_is_noted(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    output, *more = arguments
    done = call("analyze", ".", "-o", str(tmp_path / output), *more, script=Script(CLEAN))
    assert done.err.partition("written to")[2].partition("\n")[2] == said


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (("show", "p"), {"type": "show", "project": "p", "directory": os.getcwd()}),
        (("list", "--removed"), {"type": "list", "removed": True}),
        (("rename", "p", "q"), {"type": "rename", "project": "p", "directory": os.getcwd(), "name": "q"}),
        (("remove", "p"), {"type": "remove", "project": "p", "directory": os.getcwd()}),
        (("restore", "p"), {"type": "restore", "project": "p", "directory": os.getcwd()}),
        (("purge", "p", "--yes"), {"type": "purge", "project": "p", "directory": os.getcwd()}),
        (
            ("add", "x", "--name", "n"),
            {"type": "add", "root": "x", "name": "n", "description": "", "directory": os.getcwd()},
        ),
    ],
)
def test_projects_asks_for_what_was_said(arguments: tuple[str, ...], request_: dict[str, Any]) -> None:
    script = Script({"projects": [PROJECT]})
    assert call("projects", *arguments, script=script).code == 0
    assert script.asked == [("projects", request_)]
    assert json.loads(call("projects", *arguments, "--json", script=script).out) == {"projects": [PROJECT]}


def test_projects_are_listed_as_a_table() -> None:
    gone = PROJECT | {"name": "lake", "present": False}
    assert call("projects", "list", script=Script({"projects": [gone, PROJECT]})).out == (
        "project  folder                             changed\n"
        "lake     /home/d/pond (not there any more)  2026-11-21\n"
        "pond     /home/d/pond                       2026-11-21\n"
    )
    removed = PROJECT | {"removed_at": "2026-11-22T23:38:42+00:00"}
    assert call("projects", "list", "--removed", script=Script({"projects": [removed]})).out == (
        f"project  folder        removed     id\npond     /home/d/pond  2026-11-22  {PROJECT['id']}\n"
    )
    none = call("projects", "list", script=Script({"projects": []}))
    assert (none.out, none.err) == ("", "no project is open; `duck up FOLDER` opens one\n")


def test_what_was_removed_says_how_it_comes_back() -> None:
    script = Script({"projects": [PROJECT]})
    assert call("projects", "remove", "p", script=script, program=".venv/bin/duck").out == (
        f"pond is removed; `.venv/bin/duck projects restore {PROJECT['id']}` brings it back\n"
    )


def test_a_project_is_shown_with_its_files_by_language() -> None:
    files = [{"language": "python", "title": "Python", "files": 1200}, {"language": "", "title": "", "files": 1}]
    shown = call("projects", "show", "pond", script=Script({"projects": [PROJECT | {"files": files}]})).out
    assert "\nfiles    1,200 Python, 1 other\n" in shown


def test_nothing_is_forgotten_without_being_asked() -> None:
    script = Script({"projects": [PROJECT]})
    outcome = call("projects", "purge", "p", script=script)
    assert (outcome.code, script.asked) == (2, [])
    assert outcome.err == "duck: error: nobody is there to be asked: say --yes to forget a project for good\n"
