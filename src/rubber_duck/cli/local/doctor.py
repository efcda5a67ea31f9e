"""Look whether everything RubberDuck stands on is in order, and say what to do where it is not."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import click

from rubber_duck.cli import connection, drawing
from rubber_duck.cli.command import Command
from rubber_duck.cli.examination import examine
from rubber_duck.cli.failures import FAILED
from rubber_duck.cli.invocation import current
from rubber_duck.cli.verdict import State, Verdict
from rubber_duck.errors import DuckError
from rubber_duck.settings import Settings, load
from rubber_duck.telemetry.libraries import libraries_heard

_STYLES: Final = {State.WELL: "green", State.NOTE: "yellow", State.ILL: "bold red"}


@click.command(cls=Command, name="doctor")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> int:
    """Look whether everything RubberDuck stands on is in order, and say what to do where it is not.

    Ends with 0 when it can work, with 2 when something keeps it from working.
    """
    try:
        settings, broken = connection.settings_for(current().log_level), None
    except DuckError as error:
        advice = "correct it; `duck config check` says whether it is right. Below, defaults hold"
        settings, broken = _defaults(), Verdict(State.ILL, "settings", error.message, advice)
    with libraries_heard():
        verdicts = asyncio.run(_all(settings, broken, show=not as_json))
    if as_json:
        drawing.machine([_plain(each) for each in verdicts])
    return FAILED if any(each.state is State.ILL for each in verdicts) else 0


async def _all(settings: Settings, broken: Verdict | None, *, show: bool) -> list[Verdict]:
    verdicts = [broken or Verdict(State.WELL, "settings", f"profile {settings.profile}")]
    if show:
        _show(verdicts[0])
    async for verdict in examine(settings):
        verdicts.append(verdict)
        if show:
            _show(verdict)
    return verdicts


def _show(verdict: Verdict) -> None:
    state = drawing.text(verdict.state.value, _STYLES[verdict.state])
    drawing.show(
        drawing.line(state, drawing.text(f" {verdict.subject:<12} ", "bold"), drawing.text(_called(verdict.seen)))
    )
    if verdict.advice:
        drawing.show(drawing.text(f"{'':17}→ {_called(verdict.advice)}", _STYLES[verdict.state]))


def _defaults() -> Settings:
    """What holds without any file or variable but DUCK_HOME."""
    kept = {name: value for name, value in os.environ.items() if name == "DUCK_HOME"}
    return load({**kept, "DUCK_CONFIG": os.devnull})


def _plain(verdict: Verdict) -> dict[str, str]:
    return {
        "check": verdict.subject,
        "state": {State.WELL: "well", State.NOTE: "note", State.ILL: "ill"}[verdict.state],
        "seen": _called(verdict.seen),
        "advice": _called(verdict.advice),
    }


def _called(text: str) -> str:
    return current().as_called(text)
