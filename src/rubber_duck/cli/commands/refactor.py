"""Change code without changing what it does."""

from __future__ import annotations

import os
from typing import Any

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.changes import ask_or_write, say_written, show_files, write_edits
from rubber_duck.cli.command import Command

_KINDS = ("rename", "extract-variable", "extract-function", "inline", "move", "organise-imports", "rewrite")


@click.command(cls=Command, name="refactor")
@click.argument("what", type=click.Choice(_KINDS), help="What to do.")
@click.argument("at", metavar="PLACE", help="Where: FILE:LINE:COLUMN, FILE:LINE-LINE, FILE:LINE:COL-LINE:COL, or FILE.")
@click.argument(
    "to", metavar="[NAME]", default="", help="The new name; for `move` the file to move to; for `rewrite` what to do."
)
@click.option("--also", multiple=True, metavar="FILE", help="For `rewrite`: a further file that may change.")
@click.option("--tests", is_flag=True, help="For `rewrite`: run the project's tests in the sandbox on each draft.")
@click.option("--think", is_flag=True, help="For `rewrite`: let the model think before it answers.")
@click.option("--no-repair", is_flag=True, help="For `rewrite`: do not send back what fails the check.")
@click.option("--pick", is_flag=True, help="For `rewrite`: ask for each hunk whether to take it.")
@click.option("--write", "writes", is_flag=True, help="Write it. Without this, only what would change is shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(what: str, at: str, to: str, writes: bool, as_json: bool, **chosen: Any) -> int:  # Any: click's values
    """Change code without changing what it does.

    What could change the meaning, or cannot be told for sure, is refused with the reason; no model is asked, but for
    `rewrite`, which does what is asked in words: `duck refactor rewrite shop.py:3-20 "a table instead of the ifs"`. Its
    drafts must parse, bring no findings, and keep what other files use. `duck undo` takes back what was written.
    """
    request: dict[str, Any] = {"what": what, "at": at, "to": to, "directory": os.getcwd()}  # Any: JSON
    if what == "rewrite":
        ways = [("repair", not chosen["no_repair"]), ("thought", chosen["think"])]
        request |= {
            "also": list(chosen["also"]),
            "tests": chosen["tests"],
            "techniques": [name for name, is_wanted in ways if is_wanted],
        }
        answer = ask("refactor", request)
        has_passed = bool(answer["files"])
        answer = write_edits("refactor", request, answer, picks=chosen["pick"], writes=writes)
    elif any(chosen.values()):
        raise click.UsageError("--also, --tests, --think, --no-repair and --pick are for `rewrite`")
    else:
        answer = ask_or_write("refactor", request, writes=writes)
        has_passed = True
    if as_json:
        drawing.machine(answer)
        return 0 if has_passed else 1
    for number, step in enumerate(answer["steps"], 1):
        drawing.show(drawing.text(f"thought {number}: {step}", "dim"))
    show_files(answer["files"])
    for problem in answer["problems"]:
        terminal.note(f"a draft failed the check: {terminal.printable(problem)}")
    for note in answer["notes"]:
        terminal.note(terminal.printable(note))
    say_written(answer)
    return 0 if has_passed else 1
