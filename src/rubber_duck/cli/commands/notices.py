"""Show what one was told while away, and choose how one is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current
from rubber_duck.cli.running import lasted

KINDS: Final = ("finished", "failed", "approval", "budget")
WAYS: Final = ("mail", "webhook")
_STYLES: Final = {"failed": "bold red", "budget": "bold red", "approval": "yellow", "finished": "green"}

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_by = click.argument("by", type=click.Choice(WAYS), help="How one is told.")


@click.group(cls=Group, name="notices", invoke_without_command=True)
@click.option("--all", "all_", is_flag=True, help="Also what one has seen; the newest first.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="At most so many.  [default: 50]")
@_json
@click.pass_context
def command(context: click.Context, /, all_: bool, limit: int, as_json: bool) -> None:
    """Show what one was told while away, and choose how one is told.

    Who queues a run is told when it has finished or failed, when it waits for their word, and when a budget is used
    up. Notices are kept until they were seen, for as long as notices.kept_days says.
    """
    if context.invoked_subcommand is not None:
        return
    answer = ask("notices", {"type": "list", "all": all_, "limit": limit})
    if as_json:
        drawing.machine(answer)
    else:
        _show(answer)


@command.command("seen")
@click.argument("number", type=int, default=0, help="The last that was seen; without it, all.")
def seen(number: int) -> None:
    """Say that one has seen all, or all up to a number."""
    left = len(ask("notices", {"type": "seen", "number": number}).get("notices", ()))
    if not current().quiet:
        terminal.note(f"{terminal.counted(left, 'notice')} left")


@command.command("ways")
@_json
def ways(as_json: bool) -> None:
    """Show how one is told, and which ways there are."""
    _show_ways(ask("notices", {"type": "ways"}), as_json=as_json)


@command.command("way")
@_by
@click.argument("to", help="A mail address, or the name of a webhook.")
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Of what.  [default: all but finished]")
@_json
def way(by: str, to: str, kinds: Sequence[str], as_json: bool) -> None:
    """Be told by mail, or by a webhook that an administrator made in duck.toml."""
    asked = {"type": "way", "by": by, "to": to, "kinds": list(kinds)}
    _show_ways(ask("notices", asked), as_json=as_json)


@command.command("drop")
@_by
@_json
def drop(by: str, as_json: bool) -> None:
    """Be told by that way no more."""
    _show_ways(ask("notices", {"type": "drop", "by": by}), as_json=as_json)


@command.command("try")
@_by
def try_(by: str) -> None:
    """Send a notice by that way now, and say whether the other side took it."""
    ask("notices", {"type": "try", "by": by})
    if not current().quiet:
        terminal.note("sent: the other side took it")


def _show(answer: dict[str, Any]) -> None:  # Any: an answer of the engine
    if answer.get("lost") and not current().quiet:
        lost = terminal.counted(answer["lost"], "notice")
        terminal.note(f"{lost} went unseen: they were too old, or too many came after them")
    notices = answer.get("notices", ())
    if not notices:
        if not current().quiet:
            terminal.note(current().as_called("there is nothing new; `duck notices --all` shows what was"))
        return
    table = drawing.table("", "kind", "age", "what", right=("", "age"), wrap=("what",))
    now = time.time()
    for each in notices:
        age = lasted(now - datetime.fromisoformat(each["at"]).timestamp())
        said = "\n".join(part for part in (each["title"], each.get("text", "")) if part)
        kind = drawing.text(each["kind"], _STYLES[each["kind"]])
        table.add_row(str(each["number"]), kind, age, drawing.text(current().as_called(said)))
    drawing.show(table)


def _show_ways(answer: dict[str, Any], *, as_json: bool) -> None:  # Any: an answer of the engine
    if as_json:
        drawing.machine(answer)
        return
    chosen = answer.get("ways", ())
    if chosen:
        table = drawing.table("by", "to", "of what", wrap=("of what",))
        for each in chosen:
            table.add_row(each["by"], drawing.text(each["to"]), ", ".join(each["kinds"]))
        drawing.show(table)
    if current().quiet:
        return
    if not chosen:
        terminal.note(current().as_called("you are told here alone, by `duck notices`"))
    if not answer.get("mail"):
        terminal.note("there is no mail: an administrator sets mail.host in duck.toml")
    hooks = ", ".join(answer.get("webhooks", ()))
    terminal.note(f"webhooks: {hooks}" if hooks else "there are no webhooks: [notices.webhooks.<name>] in duck.toml")
