"""Let one engine answer many requests, durably."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from rubber_duck.cli import terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.failures import FAILED
from rubber_duck.cli.invocation import current


@click.command(cls=Command, name="batch")
@click.argument("engine", help="The engine; `duck engines` lists them.")
@click.argument("file", type=click.Path(), help="A file with one request, as JSON, on each line; - for standard input.")
@click.option("--at-once", type=click.IntRange(1, 16), default=2, help="How many are worked on at once.  [default: 2]")
@click.option("--detach", is_flag=True, help="Only queue it; `duck work` carries it out.")
def command(engine: str, file: str, at_once: int, detach: bool) -> int:
    """Let one engine answer many requests; a line of JSON is written for each, in their order.

    Interrupted, nothing that was answered is lost: `duck work` goes on, `duck workflow show RUN` has the answers.
    """
    asked = {"engine": engine, "requests": _requests(file), "at_once": at_once}
    answer = ask("workflow", {"type": "start", "workflow": "batch", "request": asked, "wait": not detach})
    (run,) = answer["runs"]
    if run.get("answer") is None:
        if not current().quiet:
            said = f": {run['error']}" if run.get("error") else ""
            terminal.note(f"the run {run['id']} is {run['state']}{said}")
        return 0 if detach else FAILED
    for each in run["answer"]["answers"]:
        terminal.write_utf8(json.dumps(each, ensure_ascii=True))
    return FAILED if any(each.get("error") for each in run["answer"]["answers"]) else 0


def _requests(file: str) -> list[dict[str, Any]]:  # Any: each engine has a request of its own
    text = sys.stdin.read() if file == "-" else Path(file).read_text()
    requests = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                request = json.loads(line)
            except ValueError as error:
                raise click.UsageError(f"line {number} of {file} is not JSON: {error}") from None
            if not isinstance(request, dict):
                raise click.UsageError(f"line {number} of {file} is no JSON object")
            requests.append(request)
    return requests
