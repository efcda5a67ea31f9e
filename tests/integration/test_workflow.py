"""`duck workflow`, `duck jobs` and `duck batch` over a real project, and `duck work` in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from tests.factories import write_tree
from tests.integration.duck import COMMAND, duck, environment

FILES = {"a.py": "import os\n\n\ndef f():\n    return eval(input())\n", "b.py": "def g():\n    return 1\n"}


def test_a_project_is_analysed_in_steps_and_the_run_is_shown(tmp_path: Path) -> None:
    folder, home = write_tree(tmp_path / "p", FILES), tmp_path / "home"
    done = duck("workflow", "start", "analyze-project", "path=.", "format=json", "--json", home=home, cwd=folder)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert (run["state"], run["answer"]["files"], run["answer"]["failed_batches"]) == ("done", 2, 0)
    stages = ["validate", "detect", "analyse 1 of 1", "choose what to review", "aggregate", "report"]
    assert [step["name"] for step in run["steps"]] == stages
    assert json.loads(Path(run["answer"]["report"]).read_text())
    listed = json.loads(duck("workflow", "list", "--json", home=home).stdout)
    assert [each["id"] for each in listed["runs"]] == [run["id"]]
    jobs = json.loads(duck("jobs", "--json", home=home).stdout)
    assert [(each["queue"], each["by_state"]) for each in jobs["queues"]] == [("analysis", {"done": 1})]


def test_a_batch_answers_each_request_in_order_and_one_failure_leaves_the_others(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    requests = [{"name": "rules"}, {"name": "nothing-like-this"}, {"name": "engines"}]
    (folder / "requests.jsonl").write_text("\n".join(map(json.dumps, requests)))
    done = duck("batch", "engines", "requests.jsonl", home=tmp_path / "home", cwd=folder)
    assert done.returncode == 2, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[1]["code"] == "unknown_name"
    assert [answers[n]["answer"]["engines"][0]["name"] for n in (0, 2)] == ["rules", "engines"]


def test_what_was_only_queued_is_done_by_a_process_that_works(tmp_path: Path) -> None:
    folder, home = write_tree(tmp_path / "p", FILES), tmp_path / "home"
    queued = duck("workflow", "start", "index-project", "path=.", "--detach", "--json", home=home, cwd=folder)
    run = json.loads(queued.stdout)
    assert run["state"] == "waiting"
    worker = subprocess.Popen([*COMMAND, "work"], env=environment(home), stderr=subprocess.PIPE)
    try:
        state = run["state"]
        while state in ("waiting", "working"):
            shown = json.loads(duck("workflow", "show", run["id"], "--json", home=home).stdout)
            state = shown["state"]
        assert (state, shown["answer"]["added"]) == ("done", 2)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        worker.kill()
        worker.communicate()
