"""`duck jobs` shows queues and runs, and acts on runs."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.cli.calling import Script, call

RUN: dict[str, Any] = {
    "id": "01a2235d-d6b2-732f-b092-3b5c57e5b8ed",
    "workflow": "analyze-project",
    "version": 1,
    "queue": "analysis",
    "state": "failed",
    "created_ms": 0,
    "attempts": 1,
    "error": "the folder is gone",
}
QUEUE = {"queue": "analysis", "by_state": {"failed": 1, "waiting": 2}, "oldest_waiting_s": 200.0, "done_per_minute": 7}


def test_queues_and_runs_are_shown_with_ids_whole_and_errors_said() -> None:
    outcome = call("jobs", script=Script({"queues": [QUEUE], "runs": [RUN]}), COLUMNS="110")
    head, counted, _, _, run = outcome.out.splitlines()
    assert head.split() == [
        *("queue", "waiting", "delayed", "working", "paused", "done", "failed", "dead", "cancelled", "oldest", "waits"),
        *("a", "minute"),
    ]
    assert counted.split() == ["analysis", "2", "1", "3", "min", "7"]
    assert run.startswith(f"{RUN['id']}  analyze-project  failed ")
    assert run.endswith("the folder is gone")


def test_runs_are_chosen_by_state_and_queue() -> None:
    script = Script({"queues": [], "runs": []})
    call("jobs", "--state", "failed", "--state", "dead", "--queue", "analysis", "--limit", "3", script=script)
    assert script.asked == [("jobs", {"limit": 3, "states": ["failed", "dead"], "queue": "analysis"})]


def test_each_named_run_is_acted_on() -> None:
    script = Script({"runs": [RUN]})
    outcome = call("jobs", "retry", "one", "two", "--json", script=script)
    assert [(asked["type"], asked["run"]) for _, asked in script.asked] == [("retry", "one"), ("retry", "two")]
    assert outcome.code == 0
    assert outcome.out.count('"id"') == 2
    assert call("jobs", "cancel", script=script).code == 2


def test_an_answer_is_shown_for_people() -> None:
    answer = {
        "counts": {"high": 1, "low": 0},
        "failed": [],
        "worst": ["one.py:1", "two.py:2"],
        "odd": [{"a": [1]}],
    }
    outcome = call("workflow", "show", RUN["id"], script=Script({"runs": [RUN | {"answer": answer}]}))
    assert outcome.out.splitlines()[-5:] == [
        "counts  high 1, low 0",
        "failed  none",
        "worst   one.py:1",
        "        two.py:2",
        'odd     [{"a": [1]}]',
    ]


def test_watching_into_a_pipe_writes_a_line_each_time_and_interrupted_ends_well() -> None:
    answer = {"queues": [QUEUE], "runs": []}
    asked: list[int] = []

    class Interrupted(Script):
        async def run(self, name: str, request: dict[str, Any]) -> Any:
            asked.append(1)
            if len(asked) > 2:
                raise KeyboardInterrupt
            async for piece in super().run(name, request):
                yield piece

    outcome = call("jobs", "--watch", "--json", "--every", "0.2", script=Interrupted(answer))
    assert outcome.code == 0
    assert [json.loads(line) for line in outcome.out.splitlines()] == [answer, answer]
