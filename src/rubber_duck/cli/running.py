"""How runs of workflows are drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rubber_duck.cli import drawing

STYLES: Final = {
    "done": "green",
    "working": "bold cyan",
    "paused": "yellow",
    "cancelled": "yellow",
    "failed": "bold red",
    "dead": "bold white on red",
}

_STEPS: Final = 60


def show_runs(runs: Sequence[dict[str, Any]]) -> None:  # Any: views of the engine
    """A table of runs."""
    drawing.show(runs_table(runs))


def runs_table(runs: Sequence[dict[str, Any]]) -> Any:  # Any: as above; rich's table
    """The table of runs."""
    table = drawing.table("run", "workflow", "state", "progress", "begun", "took", right=("took",))
    for run in runs:
        state = drawing.text(run["state"], STYLES.get(run["state"], ""))
        table.add_row(run["id"], run["workflow"], state, _progress(run), moment(run["created_ms"]), took(run))
    return table


def show_run(run: dict[str, Any]) -> None:  # Any: as above
    """One run with its steps."""
    shown: dict[str, object] = {
        "run": run["id"],
        "workflow": f"{run['workflow']} (version {run['version']}, queue {run['queue']})",
        "state": drawing.text(run["state"], STYLES.get(run["state"], "")),
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


def took(run: dict[str, Any]) -> str:  # Any: as above
    """Seconds from its beginning to its end; empty while either is missing."""
    began, ended = run.get("started_ms"), run.get("ended_ms")
    return "" if began is None or ended is None else f"{(ended - began) / 1000:,.1f} s"


def _progress(run: dict[str, Any]) -> str:  # Any: as above
    done, total = run.get("done", 0), run.get("total", 0)
    counted = f"{done:,} of {total:,}" if total else ""
    return " ".join(part for part in (counted, run.get("note", "")) if part)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
