"""Undo the last change that RubberDuck wrote to a project, to the byte."""

from __future__ import annotations

import os
from typing import Any

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="undo")
@click.argument("number", required=False, type=click.IntRange(min=1), help="Which change, as --list numbers them.")
@click.option("--list", "lists", is_flag=True, help="Change nothing, and list what was written.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(number: int | None, lists: bool, as_json: bool) -> None:
    """Undo the last change that RubberDuck wrote to a project, to the byte.

    A file that was changed since is not touched, and then none is.
    """
    answer = ask("undo", {"directory": os.getcwd(), "number": number, "list": lists})
    if as_json:
        drawing.machine(answer)
    elif lists:
        for each in answer["entries"]:
            _show(each)
        if not answer["entries"]:
            terminal.note("nothing was written to this project yet")
    else:
        undone = next(each for each in answer["entries"] if each["number"] == answer["undone"])
        terminal.note(f"undone: {terminal.printable(undone['about'])}")


def _show(each: dict[str, Any]) -> None:
    state = "  undone" if each["undone"] else ""
    drawing.show(drawing.text(f"{each['number']:>4}  {each['at']}  {each['about']}{state}", "dim" if state else ""))
