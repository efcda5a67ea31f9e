"""Start workflows, and list, show, cancel, pause, resume or retry runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from rubber_duck.cli import drawing, running, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder
from rubber_duck.cli.running import ask_and_show, show_runs, told

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_run = click.argument("run", help="The run's id, or its beginning or end.")


@click.group(cls=Group, name="workflow")
def command() -> None:
    """Start workflows, and list, show, cancel, pause, resume or retry runs.

    A run survives a kill: `duck work`, or any later start, goes on from the step it was in.
    """


@command.command("start")
@click.argument("workflow", help="Its name; `duck workflows` lists them.")
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]…", help="What it is asked, e.g. path=. format=json.")
@click.option("--detach", is_flag=True, help="Only queue it; `duck work` carries it out.")
@click.option("--key", default="", help="Of two runs with one key, the second is refused.")
@click.option("--priority", type=click.IntRange(1, 100), default=10, help="1 goes first.")
@click.option("--delay", "delay_s", type=float, default=None, help="Seconds before it may begin.")
@click.option("--timeout", "timeout_s", type=float, default=None, help="Seconds until it is cancelled.")
@_json
def start(workflow: str, values: Sequence[str], detach: bool, as_json: bool, **options: Any) -> int:  # Any: click's
    """Start a run, and follow it until it has ended; this process works on it, unless a server does.

    Interrupted, it is not lost: `duck workflow follow` goes on with it.
    """
    request = {"workflow": workflow, "request": _request(values), "directory": current_folder(), **options}
    return told(running.start(request, wait=not detach), as_json=as_json, verdict=True)


@command.command("follow")
@_run
@click.option("--resume", is_flag=True, help="Let it go on, or try again, if it was stopped or failed.")
@_json
def follow(run: str, resume: bool, as_json: bool) -> int:
    """Follow a run until it has ended; this process works on it, unless a server does."""
    return told(running.follow(run, resume=resume), as_json=as_json, verdict=True)


@command.command("list")
@click.option("--workflow", default="", help="Only of this workflow.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, help="At most so many.  [default: 20]")
@_json
def list_(workflow: str, limit: int, as_json: bool) -> None:
    """List runs, the newest first."""
    answer = ask("workflow", {"type": "list", "workflow": workflow, "limit": limit})
    if as_json:
        drawing.machine(answer)
    elif answer["runs"]:
        show_runs(answer["runs"])
    elif not current().quiet:
        terminal.note("there was no run yet; `duck workflow start` begins one")


@command.command("show")
@_run
@_json
def show(run: str, as_json: bool) -> int:
    """Show a run with its steps and the time each took."""
    return ask_and_show({"type": "show", "run": run}, as_json=as_json)


@command.command("cancel")
@_run
@_json
def cancel(run: str, as_json: bool) -> int:
    """Stop a run, with the step it is in."""
    return ask_and_show({"type": "cancel", "run": run}, as_json=as_json)


@command.command("pause")
@_run
@_json
def pause(run: str, as_json: bool) -> int:
    """Stop a run so that it can go on later."""
    return ask_and_show({"type": "pause", "run": run}, as_json=as_json)


@command.command("resume")
@_run
@_json
def resume(run: str, as_json: bool) -> int:
    """Let a stopped run go on; it is queued for `duck work`."""
    return ask_and_show({"type": "resume", "run": run}, as_json=as_json)


@command.command("retry")
@_run
@_json
def retry(run: str, as_json: bool) -> int:
    """Let a failed run try again from the step that failed; it is queued for `duck work`."""
    return ask_and_show({"type": "retry", "run": run}, as_json=as_json)


@command.command("signal")
@_run
@click.argument("name", help="The signal's name.")
@click.argument("value", default="null", help="JSON that comes with it.")
@_json
def signal(run: str, name: str, value: str, as_json: bool) -> int:
    """Send a run what it waits for; a second one is refused until it waits again."""
    return ask_and_show({"type": "signal", "run": run, "signal": name, "value": _value(value)}, as_json=as_json)


def _request(values: Sequence[str]) -> dict[str, Any]:  # Any: JSON values
    asked: dict[str, Any] = {}
    for each in values:
        key, separator, value = each.partition("=")
        if not separator or not key:
            raise click.UsageError(f"{each!r} is not of the form KEY=VALUE")
        asked[key] = _value(value)
    return asked


def _value(text: str) -> Any:  # Any: JSON values
    """JSON where it is such, otherwise the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
