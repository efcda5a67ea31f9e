"""Show how the queues do, once or live, and let runs try again, go on or stop."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current
from rubber_duck.cli.running import ask_and_show, lasted, runs_table

if TYPE_CHECKING:
    from rich.console import RenderableType

_STATES: Final = ("waiting", "delayed", "working", "paused", "done", "failed", "dead", "cancelled")
_ALL_STATES: Final = ("waiting", "delayed", "working", "paused", "cancelled", "failed", "dead", "done")
_QUEUES: Final = ("indexing", "analysis", "generation", "notification")
_NUMBERS: Final = (*_STATES, "oldest waits", "a minute")

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_runs = click.argument("runs", nargs=-1, required=True, metavar="RUN…", help="Their ids, or the ends of them.")


@click.group(cls=Group, name="jobs", invoke_without_command=True)
@click.option("--limit", type=click.IntRange(0, 1000), default=10, help="The newest runs, so many.  [default: 10]")
@click.option("--state", "states", type=click.Choice(_ALL_STATES), multiple=True, help="Only runs in this state.")
@click.option("--queue", type=click.Choice(_QUEUES), default=None, help="Only runs in this queue.")
@click.option("-w", "--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option("--every", "every_s", type=click.FloatRange(0.2, 3600), default=2.0, help="Seconds. [default: 2]")
@_json
@click.pass_context
def command(
    context: click.Context, /, as_json: bool, watch: bool, every_s: float, **chosen: Any
) -> None:  # Any: click's
    """Show how the queues do: counts, ages, throughput, failures, and the newest runs.

    `duck jobs --watch` keeps it up to date; into a pipe it writes one line of JSON each time with --json.
    """
    if context.invoked_subcommand is not None:
        return
    request = {"limit": chosen["limit"], "states": list(chosen["states"]), "queue": chosen["queue"] or ""}
    if not watch:
        answer = ask("jobs", request)
        if as_json:
            drawing.machine(answer)
        else:
            _show(answer)
        return
    with _screen(as_json=as_json) as show:
        while True:
            show(ask("jobs", request))
            time.sleep(every_s)


@command.command("retry")
@_runs
@_json
def retry(runs: Sequence[str], as_json: bool) -> int:
    """Let failed or given-up runs try again from the step that failed; they are queued for `duck work`."""
    return _each("retry", runs, as_json=as_json)


@command.command("cancel")
@_runs
@_json
def cancel(runs: Sequence[str], as_json: bool) -> int:
    """Stop runs, with the step that each is in."""
    return _each("cancel", runs, as_json=as_json)


@command.command("pause")
@_runs
@_json
def pause(runs: Sequence[str], as_json: bool) -> int:
    """Stop runs so that they can go on later."""
    return _each("pause", runs, as_json=as_json)


@command.command("resume")
@_runs
@_json
def resume(runs: Sequence[str], as_json: bool) -> int:
    """Let stopped runs go on; they are queued for `duck work`."""
    return _each("resume", runs, as_json=as_json)


def _each(what: str, runs: Sequence[str], *, as_json: bool) -> int:
    return max(ask_and_show({"type": what, "run": run}, as_json=as_json) for run in runs)


@contextmanager
def _screen(*, as_json: bool) -> Iterator[Callable[[dict[str, Any]], None]]:  # Any: an answer of the engine
    """What shows an answer in place of the one before; one below the other where nobody looks. Ctrl-C ends it well."""
    try:
        if as_json:
            yield _line
        elif not terminal.is_terminal(sys.stdout):
            yield _show
        else:
            from rich.live import Live  # noqa: PLC0415  # only who watches pays

            with Live(console=terminal.console(current().color), auto_refresh=False) as live:
                yield lambda answer: live.update(_drawn(answer), refresh=True)
    except KeyboardInterrupt:
        return


def _line(answer: dict[str, Any]) -> None:  # Any: an answer of the engine
    terminal.write_utf8(json.dumps(answer, ensure_ascii=True))
    terminal.flush()


def _show(answer: dict[str, Any]) -> None:  # Any: an answer of the engine
    if not answer["queues"]:
        if not current().quiet:
            terminal.note(current().as_called("no run was ever queued; `duck workflow start` begins one"))
        return
    drawing.show(_queues(answer["queues"]))
    if answer["runs"]:
        drawing.show(drawing.text(""), runs_table(answer["runs"]))
    terminal.flush()


def _drawn(answer: dict[str, Any]) -> RenderableType:  # Any: an answer of the engine
    from rich.console import Group as Stack  # noqa: PLC0415  # as in _screen

    at = drawing.text(time.strftime("%H:%M:%S") + ", Ctrl-C ends", "dim")
    if not answer["queues"]:
        return Stack(drawing.text("no run was ever queued"), at)
    return Stack(_queues(answer["queues"]), drawing.text(""), runs_table(answer["runs"]), at)


def _queues(queues: Sequence[dict[str, Any]]) -> Any:  # Any: as above; rich's table
    table = drawing.table("queue", *_NUMBERS, right=_NUMBERS)
    for each in queues:
        counts = [str(each["by_state"].get(state, "")) for state in _STATES]
        age = each["oldest_waiting_s"]
        table.add_row(each["queue"], *counts, "" if age is None else lasted(age), str(each["done_per_minute"]))
    return table
