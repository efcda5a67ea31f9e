"""Find the files and functions that an issue or a traceback is about."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder

if TYPE_CHECKING:
    from rubber_duck.cli.styled import Text

NOTHING_FOUND: Final = 1
"""The exit status when no file speaks to the text, as of `duck search`."""


_MOST_TEXT: Final = 200_000


@click.command(cls=Command, name="locate")
@click.argument("text", default="-", help="An issue's text or a traceback; - is standard input.")
@click.option("--project", type=click.Path(), default="", help="The project's folder.  [default: this one]")
@click.option("-n", "--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Files at the most.")
@click.option("--refresh/--no-refresh", default=True, help="Bring the index up to date first.  [default: yes]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(text: str, project: str, limit: int, refresh: bool, as_json: bool) -> int:
    """Find the files and functions that an issue or a traceback is about. The status is 1 when there is none.

    \b
    duck locate < issue.md                          the first line is its title
    python app.py 2>&1 | duck locate                a traceback
    duck locate "Pager shows raw colours on Windows"

    Each file says why it is there. The project is indexed first if need be; nothing is written into it.
    """
    if text == "-":
        text = _shortened(sys.stdin.buffer.read().decode("utf-8", "replace"))
    request = {
        "text": text,
        "project": project,
        "directory": current_folder(),
        "limit": limit,
        "refresh": refresh,
    }
    answer = ask("locate", request)
    if as_json:
        drawing.machine(answer)
    else:
        for number, file in enumerate(answer["files"]):
            drawing.show(*([""] if number else []), *_drawn(file))
        if not answer["files"] and not current().quiet:
            terminal.note(terminal.printable(f"nothing was found in {answer['project']}"))
    return 0 if answer["files"] else NOTHING_FOUND


def _shortened(text: str) -> str:
    """The text, or of a very long one the beginning and the end, which is what is looked at."""
    if len(text) <= _MOST_TEXT:
        return text
    terminal.note(f"of {len(text):,} characters the first and the last {_MOST_TEXT // 2:,} are looked at")
    return f"{text[: _MOST_TEXT // 2]}\n{text[-_MOST_TEXT // 2 + 1 :]}"


def _drawn(file: dict[str, Any]) -> Iterator[Text]:
    yield drawing.line(drawing.text(file["path"], "bold"), drawing.text(f"{file['score']:.2f}", "green"))
    for place in file["places"]:
        name = f"{place['kind']} {place['name']}".rstrip() if place["kind"] != "line" else place["name"]
        yield drawing.line(drawing.text(f"  {place['start_line']}", "dim"), drawing.text(name, "cyan"))
    for reason in file["reasons"]:
        yield drawing.text(f"  {reason}", "dim")
