"""Talk with a model about a project."""

from __future__ import annotations

import os
from typing import Any

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="chat")
@click.argument(
    "message", default="", help="What to say; @FILE, @FILE:LINE-LINE, @SYMBOL, @diff, @findings tell of them."
)
@click.option("-c", "--conversation", default="", metavar="ID", help="Which goes on: its id, or the beginning of it.")
@click.option("--last", is_flag=True, help="Go on with the last one.")
@click.option("--list", "lists", is_flag=True, help="List the conversations.")
@click.option("--forget", is_flag=True, help="Delete the named conversation.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(message: str, conversation: str, as_json: bool, **chosen: Any) -> int:  # Any: click's values
    """Talk with a model about a project. Conversations are kept; what the model is told is shown.

    With `--conversation` or `--last` and no message, what was said is shown. Ends with 1 when the model did not answer.
    """
    streamed: list[str] = []

    def on_text(text: str) -> None:
        streamed.append(text)
        terminal.write_piece(terminal.printable(text))

    request = {
        "message": message,
        "conversation": "last" if chosen["last"] else conversation,
        "list": chosen["lists"],
        "forget": chosen["forget"],
        "directory": os.getcwd(),
    }
    answer = ask("chat", request, on_text=None if as_json else on_text)
    is_said = bool(answer["text"]) or not message.strip() or chosen["lists"] or chosen["forget"]
    if as_json:
        drawing.machine(answer)
        return 0 if is_said else 1
    if streamed:
        terminal.write("" if streamed[-1].endswith("\n") else "\n")
    for each in answer["conversations"]:
        counted = terminal.counted(each["turns"], "turn")
        drawing.show(drawing.text(f"{each['id'][:8]}  {each['updated_at'][:16]}  {counted}  {each['title']}"))
    for each in answer["turns"]:
        drawing.show(drawing.text("you" if each["speaker"] == "person" else each.get("model") or "model", "bold"))
        drawing.show(drawing.text(each["text"]))
    _say(answer)
    return 0 if is_said else 1


def _say(answer: dict[str, Any]) -> None:  # Any: JSON
    if answer["told"]:
        told = ", ".join(map(_told, answer["told"]))
        terminal.note(terminal.printable(f"told: {told}"))
    for each in answer["missing"]:
        terminal.note(terminal.printable(f"not told: {each}"))
    if answer["left_out"]:
        terminal.note(f"{answer['left_out']} older turns had no room and were left out")
    if answer["note"]:
        terminal.note(terminal.printable(answer["note"]))
    if answer["text"]:
        terminal.note(f"conversation {answer['conversation'][:8]}; go on with: duck chat --last MESSAGE")


def _told(each: dict[str, Any]) -> str:  # Any: as above
    short = ", shortened" if each.get("shortened") else ""
    return f"@{each['mention']} ({each['what']}, {each['tokens']:,} tokens{short})"
