"""Change code without changing what it does."""

from __future__ import annotations

import os

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.changes import ask_or_write, say_written, show_files
from rubber_duck.cli.command import Command

_KINDS = ("rename", "extract-variable", "extract-function", "inline", "move", "organise-imports")


@click.command(cls=Command, name="refactor")
@click.argument("what", type=click.Choice(_KINDS), help="What to do.")
@click.argument("at", metavar="PLACE", help="Where: FILE:LINE:COLUMN, FILE:LINE-LINE, FILE:LINE:COL-LINE:COL, or FILE.")
@click.argument("to", metavar="[NAME]", default="", help="The new name; for `move` the file to move to.")
@click.option("--write", "writes", is_flag=True, help="Write it. Without this, only what would change is shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(what: str, at: str, to: str, writes: bool, as_json: bool) -> None:
    """Change code without changing what it does. No model is asked.

    What could change the meaning, or cannot be told for sure, is refused with the reason. Python: all of it;
    JavaScript, TypeScript and Elixir: `rename`. `duck undo` takes back what was written.
    """
    request = {"what": what, "at": at, "to": to, "directory": os.getcwd()}
    answer = ask_or_write("refactor", request, writes=writes)
    if as_json:
        drawing.machine(answer)
        return
    show_files(answer["files"])
    for note in answer["notes"]:
        terminal.note(terminal.printable(note))
    say_written(answer)
