"""Spans and counters go to the recorder that is set, in memory or to a file; without one they cost nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rubber_duck.telemetry import MemoryRecorder, correlated, count, recording, span
from rubber_duck.telemetry.opentelemetry import OpenTelemetryRecorder

_SILENT = """
import sys
from rubber_duck import telemetry
from rubber_duck.settings import LogSettings
telemetry.configure_logs(LogSettings())
with telemetry.span("engine.run", engine="echo"):
    telemetry.count("engine.runs", 1, engine="echo")
    telemetry.emit("engine.finished", engine="echo", duration_ms=1)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"structlog", "opentelemetry", "rich", "logging"}))
"""


def _spans(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_off_imports_neither_structlog_nor_opentelemetry() -> None:
    ended = subprocess.run([sys.executable, "-c", _SILENT], capture_output=True, text=True, check=True)

    assert (ended.stdout, ended.stderr) == ("[]\n", "")


def test_what_is_off_is_the_same_nothing_each_time() -> None:
    assert span("engine.run", engine="a") is span("analysis.run")


def test_spans_are_kept_in_the_order_in_which_they_end() -> None:
    recorder = MemoryRecorder()
    with recording(recorder), span("analysis.run", files=2), span("workspace.scan"):
        pass

    assert recorder.spans == [("workspace.scan", {}), ("analysis.run", {"files": 2})]


def test_counters_are_summed() -> None:
    recorder = MemoryRecorder()
    with recording(recorder):
        count("analysis.files", 2, language="python")
        count("analysis.files")
        count("engine.runs")

    assert recorder.counters == {"analysis.files": 3, "engine.runs": 1}


def test_a_span_that_raises_is_kept_and_the_exception_goes_on() -> None:
    recorder = MemoryRecorder()
    with recording(recorder), pytest.raises(KeyError), span("engine.run"):
        raise KeyError

    assert recorder.spans == [("engine.run", {})]


def test_the_recorder_before_is_set_again_after_the_block() -> None:
    outer, inner = MemoryRecorder(), MemoryRecorder()
    with recording(outer):
        with recording(inner):
            count("engine.runs")
        count("analysis.files")
    count("analysis.findings")

    assert (outer.counters, inner.counters) == ({"analysis.files": 1}, {"engine.runs": 1})


def test_a_file_holds_one_span_per_line_with_the_trace_of_its_request(tmp_path: Path) -> None:
    recorder = OpenTelemetryRecorder(tmp_path / "traces.jsonl")
    with recording(recorder), correlated("abc"), span("analysis.run", files=2), span("workspace.scan"):
        pass
    recorder.close()

    assert [(each["name"], each["attributes"]) for each in _spans(tmp_path / "traces.jsonl")] == [
        ("workspace.scan", {"rubber_duck.trace": "abc"}),
        ("analysis.run", {"files": 2, "rubber_duck.trace": "abc"}),
    ]


def test_a_span_in_a_file_knows_the_span_around_it(tmp_path: Path) -> None:
    recorder = OpenTelemetryRecorder(tmp_path / "traces.jsonl")
    with recording(recorder), span("analysis.run"), span("workspace.scan"):
        pass
    recorder.close()
    inner, outer = _spans(tmp_path / "traces.jsonl")

    assert (inner["parent_id"], outer["parent_id"]) == (outer["context"]["span_id"], None)


def test_the_trace_of_a_span_in_a_file_is_that_of_its_request_and_else_its_own(tmp_path: Path) -> None:
    recorder = OpenTelemetryRecorder(tmp_path / "traces.jsonl")
    request = "0123456789abcdef0123456789abcdef"
    with recording(recorder):
        with correlated(request):
            with span("app.open"), span("storage.transaction"):
                pass
            with span("engine.run"):
                pass
        with span("engine.run"):
            pass
        with correlated("0" * 32), span("engine.run"):
            pass
    recorder.close()

    traces = [each["context"]["trace_id"].removeprefix("0x") for each in _spans(tmp_path / "traces.jsonl")]
    assert (traces[:3], len(set(traces))) == ([request] * 3, 3)


def test_the_file_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "traces.jsonl").touch(mode=0o644)
    OpenTelemetryRecorder(tmp_path / "traces.jsonl").close()

    assert (tmp_path / "traces.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_span_in_a_file_tells_the_exception_and_its_traceback(tmp_path: Path) -> None:
    recorder = OpenTelemetryRecorder(tmp_path / "traces.jsonl")
    with recording(recorder), pytest.raises(KeyError), span("engine.run"):
        raise KeyError("gone")
    recorder.close()
    (written,) = _spans(tmp_path / "traces.jsonl")
    (event,) = written["events"]

    assert (written["status"]["status_code"], event["attributes"]["exception.type"]) == ("ERROR", "KeyError")


def test_counters_are_written_when_the_recorder_is_closed(tmp_path: Path) -> None:
    recorder = OpenTelemetryRecorder(tmp_path / "traces.jsonl")
    with recording(recorder):
        count("analysis.files", 2)
        count("analysis.files", 3, language="python")
    recorder.close()

    assert [(each["name"], each["attributes"]) for each in _spans(tmp_path / "traces.jsonl")] == [
        ("counters", {"analysis.files": 5})
    ]


def test_a_second_run_appends_to_the_file(tmp_path: Path) -> None:
    for name in ("analysis.run", "engine.run"):
        recorder = OpenTelemetryRecorder(tmp_path / "traces.jsonl")
        with recording(recorder), span(name):
            pass
        recorder.close()

    assert [each["name"] for each in _spans(tmp_path / "traces.jsonl")] == ["analysis.run", "engine.run"]
