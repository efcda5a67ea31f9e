"""Open a code base, analyse it, keep what was found, and show a report."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command, Count
from rubber_duck.cli.files import home, write_private, write_report
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder, quoted

_FORMATS: Final = ("text", "json", "sarif", "html")
_BAD: Final = ("medium", "high", "critical")
"""The severities that are worth a person's time today, the least of them first."""


@click.command(cls=Command, name="up")
@click.argument("project", type=click.Path(), help="The project's folder.")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="PLACE",
    help="Write the report to this file or folder; `-` is the terminal.",
)
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), help="The form of the report.  [default: text, with a page]"
)
@click.option(
    "--limit",
    type=Count(),
    default=10,
    metavar="N",
    show_default=True,
    help="Show the N worst findings as text; 0 shows all.",
)
def command(project: str, output: str | None, format_: str | None, limit: int) -> None:
    """Open a code base, analyse it, keep what was found, and show a report.

    The second time only what has changed is looked at. Nothing is written into the project. Findings do not make
    the command fail; `duck analyze` does that.
    """
    output = None if output == "-" else output
    answer = ask(
        "up",
        {
            "path": project,
            "directory": current_folder(),
            "format": format_ or "text",
            "color": terminal.wants_color(sys.stdout, current().color),
            "width": terminal.width(),
            "limit": limit or None,
        },
    )
    if format_ in (None, "text"):
        page = _write_page(answer, output)
        _show(answer, page, limit)
    elif output is None:
        terminal.write_utf8(answer["report"])
    else:
        suffix = {"json": "json", "sarif": "sarif", "html": "html"}[format_]
        place = _in_folder(output, f"report.{suffix}")
        write_report(place, answer["report"])
        if not current().quiet:
            findings = terminal.counted(answer["findings"], "finding")
            terminal.note(f"{findings}, written to {terminal.printable_name(place)}")
            for sentence in answer["narrowed"]:
                terminal.note(sentence)


def _write_page(answer: dict[str, Any], output: str | None) -> Path:
    if output is not None:
        return write_report(_in_folder(output, "report.html"), answer["html"])
    name = re.sub(r"[^\w.-]+", "-", answer["project"]).strip("-.") or "project"
    folder = home() / "reports" / f"{name[:80]}-{answer['project_id'][-8:]}"
    return write_private(folder, "report.html", answer["html"])


def _in_folder(place: str, name: str) -> str:
    return os.path.join(place, name) if os.path.isdir(place) or place.endswith(os.sep) else place


def _show(answer: dict[str, Any], page: Path, limit: int) -> None:
    if current().quiet:
        terminal.write(answer["report"])
        return
    title = [drawing.name(answer["project"], "bold")]
    if terminal.printable_name(answer["root"]) not in (answer["project"], "."):  # a project's name is printable
        title.append(drawing.name(answer["root"], "dim"))
    drawing.show("", drawing.line(*title), drawing.text(_changes(answer), "dim"), "")
    if answer["languages"]:
        drawing.show(_languages(answer["languages"]), "")
    terminal.write(answer["report"])
    drawing.show("", drawing.facts(_next(answer, page, limit)))


def _changes(answer: dict[str, Any]) -> str:
    kept = answer["unchanged"] + answer["changed"] + answer["removed"]
    if not kept:
        return f"opened for the first time, {terminal.counted(answer['added'], 'file')}"
    moved = [f"{answer[word]:,} {word}" for word in ("added", "changed", "removed") if answer[word]]
    return f"since last time: {', '.join(moved) or 'nothing has changed'}, {answer['unchanged']:,} as before"


def _languages(languages: list[dict[str, Any]]) -> Any:  # Any: rich's table
    table = drawing.table("language", "files", "lines", right=["files", "lines"])
    for each in sorted(languages, key=lambda each: (each["name"] == "", -each["lines"], each["name"])):
        table.add_row(drawing.text(each["title"] or "other"), f"{each['files']:,}", f"{each['lines']:,}")
    return table


def _next(answer: dict[str, Any], page: Path, limit: int) -> dict[str, object]:
    """What to do with it: a few words → a path or a command."""
    program, root = current().program, quoted(answer["root"])
    steps: dict[str, object] = {"The whole report": drawing.link(page)}
    if 0 < limit < answer["findings"]:
        steps[f"All {answer['findings']:,} findings"] = f"{program} analyze {root}"
        worse = sum(answer["by_severity"].get(name, 0) for name in _BAD)
        if 0 < worse < answer["findings"]:
            steps[f"The {worse:,} {_BAD[0]} or worse"] = f"{program} analyze {root} --min-severity {_BAD[0]}"
    if answer["worst_rule"]:
        steps["What a rule means"] = f"{program} rules {quoted(answer['worst_rule'])}"
    else:
        steps["What the rules are"] = f"{program} rules"
    file = quoted(answer["worst_file"]) if answer["worst_file"] else ("FILE" if root == "." else f"{root}/FILE")
    steps["What a file defines"] = f"{program} outline {file}"
    return steps
