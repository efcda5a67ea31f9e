"""Tell what a change touches, how risky it is, and which tests to run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command, Count
from rubber_duck.cli.files import read_text
from rubber_duck.cli.invocation import current

_OF_GIT: Final = ""
_LIMIT_BYTES: Final = 50_000_000
_STYLES: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}


@click.command(cls=Command, name="impact")
@click.argument(
    "paths",
    nargs=-1,
    type=click.Path(),
    metavar="FILE …",
    help="What changes: FILE, FILE:LINE or FILE:FIRST-LAST.",
)
@click.option(
    "--diff",
    is_flag=False,
    flag_value=_OF_GIT,
    type=click.Path(),
    metavar="[FILE]",
    help="A unified diff instead; `-` is standard input, without FILE it is what git says is not committed.",
)
@click.option("--tests", "only_tests", is_flag=True, help="Only the names of the tests to run, one a line.")
@click.option("--limit", type=Count(), default=10, metavar="N", show_default=True, help="Show N of each; 0 shows all.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: everything, with every reason.")
def command(paths: tuple[str, ...], diff: str | None, only_tests: bool, limit: int, as_json: bool) -> None:
    """Tell what a change touches, how risky it is, and which tests to run.

    With neither FILE nor --diff it is what git says is not committed. Tests come with the reasons for running them:
    what they call, name or load, what they ran when coverage was recorded (`pytest --cov-context=test`), and what was
    changed together before.
    """
    request: dict[str, Any] = {"paths": list(paths), "directory": os.getcwd()}
    if diff:
        request["diff"] = read_text(diff, _LIMIT_BYTES)
    answer = ask("impact", request)
    if as_json:
        drawing.machine(answer)
    elif only_tests:
        for test in answer["tests"]:
            terminal.write(terminal.printable(test["name"]) + "\n")
    else:
        _show(answer, limit or None)
    if not current().quiet and not as_json:
        for note in answer["notes"]:
            terminal.note(terminal.printable(note))
        for path in answer["unknown"]:
            terminal.note(
                f"nothing is known of {terminal.printable(path)}: it is ignored, in no known language, or gone"
            )


def _show(answer: dict[str, Any], limit: int | None) -> None:
    risk = answer["risk"]
    changed = terminal.counted(len(answer["changed"]), "definition")
    files = terminal.counted(len({each["path"] for each in answer["changed"]}), "file")
    said = f"{changed} changed in {files}" if answer["changed"] else "no code changed that is known"
    drawing.show(drawing.text(said, "bold"))
    drawing.show(
        drawing.line(drawing.text("risk"), drawing.text(f"{risk['score']} {risk['level']}", _STYLES[risk["level"]]))
    )
    for part in sorted(risk["parts"], key=lambda each: -each["value"] * each["weight"]):
        if part["value"]:
            points = round(100 * part["value"] * part["weight"])
            drawing.show(drawing.text(f"  {points:>3}  {part['name']}: {part['why']}", "dim"))
    _list("removed", answer["removed"], limit)
    _list("changed", [_place(each) for each in answer["changed"]], limit)
    _list("called by", [_caller(each) for each in answer["callers"]], limit)
    _list("imported by", [f"{each['path']}:{each['line']}{_steps(each)}" for each in answer["importers"]], limit)
    _list(
        "changed together before",
        [f"{each['path']}  {each['together']} of {each['changes']} commits" for each in answer["together"]],
        limit,
    )
    _show_tests(answer, limit)


def _show_tests(answer: dict[str, Any], limit: int | None) -> None:
    tests, whole = answer["tests"], answer["tests_in_all"]
    drawing.show("", drawing.text(f"tests to run: {len(tests):,} of {whole:,}", "bold"))
    for test in tests[:limit]:
        drawing.show(drawing.text(f"  {test['probability']:.2f}  {test['name']}"))
        reasons = "; ".join(each["words"] for each in test["reasons"])
        drawing.show(drawing.text(f"        {reasons}", "dim"))
    if limit is not None and len(tests) > limit:
        drawing.show(drawing.text(f"  and {len(tests) - limit:,} more; --tests lists all", "dim"))


def _place(each: dict[str, Any]) -> str:
    return f"{each['path']}:{each['line']}  {each['name'] or 'outside of all definitions'}"


def _caller(each: dict[str, Any]) -> str:
    doubt = f", one of {each['choices']} it could mean" if each["choices"] > 1 else ""
    calls = f"{each['name'] or 'the file itself'} calls {each['callee']}"
    return f"{each['path']}:{each['line']}  {calls}{doubt}{_steps(each)}"


def _steps(each: dict[str, Any]) -> str:
    return f"  ({each['distance']} steps away)" if each["distance"] > 1 else ""


def _list(heading: str, lines: Sequence[str], limit: int | None) -> None:
    if not lines:
        return
    drawing.show("", drawing.text(heading, "dim"), *(drawing.text(f"  {line}") for line in lines[:limit]))
    if limit is not None and len(lines) > limit:
        drawing.show(drawing.text(f"  and {len(lines) - limit:,} more", "dim"))
