"""How runs of workflows are drawn."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.failures import FAILED
from rubber_duck.cli.invocation import current
from rubber_duck.errors import Unavailable

STYLES: Final = {
    "done": "green",
    "working": "bold cyan",
    "paused": "yellow",
    "cancelled": "yellow",
    "failed": "bold red",
    "dead": "bold white on red",
}

_SAID: Final = 160
_STEPS: Final = 60
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def ask_and_show(request: dict[str, Any], *, as_json: bool, verdict: bool = False) -> int:  # Any: of the engine
    """Ask the engine `workflow` about one run and show it; the exit code, which with `verdict` says how it ended."""
    (run,) = ask("workflow", request)["runs"]
    return told(run, as_json=as_json, verdict=verdict)


def told(run: dict[str, Any], *, as_json: bool, verdict: bool = False) -> int:  # Any: as above
    """Show one run; the exit code, which with `verdict` says how it ended."""
    if as_json:
        drawing.machine(run)
    elif not current().quiet:
        show_run(run)
    return FAILED if verdict and run["state"] in ("failed", "dead", "cancelled") else 0


def start(request: dict[str, Any], *, wait: bool) -> dict[str, Any]:  # Any: as above
    """Start a run, and unless `wait` is off work on it until it has ended; the run.

    Interrupted, the person is told how it goes on.
    """
    asked = {"type": "start", **request, "wait": False, "tell": not wait}
    run: dict[str, Any] = ask("workflow", asked)["runs"][0]  # Any: as above
    return follow(run["id"]) if wait else run


def follow(run: str, *, resume: bool = False) -> dict[str, Any]:  # Any: as above
    """Work on a run until it has ended, after letting it go on if `resume` is set; the run."""
    try:
        found: dict[str, Any] = ask("workflow", {"type": "follow", "run": run, "resume": resume})["runs"][
            0
        ]  # Any: as above
    except (KeyboardInterrupt, Unavailable):
        terminal.note(
            current().as_called(
                f"the run {run} is not lost: `duck workflow follow {run}` goes on with it, and so do `duck work` and a "
                f"server; `duck workflow cancel {run}` stops it"
            )
        )
        raise
    return found


def show_runs(runs: Sequence[dict[str, Any]]) -> None:  # Any: views of the engine
    """A table of runs."""
    drawing.show(runs_table(runs))


def runs_table(runs: Sequence[dict[str, Any]]) -> Any:  # Any: as above; rich's table
    """The table of runs; what is told of a run takes the room that the ids leave."""
    table = drawing.table("run", "workflow", "state", "age", "took", "said", right=("age", "took"), wrap=("said",))
    now_ms = time.time() * 1000
    for run in runs:
        state = drawing.text(run["state"], STYLES.get(run["state"], ""))
        is_open = run["state"] in ("working", "waiting", "delayed")
        said = run.get("waits") or (_progress(run) if is_open else run.get("error", ""))
        age = lasted((now_ms - run["created_ms"]) / 1000)
        table.add_row(run["id"], run["workflow"], state, age, took(run), current().as_called(said)[:_SAID])
    return table


def show_run(run: dict[str, Any]) -> None:  # Any: as above
    """One run with its steps."""
    shown: dict[str, object] = {
        "run": run["id"],
        "workflow": f"{run['workflow']} (version {run['version']}, queue {run['queue']})",
        "state": drawing.text(run["state"], STYLES.get(run["state"], "")),
        "waits": current().as_called(run.get("waits", "")),
        "progress": _progress(run),
        "begun": f"{moment(run['created_ms'])}, {run['attempts']} times" if run["attempts"] > 1 else "",
        "took": took(run),
        "error": run.get("error", ""),
    }
    drawing.show(drawing.facts({key: value for key, value in shown.items() if value}))
    steps = run.get("steps", ())
    if steps:
        table = drawing.table("", "step", "took", "error", right=("", "took"), wrap=("error",))
        for step in steps[:_STEPS]:
            duration = step.get("duration_ms")
            lasted = "" if duration is None else f"{duration / 1000:,.2f} s"
            table.add_row(str(step["number"]), drawing.name(step["name"]), lasted, drawing.text(step.get("error", "")))
        drawing.show(table)
    if run.get("answer") is not None:
        answer = run["answer"]
        facts = (
            {key: _shown(value) for key, value in answer.items()} if isinstance(answer, dict) else {"answer": answer}
        )
        drawing.show(drawing.facts(facts))


def moment(ms: int) -> str:
    """A moment in UTC, to the second."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def lasted(seconds: float) -> str:
    """A length of time in its largest unit: `12 s`, `3 min`, `2 h`, `5 d`."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), (1, "s"))
    return f"{max(0.0, seconds) / size:,.0f} {unit}"


def took(run: dict[str, Any]) -> str:  # Any: as above
    """Seconds from its beginning to its end; empty while either is missing."""
    began, ended = run.get("started_ms"), run.get("ended_ms")
    return "" if began is None or ended is None else f"{(ended - began) / 1000:,.1f} s"


def _progress(run: dict[str, Any]) -> str:  # Any: as above
    done, total = run.get("done", 0), run.get("total", 0)
    counted = f"{done:,} of {total:,}" if total else ""
    return " ".join(part for part in (counted, run.get("note", "")) if part)


def _shown(value: object) -> str:
    """For people: a list line by line, a mapping of plain values in a row, and what is nested deeper as JSON."""
    if value is None or value in ([], {}):
        return "none"
    match value:
        case str():
            return value
        case list() if all(isinstance(each, str) for each in value):
            return "\n".join(value)
        case dict() if all(isinstance(each, (str, int, float)) for each in value.values()):
            return ", ".join(f"{key} {each}" for key, each in value.items())
    return json.dumps(value, ensure_ascii=False)
