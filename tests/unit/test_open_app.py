"""An open application tells how it does, and writes its log and its traces as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rubber_duck import telemetry
from rubber_duck.app import PARTS, open_app
from rubber_duck.engines.engine import engines
from rubber_duck.errors import (
    Unavailable,
)
from rubber_duck.registry import Registry
from rubber_duck.scope import Scope
from rubber_duck.settings import LogSettings, Settings, TelemetrySettings, load
from rubber_duck.supervision import PartHealth
from tests.factories import write_tree
from tests.unit.diary import Diary, declared_parts, settings_at, visit
from tests.unit.engines.samples import failure


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The application configures the one log of the process."""
    yield
    telemetry.configure_logs(LogSettings())


async def test_every_engine_of_ours_is_in_the_application(tmp_path: Path) -> None:
    async with open_app(settings_at(tmp_path), parts=declared_parts(Diary())) as application:
        health = await application.health()

    assert health.background == {}
    assert {name: (each.ok, each.detail) for name, each in health.engines.items()} == dict.fromkeys(
        engines, (True, "not used yet")
    )


async def test_engines_are_opened_before_their_health_is_told_when_asked(tmp_path: Path) -> None:
    async with open_app(settings_at(tmp_path), parts=declared_parts(Diary())) as application:
        health = await application.health(open_timeout_s=10.0)

    assert {name: (each.ok, each.detail) for name, each in health.engines.items()} == dict.fromkeys(engines, (True, ""))


async def test_a_plug_in_that_does_not_work_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = "Metadata-Version: 2.1\nName: duck-shade\nVersion: 1\n"
    points = "[duck.shades]\number = nowhere_at_all:Umber\n"
    write_tree(
        tmp_path, {"duck_shade-1.dist-info/METADATA": metadata, "duck_shade-1.dist-info/entry_points.txt": points}
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    events: list[tuple[str, dict[str, object]]] = []
    with telemetry.listening(lambda name, fields: events.append((name, dict(fields)))):
        async with open_app(settings_at(tmp_path), parts=[]):
            Registry[object]("shade", group="duck.shades").discover()

    assert [fields for name, fields in events if name == "plugin.left_out"] == [
        {
            "kind": "shade",
            "plugin": "umber",
            "package": "duck-shade 1",
            "error": "ModuleNotFoundError: No module named 'nowhere_at_all'",
        }
    ]


async def test_background_parts_end_before_the_parts_they_may_use(tmp_path: Path) -> None:
    diary, started = Diary(), asyncio.Event()

    async def background() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            diary.lines.append("background ended")

    async with open_app(settings_at(tmp_path), parts=[diary.part("a")]) as application:
        application.supervisor.start("background", background)
        await started.wait()

    assert diary.lines == ["open a", "background ended", "close a"]


async def test_the_health_of_background_parts_is_told(tmp_path: Path) -> None:
    async with open_app(settings_at(tmp_path), for_engines=["engines"]) as application:
        application.supervisor.start("background", asyncio.Event().wait)  # type: ignore[arg-type]  # what it returns is not used
        health = await application.health()

    assert health.background == {"background": PartHealth(running=True, crashes=0, error=None)}


async def test_the_application_logs_as_the_settings_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(home=str(tmp_path), log=LogSettings(level="info", format="json"))
    await visit(settings, [])

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["app.opened", "app.closed"]


async def test_traces_are_written_to_a_file_in_the_home_when_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = settings_at(home, telemetry=TelemetrySettings(traces="file"))
    asking = Scope.local()
    async with open_app(settings, for_engines=["engines"]) as application:
        await application.run("engines", {}, asking)
    written = [json.loads(line) for line in (home / "traces.jsonl").read_text().splitlines()]

    assert [(span["name"], span["attributes"]) for span in written] == [
        ("app.open", {}),
        ("engine.run", {"engine": "engines", "rubber_duck.trace": asking.trace}),
        ("counters", {"engine.runs": 1}),
    ]


async def test_every_transaction_is_a_child_in_the_trace_of_the_request_it_serves(tmp_path: Path) -> None:
    settings = load({"DUCK_HOME": str(tmp_path), "DUCK_TELEMETRY_TRACES": "file"})
    asking = Scope.local()
    async with open_app(settings, for_engines=["projects"], trace=asking.trace) as application:
        await application.run("projects", {"type": "list"}, asking)
    written = [json.loads(line) for line in (tmp_path / "traces.jsonl").read_text().splitlines()]
    *spans, counters = written
    names = {span["context"]["span_id"]: span["name"] for span in spans}

    assert counters["name"] == "counters"
    assert {span["context"]["trace_id"] for span in spans} == {f"0x{asking.trace}"}
    assert [(span["name"], names.get(span["parent_id"])) for span in spans] == [
        ("storage.transaction", "app.open"),
        ("storage.transaction", "app.open"),
        ("app.open", None),
        ("storage.transaction", "engine.run"),
        ("engine.run", None),
    ]


async def test_traces_that_cannot_be_written_are_said_before_anything_is_opened(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    diary = Diary()
    settings = settings_at(tmp_path / "home", telemetry=TelemetrySettings(traces="file"))
    error = await failure(visit(settings, [diary.part("a")]))

    assert (type(error), error.message, diary.lines) == (
        Unavailable,
        f"no traces can be written to '{tmp_path}/home': Not a directory",
        [],
    )


async def test_without_traces_nothing_is_written_to_the_home(tmp_path: Path) -> None:
    async with open_app(settings_at(tmp_path / "home"), for_engines=["engines"]) as application:
        await application.run("engines", {}, Scope.local())

    assert not (tmp_path / "home").exists()


async def test_an_empty_home_is_all_the_whole_application_needs(tmp_path: Path) -> None:
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_PROFILE": "test"})
    async with open_app(settings) as application:
        assert tuple(application.parts.opened) == tuple(part.name for part in PARTS)
