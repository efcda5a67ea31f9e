"""Explain code."""

from __future__ import annotations

import os

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="explain")
@click.argument("at", metavar="PLACE", help="FILE, FILE:LINE or FILE:LINE-LINE.")
@click.argument("question", default="", help="What you want to know of it.")
@click.option("--no-model", is_flag=True, help="Only what is known without a model.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(at: str, question: str, no_model: bool, as_json: bool) -> None:
    """Explain code: what it defines, needs and who mentions it, and in words by a model if one is there."""
    streamed: list[str] = []

    def on_text(text: str) -> None:
        streamed.append(text)
        terminal.write_piece(terminal.printable(text))

    request = {"at": at, "question": question, "model": not no_model, "directory": os.getcwd()}
    answer = ask("explain", request, on_text=None if as_json else on_text)
    if as_json:
        drawing.machine(answer)
        return
    if streamed:
        terminal.write("\n\n")
    drawing.show(drawing.text(f"{answer['path']}, lines {answer['start_line']} to {answer['end_line']}", "bold"))
    for each in answer["definitions"][:20]:
        drawing.show(
            drawing.line(drawing.text(f"{each['start_line']:>5}  "), drawing.text(each["head"] or each["name"]))
        )
        if each["about"]:
            drawing.show(drawing.text(f"       {each['about']}", "dim"))
    for label, found in (("imports", answer["imports"]), ("mentioned in", answer["mentioned"])):
        if found:
            drawing.show(drawing.text(f"{label}: {', '.join(found)}", "dim"))
    if answer["note"]:
        terminal.note(terminal.printable(answer["note"]))
