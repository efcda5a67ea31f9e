"""Show, recall, add, condense, export and forget what is remembered."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder
from rubber_duck.errors import InvalidInput, normalize

F = TypeVar("F", bound=Callable[..., Any])

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_project = click.option("--project", default="", help="A project's name or id.  [default: that of the folder]")
_personal = click.option("--personal", is_flag=True, help="What belongs to no project, and holds in each.")


def _somewhere(function: F) -> F:
    return _project(_personal(_json(function)))


@click.group(cls=Group, name="memory")
def command() -> None:
    """Show, recall, add, condense, export and forget what is remembered of you.

    It lies in your own database, with secrets taken out. Others see only what you share in a project.
    """


@command.command("list")
@click.option("--everywhere", is_flag=True, help="In every project, and in none.")
@_somewhere
def list_(everywhere: bool, as_json: bool, **where: Any) -> None:  # Any: options of every type
    """List what is remembered of you."""
    answer = _asked("list", where, everywhere=everywhere)
    if as_json:
        drawing.machine(answer["memories"])
    elif not answer["memories"]:
        terminal.note("nothing is remembered here")
    else:
        _show(answer["memories"])


@command.command("recall")
@click.argument("query", help="The question.")
@click.option("--most", default=10, show_default=True, help="So many.")
@_somewhere
def recall(query: str, most: int, as_json: bool, **where: Any) -> None:  # Any: as above
    """Find what fits a question, and say why."""
    answer = _asked("recall", where, query=query, most=most)
    if as_json:
        drawing.machine(answer["memories"])
        return
    if not answer["memories"]:
        terminal.note("nothing that is remembered fits")
    for each in answer["memories"]:
        words = drawing.text(" ".join(each["text"].split()))
        score, kind = drawing.text(f"{each['score']:.2f}", "green"), drawing.text(each["kind"], "cyan")
        drawing.show(drawing.line(score, kind, words))
        drawing.show(drawing.text(f"      {'; '.join(each['reasons'])}", "dim"))


@command.command("remember")
@click.argument("text", help="What.")
@click.option("--kind", default="", help="fact, preference or style.  [default: told by its words]")
@click.option("--shared", is_flag=True, help="Everybody in the project may recall it.")
@_somewhere
def remember(text: str, kind: str, shared: bool, as_json: bool, **where: Any) -> None:  # Any: as above
    """Remember something until it is forgotten."""
    answer = _asked("remember", where, text=text, kind=kind, shared=shared)
    if as_json:
        drawing.machine(answer["memories"][0])
    elif not current().quiet:
        kept = answer["memories"][0]
        terminal.write(terminal.printable(f"remembered as a {kept['kind']}: {kept['text']}"))


@command.command("note")
@click.argument("path", help="A file of JSON lines; - reads them from standard input.")
@_somewhere
def note(path: str, as_json: bool, **where: Any) -> None:  # Any: as above
    """Keep questions and answers of sessions, each a line such as {"session": "a", "asked": "…", "answered": "…"}."""
    answer = _asked("note", where, turns=list(_turns(path)))
    if as_json:
        drawing.machine({"noted": answer["changed"]})
    elif not current().quiet:
        terminal.write(f"{answer['changed']:,} interactions noted")


def _turns(path: str) -> Iterator[object]:
    try:
        content = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise normalize(error) from error
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise InvalidInput(f"line {number} is no JSON: {error}") from error


@command.command("brief")
@click.argument("query", help="The question.")
@click.option("--budget", default=500, show_default=True, help="Tokens at the most.")
@_somewhere
def brief(query: str, budget: int, as_json: bool, **where: Any) -> None:  # Any: as above
    """Show what a model would be told of what is remembered, within a budget."""
    answer = _asked("brief", where, query=query, budget_tokens=budget)
    if as_json:
        drawing.machine(answer)
        return
    terminal.write(terminal.printable(answer["text"]))
    terminal.note(f"{answer['tokens']:,} of {budget:,} tokens")


@command.command("consolidate")
@click.option("--everything", is_flag=True, help="Also what is not due yet.")
@_somewhere
def consolidate(everything: bool, as_json: bool, **where: Any) -> None:  # Any: as above
    """Condense interactions into facts, preferences, style and summaries."""
    answer = _asked("consolidate", where, everything=everything)
    if as_json:
        drawing.machine({name: answer[name] for name in ("changed", "kept", "again", "dropped")})
    elif not current().quiet:
        terminal.write(
            f"{answer['changed']:,} interactions condensed, {answer['kept']:,} memories new, "
            f"{answer['again']:,} said again, {answer['dropped']:,} dropped"
        )


@command.command("export")
@click.option("--everywhere", is_flag=True, help="In every project, and in none.")
@_project
@_personal
def export(everywhere: bool, **where: Any) -> None:  # Any: as above
    """Write everything that is remembered of you as JSON."""
    drawing.machine(_asked("list", where, everywhere=everywhere)["memories"])


@command.command("forget")
@click.argument("ids", nargs=-1, help="Their ids, as `duck memory list` shows them.")
@click.option("--all", "everything", is_flag=True, help="All that is yours in the project.")
@click.option("--everywhere", is_flag=True, help="All that is yours, in every project and in none.")
@_somewhere
def forget(ids: tuple[str, ...], everywhere: bool, as_json: bool, **where: Any) -> None:  # Any: as above
    """Forget, so that no trace is left in the database."""
    answer = _asked("forget", where, ids=list(ids), everywhere=everywhere)
    if as_json:
        drawing.machine({"forgotten": answer["changed"]})
    elif not current().quiet:
        terminal.write(f"{answer['changed']:,} forgotten")


def _asked(request: str, where: dict[str, Any], **fields: object) -> dict[str, Any]:
    answer: dict[str, Any] = ask("memory", {"type": request, **where, "directory": current_folder(), **fields})
    return answer


def _show(memories: list[dict[str, Any]]) -> None:
    table = drawing.table("id", "kind", "uses", "since", "text", right=("uses",), wrap=["text"])
    for each in memories:
        cells = (each["id"], each["kind"], f"{each['uses']:,}", each["created_at"][:10], " ".join(each["text"].split()))
        table.add_row(*map(drawing.text, cells))
    drawing.show(table)
