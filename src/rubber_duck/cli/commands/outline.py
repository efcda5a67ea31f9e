"""Show what a file defines, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from rubber_duck.cli import drawing, failures, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder

if TYPE_CHECKING:
    from rubber_duck.cli.styled import Text

_SHORT: Final = len(" false")
"""What a decorator is given is shown up to this length."""


@click.command(cls=Command, name="outline")
@click.argument("path", type=click.Path(), help="A file.")
@click.option("--language", default="", metavar="NAME", help="Its language, when its name does not say it.")
@click.option("--public", is_flag=True, help="Leave out what is private.")
@click.option("--docs", is_flag=True, help="With the first sentence of each documentation.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(path: str, language: str, public: bool, docs: bool, as_json: bool) -> int:
    """Show what a file defines, as a tree: modules, classes, functions, with their lines.

    Ends with 0, also where some lines could not be understood; with 2 when the file could not be read as it is.
    """
    request = {"path": path, "directory": current_folder(), "language": language, "private": not public}
    answer = ask("outline", request)
    if as_json:
        drawing.machine(answer)
    else:
        _show(path, answer, docs=docs)
    for sentence in answer["refused"]:
        failures.say(current(), sentence)
    return failures.FAILED if answer["refused"] else 0


def _show(path: str, answer: dict[str, Any], *, docs: bool) -> None:
    if answer["entries"]:
        drawing.show(*_lines(answer["entries"], len(str(answer["lines"])), 0, docs=docs))
    elif not current().quiet:
        terminal.note(f"{terminal.printable_name(path)} defines nothing")
    for problem in answer["problems"]:
        terminal.note(terminal.printable_name(f"{path}:{problem['line']}: {problem['message']}"))


def _lines(entries: list[dict[str, Any]], digits: int, depth: int, *, docs: bool) -> Iterator[Text]:
    for entry in entries:
        first, last = entry["start_line"], entry["end_line"]
        place = f"{first:>{digits}}-{last}" if last != first else f"{first:>{digits}}"
        decorators = "".join(f"@{_short(each)} " for each in entry.get("decorators", ()))
        spec = f"  {entry['spec'].removeprefix(entry['name'])}" if entry.get("spec") else ""
        begin = drawing.text(f"{place:<{2 * digits + 3}}{'  ' * depth}{decorators}", "dim")
        yield begin + _head(entry) + drawing.text(spec, "dim")
        if docs and entry.get("doc"):
            yield drawing.text(f"{'':<{2 * digits + 3}}{'  ' * depth}    {entry['doc']}", "dim italic")
        yield from _lines(entry.get("children", []), digits, depth + 1, docs=docs)


def _short(decorator: str) -> str:
    """A decorator with `…` for what it is given, unless that is short: `app.route(…)`, `deprecated …`, `impl true`."""
    end = next((at for at, each in enumerate(decorator) if each in " ("), len(decorator))
    name, rest = decorator[:end], decorator[end:]
    if len(rest) <= _SHORT:
        return decorator
    return f"{name}(…)" if rest.startswith("(") else f"{name} …"


def _head(entry: dict[str, Any]) -> Text:
    """The signature, the name in it emphasised; the kind and the name where there is no signature."""
    if entry["head"] == entry["name"]:
        return drawing.text(f"{entry['kind']} ", "dim") + drawing.text(entry["name"], "bold")
    head, name = terminal.printable(entry["head"]), terminal.printable(entry["name"])
    before, found, behind = head.partition(name) if name else (head, "", "")
    return drawing.text(before) + drawing.text(found, "bold") + drawing.text(behind)
