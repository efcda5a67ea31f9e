"""Show how the queues do: what waits, works, ended and failed."""

from __future__ import annotations

import time
from typing import Any

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.cli.running import runs_table

_EVERY_S = 2.0
_STATES = ("waiting", "delayed", "working", "done", "failed", "dead", "cancelled")


@click.command(cls=Command, name="jobs")
@click.option("--limit", type=click.IntRange(0, 1000), default=10, help="The newest runs, so many.  [default: 10]")
@click.option("--watch", is_flag=True, help="Show it again and again until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(limit: int, watch: bool, as_json: bool) -> None:
    """Show how the queues do: counts, ages, throughput, and the newest runs.

    `duck workflow cancel RUN` and `duck workflow retry RUN` act on one.
    """
    while True:
        answer = ask("jobs", {"limit": limit})
        if as_json:
            drawing.machine(answer)
        else:
            _show(answer, clear=watch)
        if not watch:
            return
        time.sleep(_EVERY_S)


def _show(answer: dict[str, Any], *, clear: bool) -> None:  # Any: an answer of the engine
    if clear:
        click.clear()
    if not answer["queues"]:
        if not current().quiet:
            terminal.note("no run was ever queued; `duck workflow start` begins one")
        return
    table = drawing.table("queue", *_STATES, "oldest waits", "a minute", right=(*_STATES, "oldest waits", "a minute"))
    for each in answer["queues"]:
        counts = [str(each["by_state"].get(state, "")) for state in _STATES]
        age = each["oldest_waiting_s"]
        table.add_row(each["queue"], *counts, "" if age is None else f"{age:,.0f} s", str(each["done_per_minute"]))
    drawing.show(table)
    if answer["runs"]:
        drawing.show(runs_table(answer["runs"]))
