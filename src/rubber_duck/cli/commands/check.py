"""Run a command, such as a project's tests, on a private copy in the sandbox."""

from __future__ import annotations

import os
from typing import Any, Final

import click

from rubber_duck.cli import drawing, failures, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.files import read_text
from rubber_duck.cli.invocation import current

_LIMIT_BYTES: Final = 20_000_000
_WHY: Final = {
    "time": "it took longer than --timeout allows",
    "cpu": "it took more processor time than --timeout allows",
    "memory": "it took more memory than --memory allows",
    "output": "it wrote more than 1 MB",
}


@click.command(cls=Command, name="check", context_settings={"ignore_unknown_options": True})
@click.argument(
    "argv", nargs=-1, type=click.UNPROCESSED, metavar="[--] COMMAND …", help="What to run.  [default: pytest]"
)
@click.option(
    "--edits", type=click.Path(), metavar="FILE", help="Apply a model's answer or a patch to the copy before."
)
@click.option("--read", "reads", multiple=True, type=click.Path(), help="A folder that it may read; may be repeated.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3_000, min_open=True),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Seconds.",
)
@click.option(
    "--memory", type=click.IntRange(16), default=2_048, show_default=True, metavar="MB", help="Memory in all."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(argv: tuple[str, ...], edits: str | None, reads: tuple[str, ...], timeout: float, **more: Any) -> int:
    """Run a command, such as a project's tests, on a private copy in the sandbox.

    It has no network, reads nothing of yours but the copy, and writes nowhere else; nothing that it starts outlives it.
    Ends with 0 when the command does, with 1 when it does not.
    """
    answer = ask(
        "check",
        {
            "command": list(argv),
            "directory": os.getcwd(),
            "edits": read_text(edits, _LIMIT_BYTES) if edits else "",
            "reads": [os.path.realpath(path) for path in reads],
            "timeout_s": timeout,
            "memory_bytes": more["memory"] << 20,
        },
    )
    if more["as_json"]:
        drawing.machine(answer)
    else:
        for text in (answer["output"], answer["errors"]):
            if text:
                terminal.write(terminal.printable(text))
        _say(answer)
    return 0 if answer["passed"] else 1


def _say(answer: dict[str, Any]) -> None:
    copied = f"on a copy of {terminal.counted(answer['files'], 'file')}, {answer['left_out']:,} left out"
    ended = answer["ended"]
    if answer["passed"]:
        if not current().quiet:
            terminal.note(f"passed, {copied}")
    elif ended == "exit":
        failures.say(current(), f"it ended with {answer['code']}, {copied}")
    elif ended == "start":
        failures.say(current(), f"it could not be started: {answer['why']}")
    else:
        why = _WHY.get(ended) or f"signal {answer['code']} ended it"
        failures.say(current(), f"{why}, so it was stopped, {copied}" if ended in _WHY else f"{why}, {copied}")
