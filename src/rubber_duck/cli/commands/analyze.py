"""Analyse files or folders and report what is wrong in them."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from rubber_duck.cli import failures, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command, Count
from rubber_duck.cli.files import write_report
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder
from rubber_duck.cli.suggestions import rule_names

_BY_SUFFIX: Final = {".json": "json", ".sarif": "sarif", ".html": "html", ".htm": "html"}
_OF_TEXT: Final = (".txt", ".text", ".log", ".out")
_SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
_REFUSED_SHOWN: Final = 10


@click.command(cls=Command, name="analyze")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(), metavar="PATH …", help="Files or folders; a folder is walked."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "html"]),
    help="The form of the report.  [default: text, or what the suffix of --output says]",
)
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="Write the report there; `-` is the terminal.")
@click.option(
    "--min-severity",
    type=click.Choice(_SEVERITIES),
    help="Report only findings at least this severe.  [default: as configured, else info]",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME",
    shell_complete=rule_names,
    help="Only this rule, e.g. `sql-injection` or `ruff/S*`; may be repeated.",
)
@click.option("--limit", type=Count(), metavar="N", help="Show the N worst findings as text; 0 shows all.")
def command(
    paths: tuple[str, ...],
    format_: str | None,
    output: str | None,
    min_severity: str | None,
    rules: tuple[str, ...],
    limit: int | None,
) -> int:
    """Analyse files or folders and report what is wrong in them.

    Ends with 0 when there are no findings at or above --min-severity, with 1 when there are. Ends with 2 when
    something was not analysed and nobody had decided so: a file named here, or, in a folder, one that may not be
    read or that a rule failed on. Binary, ignored and too large files of a folder are left out, and listed.
    """
    to_file = output is not None and output != "-"
    chosen = format_ or (_BY_SUFFIX.get(os.path.splitext(output or "")[1].lower(), "text") if to_file else "text")
    answer = ask(
        "analyze",
        {
            "paths": list(paths),
            "directory": current_folder(),
            "format": chosen,
            "min_severity": min_severity,
            "rules": list(rules),
            "color": not to_file and terminal.wants_color(sys.stdout, current().color),
            "width": terminal.width(),
            "limit": limit or None,
        },
    )
    if to_file and output is not None:
        write_report(output, answer["report"])
        if not current().quiet:
            findings = terminal.counted(answer["findings"], "finding")
            files = terminal.counted(answer["files"], "file")
            terminal.note(f"{findings} in {files}, written to {terminal.printable_name(output)}")
            for sentence in answer["narrowed"]:
                terminal.note(sentence)
            suffix = os.path.splitext(output)[1].lower()
            if format_ is None and suffix and suffix not in (*_BY_SUFFIX, *_OF_TEXT):
                terminal.note(f"it is text: {terminal.printable_name(suffix)} is none of {', '.join(_BY_SUFFIX)}")
    elif chosen == "text":
        terminal.write(answer["report"])
    else:
        terminal.write_utf8(answer["report"])
    refused = answer["refused"]
    for sentence in refused[:_REFUSED_SHOWN]:
        failures.say(current(), sentence)
    if len(refused) > _REFUSED_SHOWN:
        more = len(refused) - _REFUSED_SHOWN
        failures.say(current(), f"{more:,} more could not be analysed; the report lists them")
    if refused:
        return failures.FAILED
    return 1 if answer["findings"] else 0
