"""Apply the edits in a model's answer or a patch, after showing what they do."""

from __future__ import annotations

import os
from typing import Any, Final

import click

from rubber_duck.cli import drawing, failures, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.changes import picked_hunks, show_file, show_hunk
from rubber_duck.cli.command import Command
from rubber_duck.cli.files import read_text
from rubber_duck.cli.invocation import current

_LIMIT_BYTES: Final = 20_000_000
_FINE: Final = ("placed", "already applied")


@click.command(cls=Command, name="edit")
@click.argument("file", default="-", type=click.Path(), help="The answer or patch; `-` or nothing: standard input.")
@click.option("--apply", "applies", is_flag=True, help="Write it. Without this, only what would be is shown.")
@click.option("--hunks", metavar="N,N-N", help="Only these hunks, as the preview numbers them.")
@click.option("--not", "without", metavar="N,N-N", help="All hunks but these.")
@click.option("--pick", is_flag=True, help="Ask for each hunk; needs the edits in a FILE.")
@click.option(
    "--form",
    type=click.Choice(["auto", "blocks", "diff", "whole"]),
    default="auto",
    show_default=True,
    help="How the edits are written; `whole` alone lets a file that is there be replaced as a whole.",
)
@click.option("--partial", is_flag=True, help="Write what can be placed though other edits cannot.")
@click.option("--broken", is_flag=True, help="Write though a file no longer parses.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(file: str, applies: bool, as_json: bool, **chosen: Any) -> int:  # Any: click's values
    """Apply the edits in a model's answer or a patch, after showing what they do.

    Search/replace blocks, unified diffs and whole files under their name are read. An edit that may mean several
    places, or none, is never written; all files are written, or none. `duck undo` takes it back. Ends with 0 when all
    can be or was written, with 1 when not.
    """
    text = read_text(file, _LIMIT_BYTES)
    request = {
        "text": text,
        "directory": os.getcwd(),
        "form": chosen["form"],
        "partial": chosen["partial"],
        "broken": chosen["broken"],
    }
    answer = ask("edit", request)
    if chosen["pick"] and file == "-":
        raise click.UsageError("--pick asks at the terminal, so the edits have to be in a FILE")
    picked = picked_hunks(answer["files"], chosen["hunks"], chosen["without"], asks=chosen["pick"])
    if picked is not None:
        request["hunks"] = picked
        answer = ask("edit", request)
    if applies and answer["ready"]:
        answer = ask("edit", {**request, "approve": answer["digest"]})
    if as_json:
        drawing.machine(answer)
    else:
        _show(answer, with_hunks=not chosen["pick"])
        _say(answer, applies=applies)
    return 0 if answer["ready"] or (not answer["files"] and _all_fine(answer)) else 1


def _all_fine(answer: dict[str, Any]) -> bool:
    """Whether there is nothing to write because all of it is there already."""
    return bool(answer["edits"]) and not answer["misread"] and all(each["fate"] in _FINE for each in answer["edits"])


def _show(answer: dict[str, Any], *, with_hunks: bool) -> None:
    for file in answer["files"]:
        show_file(file)
        for hunk in file["hunks"] if with_hunks else ():
            show_hunk(hunk)
    for each in answer["edits"]:
        if each["fate"] != "placed":
            where = f" (lines {', '.join(map(str, each['lines'][:8]))})" if each.get("lines") else ""
            why = f": {each['why']}" if each.get("why") else ""
            style = "dim" if each["fate"] in _FINE else "yellow"
            drawing.show(
                drawing.text(f"{each['path']}, said in line {each['said_at']}: {each['fate']}{why}{where}", style)
            )
    for each in answer["misread"]:
        drawing.show(drawing.text(f"line {each['line']} of the text: {each['why']}", "yellow"))


def _say(answer: dict[str, Any], *, applies: bool) -> None:
    invocation = current()
    for note in answer["notes"]:
        failures.say(invocation, terminal.printable(note))
    files = terminal.counted(len(answer["files"]), "file")
    if answer["written"]:
        terminal.note(f"{files} written; `duck undo` takes it back")
    elif answer["ready"]:
        terminal.note(f"nothing was written yet: --apply writes {files}")
    elif not answer["edits"] and not answer["misread"]:
        failures.say(invocation, "there are no edits in this text: blocks, a diff, or whole files under their name")
    elif _all_fine(answer):
        terminal.note("nothing to write: all of it is there already" if not answer["files"] else "nothing was written")
    else:
        what = "a file would no longer parse (--broken)" if _only_broken(answer) else "not every edit can be written"
        failures.say(invocation, f"nothing was written: {what}" if applies else f"nothing can be written: {what}")


def _only_broken(answer: dict[str, Any]) -> bool:
    return _all_fine(answer) and any(file.get("broken") for file in answer["files"])
