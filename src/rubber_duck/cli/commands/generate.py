"""Generate code for a task."""

from __future__ import annotations

import os
from typing import Any

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.changes import say_written, show_files, write_edits
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="generate")
@click.argument("task", default="", help="What to write, in words.")
@click.option("--at", default="", metavar="PLACE", help="FILE it belongs to; FILE:LINE-LINE: only that may change.")
@click.option("--list", "lists", is_flag=True, help="List what was generated in this project before.")
@click.option("--again", default="", metavar="ID", help="Show, or write, an earlier one: its id or `last`. No model.")
@click.option("--forget", is_flag=True, help="Delete the one that --again names.")
@click.option("--think", is_flag=True, help="Let the model think before it answers; its steps are shown apart.")
@click.option("--look", is_flag=True, help="Let the model ask for more of the project before it answers.")
@click.option("--no-repair", is_flag=True, help="Do not send back what fails the check.")
@click.option("--pick", is_flag=True, help="Ask for each hunk whether to take it.")
@click.option("--write", "writes", is_flag=True, help="Write it. Without this, it is only shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(task: str, at: str, writes: bool, as_json: bool, **chosen: Any) -> int:  # Any: click's values
    """Generate code for a task, as a patch that parses and brings no findings.

    Ends with 0 when a draft passed the check, with 1 when none did.
    """
    ways = [("repair", not chosen["no_repair"]), ("thought", chosen["think"]), ("feedback", chosen["look"])]
    techniques = [name for name, is_wanted in ways if is_wanted]
    request = {
        "task": task,
        "at": at,
        "techniques": techniques,
        "again": chosen["again"],
        "list": chosen["lists"],
        "forget": chosen["forget"],
        "directory": os.getcwd(),
    }
    answer = ask("generate", request)
    if chosen["lists"] or chosen["forget"]:
        _say_kept(answer, as_json=as_json)
        return 0
    has_passed = bool(answer["files"])
    answer = write_edits("generate", request, answer, picks=chosen["pick"], writes=writes)
    if as_json:
        drawing.machine(answer)
        return 0 if has_passed else 1
    for number, step in enumerate(answer["steps"], 1):
        drawing.show(drawing.text(f"thought {number}: {step}", "dim"))
    if answer["told"]:
        drawing.show(drawing.text(f"told: {', '.join(answer['told'])}", "dim"))
    show_files(answer["files"])
    for line in answer["imports"]:
        terminal.note(f"added, because it was missing: {terminal.printable(line)}")
    for problem in answer["problems"]:
        terminal.note(f"a draft failed the check: {terminal.printable(problem)}")
    if answer["note"]:
        terminal.note(terminal.printable(answer["note"]))
    say_written(answer)
    return 0 if has_passed else 1


def _say_kept(answer: dict[str, Any], *, as_json: bool) -> None:  # Any: JSON
    if as_json:
        drawing.machine(answer)
        return
    for each in answer["generations"]:
        fate = "written" if each.get("written") else "shown" if each.get("sound") else "failed the check"
        task = " ".join(each["task"].split())[:80]
        drawing.show(drawing.text(f"{each['id'][:8]}  {each['created_at'][:16]}  {fate}  {task}"))
    if answer["note"]:
        terminal.note(answer["note"])
