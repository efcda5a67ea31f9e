"""Let one engine answer many requests, durably."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.failures import FAILED
from rubber_duck.cli.files import read_text, require_folder, write_report
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder
from rubber_duck.cli.running import follow, show_run, start, took
from rubber_duck.errors import DuckError

_LIMIT_BYTES: Final = 20_000_000
_SAID: Final = 300


@click.command(cls=Command, name="batch")
@click.argument("engine", default="", help="The engine; `duck engines` lists them.")
@click.argument(
    "file",
    type=click.Path(),
    default="",
    help="A file with one request, as JSON, on each line, or with a list of them; - for standard input.",
)
@click.option("--at-once", type=click.IntRange(1, 16), default=2, help="How many are worked on at once.  [default: 2]")
@click.option("--detach", is_flag=True, help="Only queue it; `duck work` or a server carries it out.")
@click.option("--resume", metavar="RUN", default="", help="Go on with a batch that was interrupted or stopped.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["jsonl", "json", "plain"]),
    default="jsonl",
    show_default=True,
    help="How the answers are written.",
)
@click.option("-o", "--output", type=click.Path(), default="", help="Write them into this file.")
def command(engine: str, file: str, at_once: int, detach: bool, resume: str, **how: str) -> int:
    """Let one engine answer many requests, each in a step of its own; what one fails with leaves the others.

    The answers come in the order of the requests, with the number of each. Interrupted, nothing that was answered is
    lost: `duck batch --resume RUN` goes on. It ends with 2 when a request failed.
    """
    if resume and (engine or file):
        raise click.UsageError("--resume goes on with what was asked then: leave out the engine and the file")
    if not resume and not (engine and file):
        raise click.UsageError("name an engine and a file with its requests")
    if how["output"]:
        require_folder(how["output"])
    if resume:
        run = follow(_batch(resume), resume=True)
    else:
        requests = list(_requests(read_text(file, _LIMIT_BYTES), file))
        if not requests:
            raise click.UsageError(f"{file} holds no request")
        asked = {"engine": engine, "requests": requests, "at_once": at_once}
        run = start({"workflow": "batch", "request": asked, "directory": current_folder()}, wait=not detach)
    return _told(run, how["format_"], how["output"])


def _batch(run: str) -> str:
    """The id of a run that is a batch."""
    found = ask("workflow", {"type": "show", "run": run})["runs"][0]
    if found["workflow"] != "batch":
        raise click.UsageError(f"the run {found['id']} is no batch, but {found['workflow']!r}")
    return str(found["id"])


def _told(run: dict[str, Any], form: str, output: str) -> int:  # Any: a view of the engine
    if run.get("answer") is None:
        if not current().quiet:
            show_run(run)
        return FAILED if run["state"] in ("failed", "dead", "cancelled") else 0
    answers = [{"number": number, **each} for number, each in enumerate(run["answer"]["answers"], 1)]
    failed = sum(1 for each in answers if each.get("error"))
    summary = {"run": run["id"], "requests": len(answers), "answered": len(answers) - failed, "failed": failed}
    if output:
        try:
            write_report(output, _written({**summary, "answers": answers}, form))
        except DuckError:
            terminal.note(f"the answers are kept: `duck batch --resume {run['id']} --output FILE` writes them")
            raise
    elif form == "plain":
        drawing.show(_table(answers))
    else:
        terminal.write_utf8(_written({**summary, "answers": answers}, form))
    if not current().quiet:
        said = f"{summary['answered']:,} of {terminal.counted(len(answers), 'request')} answered"
        terminal.note(f"{said} in {took(run)}" + (f", {failed:,} failed" if failed else ""))
    return FAILED if failed else 0


def _written(batch: dict[str, Any], form: str) -> str:  # Any: as above
    if form == "json":
        return json.dumps(batch, indent=2, ensure_ascii=True) + "\n"
    if form == "jsonl":
        return "".join(json.dumps(each, ensure_ascii=True) + "\n" for each in batch["answers"])
    return "".join(f"{each['number']:>5}  {_said(each)}\n" for each in batch["answers"])


def _table(answers: list[dict[str, Any]]) -> Any:  # Any: as above; rich's table
    table = drawing.table("", "", "answer", right=("",), wrap=("answer",))
    for each in answers:
        is_well = not each.get("error")
        state = drawing.text("answered" if is_well else each["code"], "green" if is_well else "bold red")
        table.add_row(str(each["number"]), state, drawing.name(_said(each)))
    return table


def _said(answer: dict[str, Any]) -> str:  # Any: as above
    said = answer.get("error") or json.dumps(answer.get("answer"), ensure_ascii=False)
    return terminal.printable(said if len(said) <= _SAID else said[: _SAID - 1] + "…")


def _requests(text: str, file: str) -> Iterator[dict[str, Any]]:  # Any: each engine has a request of its own
    if text.lstrip().startswith("["):
        yield from _listed(text, file)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _object(_parsed(line, f"line {number} of {file}"), f"line {number} of {file}")


def _listed(text: str, file: str) -> Iterator[dict[str, Any]]:  # Any: as above
    for number, each in enumerate(_parsed(text, file), 1):
        yield _object(each, f"entry {number} of {file}")


def _parsed(text: str, where: str) -> Any:  # Any: JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{where} is not JSON: {error}") from None


def _object(request: Any, where: str) -> dict[str, Any]:  # Any: JSON
    if not isinstance(request, dict):
        raise click.UsageError(f"{where} is no JSON object")
    return request
