"""Show which file of a project imports which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command, Count
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder

_CIRCLE_SHOWN: Final = 10


@click.command(cls=Command, name="imports")
@click.argument("path", type=click.Path(), help="A file or a folder of a project.")
@click.option(
    "--limit",
    type=Count(),
    default=10,
    metavar="N",
    show_default=True,
    help="For a folder, show the N most imported files and modules; 0 shows all.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON: every import of every file.")
def command(path: str, limit: int, as_json: bool) -> None:
    """Show which file of a project imports which.

    Of a file: what it imports, what imports it. Of a folder: what is imported most. Of both: the circles.
    """
    answer = ask("imports", {"path": path, "directory": current_folder()})
    if as_json:
        drawing.machine(answer)
    elif answer["is_file"]:
        _show_file(answer["files"][0], answer["circles"])
    elif answer["files"]:
        _show_folder(answer["files"], answer["circles"], limit or None)
    elif not current().quiet:
        terminal.note(f"{terminal.printable(path)} holds no file in a language that RubberDuck knows")


def _show_file(file: dict[str, Any], circles: Sequence[Sequence[str]]) -> None:
    drawing.show(drawing.text(file["path"], "bold"))
    _list("imports", [f"{each['path']}" for each in file["imports"]])
    _list("from outside", file["outside"])
    _list("imported by", [f"{each['path']}:{each['line']}" for each in file["imported_by"]])
    for circle in circles:
        others = [path for path in circle if path != file["path"]]
        _list("in a circle with", others[:_CIRCLE_SHOWN], len(others))


def _show_folder(files: Sequence[dict[str, Any]], circles: Sequence[Sequence[str]], limit: int | None) -> None:
    imports = terminal.counted(sum(len(file["imports"]) for file in files), "import")
    drawing.show(drawing.text(f"{terminal.counted(len(files), 'file')}, {imports} within the project", "bold"))
    _rank("most imported", {file["path"]: len(file["imported_by"]) for file in files}, limit)
    _rank("from outside, by files", Counter(module for file in files for module in file["outside"]), limit)
    for circle in sorted(circles, key=len, reverse=True)[:limit]:
        _list(f"circle of {terminal.counted(len(circle), 'file')}", circle[:_CIRCLE_SHOWN], len(circle))
    if limit is not None and len(circles) > limit:
        drawing.show("", drawing.text(f"and {terminal.counted(len(circles) - limit, 'more circle')}", "dim"))


def _rank(heading: str, numbers: Mapping[str, int], limit: int | None) -> None:
    ranked = sorted((name for name in numbers if numbers[name]), key=lambda name: (-numbers[name], name))
    digits = len(f"{numbers[ranked[0]]:,}") if ranked else 0
    _list(heading, [f"{numbers[name]:>{digits},}  {name}" for name in ranked[:limit]], len(ranked))


def _list(heading: str, lines: Sequence[str], whole: int = 0) -> None:
    """A heading and what belongs to it; of `whole` entries the ones that are not shown are counted."""
    if not lines:
        return
    drawing.show("", drawing.text(heading, "dim"), *(drawing.text(f"  {line}") for line in lines))
    if whole > len(lines):
        drawing.show(drawing.text(f"  and {whole - len(lines):,} more", "dim"))
