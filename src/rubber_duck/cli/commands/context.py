"""Show what a model would be told about a place in the code or a question, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.program import current_folder

if TYPE_CHECKING:
    from rubber_duck.cli.styled import Text

SHOWN: Final = 8
"""Parts that are not told are listed up to this many."""


@click.command(cls=Command, name="context")
@click.argument("place", default="", help="FILE, FILE:LINE or FILE:LINE:COLUMN.")
@click.option("--query", default="", help="A question or a task in words.")
@click.option("--budget", type=click.IntRange(50, 1_000_000), default=4000, show_default=True, help="Tokens at most.")
@click.option("--strategy", default="", help="fim, retrieval or long_window.  [default: what suits best]")
@click.option("--text", "as_text", is_flag=True, help="Only the text, as a model would get it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(place: str, query: str, budget: int, strategy: str, as_text: bool, as_json: bool) -> int:
    """Show what a model would be told about a place or a question, part by part, and why. Nothing is sent.

    \b
    duck context src/app.py:120                  what stands around line 120
    duck context --query "where are orders priced?"   what a question finds
    """
    request = {
        "place": place,
        "query": query,
        "budget_tokens": budget,
        "strategy": strategy,
        "directory": current_folder(),
    }
    answer = ask("context", request)
    if as_json:
        drawing.machine(answer)
    elif as_text:
        drawing.show(drawing.text(answer["text"]))
    else:
        drawing.show(*_drawn(answer))
    for problem in answer["problems"]:
        terminal.note(terminal.printable(problem))
    return 0


def _drawn(answer: dict[str, Any]) -> Iterator[Text]:
    for part in answer["parts"]:
        shortened = ", bodies left out" if part["shortened"] else ""
        yield drawing.line(
            drawing.text(f"{part['total']:.2f}", "bold green"),
            drawing.text(part["kind"], "cyan"),
            drawing.text(_place(part), "bold"),
            drawing.text(f"{part['tokens']:,} tokens{shortened}", "dim"),
        )
        scores = " · ".join(
            f"{name} {part[name]:.2f}" for name in ("relevance", "completeness", "diversity", "recency")
        )
        yield drawing.text(f"      {'; '.join(part['reasons'])}")
        yield drawing.text(f"      {scores}", "dim")
    if answer["refused"]:
        yield drawing.text("")
        yield drawing.text("Not told:", "bold")
    for part in answer["refused"][:SHOWN]:
        yield drawing.text(f"      {part['kind']} {_place(part)}: {part['refused']}".replace(" :", ":"), "dim")
    if len(answer["refused"]) > SHOWN:
        yield drawing.text(f"      and {len(answer['refused']) - SHOWN:,} more; --json has them all", "dim")
    yield drawing.text("")
    suits = ", ".join(f"{name} {value:.2f}" for name, value in answer["suits"].items())
    yield drawing.text(
        f"{answer['tokens']:,} of {answer['budget_tokens']:,} tokens, strategy {answer['strategy']} ({suits})"
    )
    quality = answer["quality_parts"]
    yield drawing.text(
        f"quality {answer['quality']:.2f}: worth {quality['worth']:.2f} × needed parts told {quality['whole']:.2f}; "
        f"of what was gathered {quality['found']:.0%} is told"
    )


def _place(part: dict[str, Any]) -> str:
    lines = f":{part['start_line']}-{part['end_line']}" if part["start_line"] else ""
    return f"{part['path']}{lines}"
