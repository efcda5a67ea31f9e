"""`duck batch` reads requests, and writes their answers in each form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rubber_duck.errors import Unavailable
from tests.unit.cli.calling import Outcome, Script, call

RUN: dict[str, Any] = {
    "id": "01a2235d-d6b2-732f-b092-3b5c57e5b8ed",
    "workflow": "batch",
    "version": 1,
    "queue": "generation",
    "state": "done",
    "created_ms": 0,
    "attempts": 1,
    "started_ms": 1000,
    "ended_ms": 2500,
    "answer": {"answers": [{"answer": {"rules": []}}, {"code": "not_found", "error": "there is no rule 'x'"}]},
}


def told(*arguments: str, run: dict[str, Any] = RUN) -> tuple[Outcome, list[dict[str, Any]]]:
    """What a call of `duck batch` came to, and what was asked."""
    script = Script({"runs": [run]})
    outcome = call("batch", *arguments, script=script)
    return outcome, [request for _, request in script.asked]


@pytest.fixture
def requests(tmp_path: Path) -> str:
    """A file of two requests."""
    (tmp_path / "r.jsonl").write_text('{"name": "a"}\n\n{"name": "x"}\n')
    return str(tmp_path / "r.jsonl")


def test_it_is_queued_followed_and_each_answer_is_a_line_with_its_number(requests: str) -> None:
    outcome, asked = told("rules", requests)
    assert [each["type"] for each in asked] == ["start", "follow"]
    assert asked[0]["request"] == {"engine": "rules", "requests": [{"name": "a"}, {"name": "x"}], "at_once": 2}
    assert [json.loads(line) for line in outcome.out.splitlines()] == [
        {"number": 1, "answer": {"rules": []}},
        {"number": 2, "code": "not_found", "error": "there is no rule 'x'"},
    ]
    assert (outcome.code, outcome.err) == (2, "1 of 2 requests answered in 1.5 s, 1 failed\n")


@pytest.mark.parametrize("how", [("-f", "json"), ("--format", "json")])
def test_as_one_document_it_is_counted_too(requests: str, how: tuple[str, str]) -> None:
    outcome, _ = told("rules", requests, *how, "-q")
    document = json.loads(outcome.out)
    assert (document["requests"], document["answered"], document["failed"]) == (2, 1, 1)
    assert [each["number"] for each in document["answers"]] == [1, 2]
    assert outcome.err == ""


def test_for_people_it_is_a_table(requests: str) -> None:
    outcome, _ = told("rules", requests, "-f", "plain")
    _, first, second = outcome.out.splitlines()
    assert first.split() == ["1", "answered", '{"rules":', "[]}"]
    assert second.split() == ["2", "not_found", "there", "is", "no", "rule", "'x'"]


def test_it_is_written_into_a_file(requests: str, tmp_path: Path) -> None:
    outcome, _ = told("rules", requests, "-o", str(tmp_path / "out.jsonl"))
    assert outcome.out == ""
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


def test_a_folder_that_is_not_there_is_said_before_the_work_and_a_lost_one_after_it(
    requests: str, tmp_path: Path
) -> None:
    outcome, asked = told("rules", requests, "-o", str(tmp_path / "gone/out.jsonl"))
    assert (outcome.code, asked) == (2, [])
    assert "there is no folder" in outcome.err
    outcome, asked = told("rules", requests, "-o", str(tmp_path))
    assert asked
    assert f"`duck batch --resume {RUN['id']}" in outcome.err


def test_an_interrupted_one_goes_on() -> None:
    outcome, asked = told("--resume", RUN["id"])
    assert asked == [{"type": "show", "run": RUN["id"]}, {"type": "follow", "run": RUN["id"], "resume": True}]
    assert len(outcome.out.splitlines()) == 2


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Unavailable("the connection was cut"), 2)])
def test_who_interrupts_it_or_is_cut_off_is_told_how_it_goes_on(requests: str, error: BaseException, code: int) -> None:
    class Interrupted(Script):
        async def run(self, name: str, request: dict[str, Any]) -> Any:
            if request["type"] == "follow":
                raise error
            async for piece in super().run(name, request):
                yield piece

    outcome = call("batch", "rules", requests, script=Interrupted({"runs": [RUN]}))
    assert outcome.code == code
    assert f"`duck workflow follow {RUN['id']}` goes on with it" in outcome.err


def test_a_list_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('[{"name": "a"},\n {"name": "b"}]')
    _, asked = told("rules", str(tmp_path / "r.json"))
    assert asked[0]["request"]["requests"] == [{"name": "a"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": 1}\n{', "line 2 of"),
        ("3", "is no JSON object"),
        ("\n", "holds no request"),
        ("[{}, 3]", "entry 2 of"),
    ],
)
def test_what_is_no_request_is_said_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "r.jsonl").write_text(content)
    outcome, asked = told("rules", str(tmp_path / "r.jsonl"))
    assert (outcome.code, said in outcome.err, asked) == (2, True, [])


def test_another_run_is_no_batch_and_nothing_or_both_is_refused(requests: str) -> None:
    outcome, asked = told("--resume", "x", run={**RUN, "workflow": "analyze-project"})
    assert "is no batch" in outcome.err
    assert asked == [{"type": "show", "run": "x"}]  # which lets nothing go on
    assert told("rules")[0].code == 2
    assert told("rules", requests, "--resume", "x")[0].code == 2
