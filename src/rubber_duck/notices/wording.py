"""What notices say, and how they are kept."""

from __future__ import annotations

from typing import Any

from rubber_duck import telemetry
from rubber_duck.channels.store import Letter
from rubber_duck.errors import BudgetExceeded, normalize
from rubber_duck.notices.notice import Kind, Notice, Told
from rubber_duck.workflows.moves import Ended, WaitsFor
from rubber_duck.workflows.workflow import workflows


def end_of(ended: Ended) -> Notice:
    """That a run finished, failed, or spent what may be spent."""
    key = f"{ended.run}:{ended.times}"
    if ended.state == "done":
        return Notice(Kind.FINISHED, key, f"{ended.workflow} has finished", _said(ended), ended.run, ended.project)
    kind = Kind.BUDGET if ended.code == BudgetExceeded.code else Kind.FAILED
    title = f"{ended.workflow} {_failed(ended)}"
    text = f"{ended.error}\n`duck workflow show {ended.run}` tells more, `duck jobs retry {ended.run}` tries again."
    return Notice(kind, key, title, text.strip(), ended.run, ended.project)


def approval_of(waits: WaitsFor) -> Notice:
    """That a run waits for a signal."""
    text = f"Write `duck workflow signal {waits.run} {waits.signal} VALUE`; VALUE is JSON, such as true."
    title = f"{waits.workflow} waits for {waits.signal!r}"
    key = f"{waits.run}:{waits.signal}:{waits.key}"
    return Notice(Kind.APPROVAL, key, title, text, waits.run, waits.project)


def payload_of(notice: Notice) -> dict[str, Any]:  # Any: JSON
    """A notice as it is kept."""
    return {
        "kind": notice.kind.value,
        "title": notice.title,
        "text": notice.text,
        "run": notice.run,
        "project": "" if notice.project is None else str(notice.project),
    }


def told_of(letter: Letter) -> Told:
    """A notice from what is kept of it."""
    kept = letter.payload
    return Told(
        letter.number,
        Kind(kept["kind"]),
        kept["title"],
        kept["text"],
        kept["run"],
        kept["project"],
        letter.created_at,
        letter.is_seen,
    )


def _failed(ended: Ended) -> str:
    match ended.state:
        case "dead":
            return "was begun too often and is given up"
        case "cancelled":
            return "took longer than it may and was cancelled"
        case _:
            return "has failed"


def _said(ended: Ended) -> str:
    """What the workflow says of its answer; nothing where it cannot, as of one that an older version gave."""
    workflow = workflows.discover().get(ended.workflow)
    if workflow is None or ended.answer is None:
        return ended.error
    try:
        return str(workflow.said(ended.answer))
    except Exception as error:  # noqa: BLE001  # a package's own words: that the run has finished is true without them
        telemetry.emit("notice.wordless", workflow=ended.workflow, run=ended.run, error=normalize(error).message)
        return ""
