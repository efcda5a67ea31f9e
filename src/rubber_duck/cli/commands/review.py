"""Review files or a change."""

from __future__ import annotations

import os
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.files import read_text

_LIMIT_BYTES: Final = 5_000_000


@click.command(cls=Command, name="review")
@click.argument("files", nargs=-1, type=click.Path(), help="Files; nothing: what changed since the last commit.")
@click.option("--diff", metavar="FILE", help="A unified diff of the project as it is now; - for standard input.")
@click.option("--no-model", is_flag=True, help="Only what the analysers find.")
@click.option(
    "--sure", type=click.FloatRange(0, 1), default=0.6, show_default=True, help="How sure the model has to be."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(files: tuple[str, ...], diff: str | None, no_model: bool, sure: float, as_json: bool) -> None:
    """Review files or a change: analysers first, then a model, every remark at a line that is there.

    What the model says of a line that it cannot quote is dropped and counted.
    """
    request: dict[str, Any] = {
        "files": list(files),
        "diff": read_text(diff, _LIMIT_BYTES) if diff else "",
        "directory": os.getcwd(),
        "model": not no_model,
        "sure": sure,
    }
    answer = ask("review", request)
    if as_json:
        drawing.machine(answer)
        return
    for path in sorted({each["path"] for each in answer["remarks"]}):
        drawing.show(drawing.text(path, "bold"))
        for each in answer["remarks"]:
            if each["path"] == path:
                _show(each)
    _say(answer)


def _show(each: dict[str, Any]) -> None:
    head = drawing.line(
        drawing.text(f"{each['line']:>5}  "),
        drawing.severity(each["severity"]),
        drawing.text(f"  {each['source']}, {each['confidence']:.0%} sure", "dim"),
    )
    drawing.show(head)
    drawing.show(drawing.text(f"       {each['message']}"))
    drawing.show(drawing.text(f"       {each['evidence'].strip()}", "dim"))


def _say(answer: dict[str, Any]) -> None:
    files = terminal.counted(len(answer["files"]), "file")
    remarks = terminal.counted(len(answer["remarks"]), "remark")
    asked = f"; {answer['model']} was asked" if answer["model"] else ""
    terminal.note(f"{remarks} on {files}{asked}")
    dropped = [(answer[kind], kind) for kind in ("unanchored", "unsure", "repeated") if answer[kind]]
    if dropped:
        terminal.note(f"dropped of what the model said: {', '.join(f'{count} {kind}' for count, kind in dropped)}")
    if answer["unread"]:
        terminal.note(f"not shown to the model: {terminal.printable(', '.join(answer['unread'][:5]))}")
    if answer["note"]:
        terminal.note(terminal.printable(answer["note"]))
