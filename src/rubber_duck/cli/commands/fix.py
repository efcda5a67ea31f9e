"""Make findings of the analysers disappear."""

from __future__ import annotations

import os

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.changes import ask_or_write, say_written, show_files
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="fix")
@click.argument("at", metavar="PLACE", help="FILE, or FILE:LINE of one finding.")
@click.option("--rule", default="", help="Only findings of this rule.")
@click.option("--unsafe", is_flag=True, help="Also fixes that may change what the code does.")
@click.option("--model", is_flag=True, help="Ask a model for findings that no rule can fix.")
@click.option("--write", "writes", is_flag=True, help="Write it. Without this, only what would change is shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(at: str, rule: str, unsafe: bool, model: bool, writes: bool, as_json: bool) -> int:
    """Make findings of the analysers disappear, by a patch that adds none.

    The patched text is analysed before it is shown. Ends with 0 when every finding goes away, with 1 when some stay.
    """
    request = {"at": at, "rule": rule, "unsafe": unsafe, "model": model, "directory": os.getcwd()}
    answer = ask_or_write("fix", request, writes=writes)
    if as_json:
        drawing.machine(answer)
    else:
        show_files(answer["files"])
        for each in answer["findings"]:
            fate = "goes away" if each.get("by") else f"stays: {each.get('why', '')}"
            style = "green" if each.get("by") else "yellow"
            drawing.show(drawing.text(f"line {each['line']}, {each['rule']}: {fate}", style))
        if answer["note"]:
            terminal.note(terminal.printable(answer["note"]))
        say_written(answer)
    return 0 if all(each.get("by") for each in answer["findings"]) else 1
