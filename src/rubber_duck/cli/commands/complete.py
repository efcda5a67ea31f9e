"""Show what may come next at a cursor in a file."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.errors import InvalidInput

_PLACE: Final = re.compile(r"(?P<path>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?", re.DOTALL)


@click.command(cls=Command, name="complete")
@click.argument("place", metavar="FILE:LINE:COL", help="A file and a cursor in it, counted from 1.")
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, 10),
    default=3,
    show_default=True,
    metavar="N",
    help="The most candidates to show.",
)
@click.option("--cut", is_flag=True, help="As if the line ended at the cursor: what stands behind it is not looked at.")
@click.option(
    "--stdin", "from_stdin", is_flag=True, help="Take the file's text from standard input, unsaved changes and all."
)
@click.option("--language", default="", help="Its language.  [default: as its name and content say]")
@click.option("--no-model", is_flag=True, help="Ask no model, though one is connected.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(place: str, count: int, as_json: bool, **chosen: Any) -> None:  # Any: click's values
    """Show what may come next at a cursor, from what the project is written like, and by a model if there is one.

    The first time, the project's files are read, which takes seconds.
    """
    found = _PLACE.fullmatch(place)
    if found is None:
        raise InvalidInput(f"{place!r} is no place in a file: write FILE:LINE:COLUMN, e.g. src/app.py:12:9")
    if int(found["line"]) < 1 or int(found["column"] or 1) < 1:
        raise InvalidInput(f"{place!r}: lines and columns count from 1")
    request: dict[str, Any] = {
        "type": "suggest",
        "path": found["path"],
        "directory": os.getcwd(),
        "line": int(found["line"]),
        "column": int(found["column"] or 1),
        "count": count,
        "cut": chosen["cut"],
        "language": chosen["language"],
        "model": not chosen["no_model"],
    }
    if chosen["from_stdin"]:
        request["content"] = sys.stdin.buffer.read().decode("utf-8", "replace")
    answer = ask("complete", request)
    if as_json:
        drawing.machine(answer)
        return
    if answer["candidates"]:
        table = drawing.table("candidate", "likely", "because of", right=["likely"], wrap=["candidate"])
        for each in answer["candidates"]:
            likely = drawing.text(f"{each['score']:.0%}")
            table.add_row(drawing.text(each["text"], "bold"), likely, drawing.text(_REASONS[each["reason"]], "dim"))
        drawing.show(table)
    elif not current().quiet:
        terminal.note(f"nothing is offered at {terminal.printable(place)}: {_SILENCES[answer['silence']]}")


_SILENCES: Final = {
    "inside": "it is inside a comment or a string",
    "word": "it is in front of a word; with --cut what stands behind it is not looked at",
    "unlikely": "nothing that the project writes is likely enough there",
    "unfit": "what is likely stands there already, repeats the lines above, or would break the syntax",
}
_REASONS: Final = {
    "symbols": "what the code declares",
    "file": "this file",
    "folder": "the files beside it",
    "project": "the project",
    "language": "the language",
    "pattern": "a pattern of the project",
    "model": "a model",
}
