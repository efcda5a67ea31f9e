"""Write tests for a function."""

from __future__ import annotations

import os

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.changes import ask_or_write, say_written, show_files
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="tests")
@click.argument("at", metavar="PLACE", help="FILE, or FILE:LINE of a function or class.")
@click.option("--model", is_flag=True, help="Let a model write them, instead of property tests by Hypothesis.")
@click.option("--to", default="", metavar="FILE", help="The tests' file.  [default: one beside the other tests]")
@click.option("--write", "writes", is_flag=True, help="Write it. Without this, it is only shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(at: str, model: bool, to: str, writes: bool, as_json: bool) -> int:
    """Write tests for a function, and run them in the sandbox before they are shown.

    Without `--model` Hypothesis writes property tests. Ends with 0 when all pass, else with 1.
    """
    request = {"at": at, "model": model, "to": to, "directory": os.getcwd()}
    answer = ask_or_write("tests", request, writes=writes)
    if as_json:
        drawing.machine(answer)
    else:
        show_files(answer["files"])
        for each in answer["failed"]:
            drawing.show(drawing.text(f"{each['name']} fails: {each['why']}", "yellow"))
        if answer["files"]:
            failed = f", {len(answer['failed'])} failed" if answer["failed"] else ""
            terminal.note(f"run in the sandbox: {answer['passed']} passed{failed}")
        if answer["note"]:
            terminal.note(terminal.printable(answer["note"]))
        say_written(answer)
    return 0 if answer["passed"] and not answer["failed"] else 1
