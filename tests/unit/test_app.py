"""The application opens its parts in order, closes them in reverse, and undoes a half start."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rubber_duck import fault, telemetry
from rubber_duck.app import PARTS, AppHealth, Opened, Part, open_app
from rubber_duck.engines.engine import EngineHealth, engines
from rubber_duck.errors import (
    DuckError,
    InvalidDeclaration,
    StorageUnavailable,
    Unavailable,
    UnknownName,
)
from rubber_duck.registry import Registry
from rubber_duck.scope import Scope
from rubber_duck.settings import LogSettings, Settings, TelemetrySettings, load
from rubber_duck.supervision import PartHealth
from tests.factories import write_tree
from tests.unit.engines.samples import failure

NAMES = ("database", "workspace", "analysis", "project_analysis")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The application configures the one log of the process."""
    yield
    telemetry.configure_logs(LogSettings())


class Diary:
    """Parts that write down when they are opened and closed, and fail when told."""

    def __init__(self, fails: Collection[str] = ()) -> None:
        self.lines: list[str] = []
        self._fails = fails

    def part(self, name: str, *needs: str) -> Part:
        """A part called `name`."""

        def opening(settings: Settings, opened: Opened) -> AbstractAsyncContextManager[object]:
            return self._opened(name, opened)

        return Part(name, needs, opening)

    @asynccontextmanager
    async def _opened(self, name: str, opened: Opened) -> AsyncIterator[str]:
        self._write(f"open {name}")
        try:
            yield f"the {name}, opened after {' '.join(opened) or 'nothing'}"
        finally:
            self._write(f"close {name}")

    def _write(self, line: str) -> None:
        self.lines.append(line)
        if line in self._fails:
            raise OSError(line)


def _settings(tmp_path: Path, **sections: Any) -> Settings:  # Any: sections of Settings
    return Settings(home=str(tmp_path), log=LogSettings(level="error"), **sections)


async def _visit(settings: Settings, parts: Sequence[Part], for_engines: Collection[str] | None = None) -> None:
    async with open_app(settings, for_engines=for_engines, parts=parts):
        pass


async def test_parts_open_in_the_declared_order_and_close_in_reverse(tmp_path: Path) -> None:
    diary = Diary()
    async with open_app(_settings(tmp_path), parts=[diary.part(name) for name in "abc"]):
        diary.lines.append("work")

    assert diary.lines == ["open a", "open b", "open c", "work", "close c", "close b", "close a"]


async def test_a_part_sees_those_opened_before_it(tmp_path: Path) -> None:
    diary = Diary()
    async with open_app(_settings(tmp_path), parts=[diary.part("a"), diary.part("b", "a")]) as application:
        assert dict(application.parts.opened) == {"a": "the a, opened after nothing", "b": "the b, opened after a"}


async def test_parts_close_also_when_the_work_raises(tmp_path: Path) -> None:
    diary = Diary()
    with pytest.raises(KeyError):
        async with open_app(_settings(tmp_path), parts=[diary.part("a"), diary.part("b")]):
            raise KeyError

    assert diary.lines == ["open a", "open b", "close b", "close a"]


async def test_parts_close_also_when_the_work_is_cancelled(tmp_path: Path) -> None:
    diary, started = Diary(), asyncio.Event()

    async def work() -> None:
        async with open_app(_settings(tmp_path), parts=[diary.part("a"), diary.part("b")]):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert diary.lines == ["open a", "open b", "close b", "close a"]


async def test_a_cancelled_start_is_undone(tmp_path: Path) -> None:
    diary, started = Diary(), asyncio.Event()

    @asynccontextmanager
    async def stuck(settings: Settings, opened: Opened) -> AsyncIterator[object]:
        started.set()
        await asyncio.Event().wait()
        yield None

    task = asyncio.create_task(_visit(_settings(tmp_path), [diary.part("a"), Part("stuck", (), stuck)]))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert diary.lines == ["open a", "close a"]


async def test_a_half_start_is_undone_in_reverse(tmp_path: Path) -> None:
    diary = Diary(fails=["open c"])
    await failure(_visit(_settings(tmp_path), [diary.part(name) for name in "abcd"]))

    assert diary.lines == ["open a", "open b", "open c", "close b", "close a"]


async def test_a_start_that_fails_after_a_part_was_opened_closes_that_part_too(tmp_path: Path) -> None:
    diary = Diary()

    def fail() -> None:
        raise OSError("injected")

    with fault.injected("app.after_part", fail):
        await failure(_visit(_settings(tmp_path), [diary.part("a"), diary.part("b")]))

    assert diary.lines == ["open a", "close a"]


async def test_a_failed_start_says_why_with_cause_and_traceback(tmp_path: Path) -> None:
    error = await failure(_visit(_settings(tmp_path), [Diary(fails=["open a"]).part("a")]))

    assert (type(error), error.message, "in _write" in "".join(traceback.format_exception(error))) == (
        Unavailable,
        "the operating system refused: open a",
        True,
    )


async def test_what_a_part_says_of_the_tree_of_errors_is_passed_on(tmp_path: Path) -> None:
    said = StorageUnavailable("the database is gone")

    @asynccontextmanager
    async def refuse(settings: Settings, opened: Opened) -> AsyncIterator[object]:
        if not opened:
            raise said
        yield None

    assert await failure(_visit(_settings(tmp_path), [Part("a", (), refuse)])) is said


async def test_undoing_goes_on_when_closing_a_part_fails_and_the_first_reason_is_raised(tmp_path: Path) -> None:
    diary = Diary(fails=["open c", "close b"])
    error = await failure(_visit(_settings(tmp_path), [diary.part(name) for name in "abc"]))

    assert (error.message, diary.lines) == (
        "the operating system refused: open c",
        ["open a", "open b", "open c", "close b", "close a"],
    )


async def test_closing_goes_on_when_closing_a_part_fails_and_that_is_raised(tmp_path: Path) -> None:
    diary = Diary(fails=["close b", "close a"])
    error = await failure(_visit(_settings(tmp_path), [diary.part(name) for name in "abc"]))

    assert (error.message, diary.lines[-3:]) == (
        "the operating system refused: close b",
        ["close c", "close b", "close a"],
    )


async def test_the_failure_of_the_work_is_raised_rather_than_that_of_closing(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="the work"):
        async with open_app(_settings(tmp_path), parts=[Diary(fails=["close a"]).part("a")]):
            raise KeyError("the work")


async def test_a_part_that_lets_a_failure_through_has_not_failed_to_close(tmp_path: Path) -> None:
    class Open:
        async def __aenter__(self) -> None:
            """Open."""

        async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
            if error is not None:
                raise error

    diary = Diary(fails=["open b"])
    parts = [Part("a", (), lambda settings, opened: Open()), diary.part("b")]

    assert [name for name, _ in await _told(_settings(tmp_path), parts)] == ["app.start_undone", "app.closed", "raised"]


async def _told(settings: Settings, parts: Sequence[Part]) -> list[tuple[str, dict[str, object]]]:
    """The events of opening and closing, without durations."""
    events: list[tuple[str, dict[str, object]]] = []

    def listener(name: str, fields: Mapping[str, object]) -> None:
        events.append((name, {key: value for key, value in fields.items() if key != "duration_ms"}))

    with telemetry.listening(listener):
        try:
            await _visit(settings, parts)
        except DuckError:
            events.append(("raised", {}))
    return events


async def test_opening_and_closing_are_told(tmp_path: Path) -> None:
    diary = Diary()

    assert await _told(_settings(tmp_path), [diary.part("a"), diary.part("b")]) == [
        ("app.opened", {"parts": "a b"}),
        ("app.closed", {}),
    ]


async def test_a_failed_start_and_a_failed_closing_are_told(tmp_path: Path) -> None:
    diary = Diary(fails=["open b", "close a"])

    assert await _told(_settings(tmp_path), [diary.part("a"), diary.part("b")]) == [
        ("app.start_undone", {"part": "b", "error": "the operating system refused: open b"}),
        ("app.close_failed", {"part": "a", "error": "the operating system refused: close a"}),
        ("app.closed", {}),
        ("raised", {}),
    ]


def _declared_parts(diary: Diary) -> list[Part]:
    return [diary.part(part.name, *part.needs) for part in PARTS]


def test_the_parts_and_what_they_need_are_these() -> None:
    assert [(part.name, part.needs) for part in PARTS] == [
        ("database", ()),
        ("workspace", ("database",)),
        ("analysis", ()),
        ("project_analysis", ("database", "workspace", "analysis")),
    ]


@pytest.mark.parametrize(
    ("names", "opened"),
    [
        (["engines"], []),
        (["analyze"], ["open analysis"]),
        (["projects"], ["open database", "open workspace"]),
        (["analyze", "projects"], ["open database", "open workspace", "open analysis"]),
        (None, [f"open {name}" for name in NAMES]),
    ],
)
async def test_only_what_the_engines_need_is_opened(tmp_path: Path, names: list[str] | None, opened: list[str]) -> None:
    diary = Diary()
    async with open_app(_settings(tmp_path), for_engines=names, parts=_declared_parts(diary)):
        pass

    assert [line for line in diary.lines if line.startswith("open")] == opened


async def test_an_unknown_engine_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    diary = Diary()
    error = await failure(_visit(_settings(tmp_path), _declared_parts(diary), for_engines=["anlyze"]))

    assert (type(error), error.message, diary.lines) == (
        UnknownName,
        "there is no engine 'anlyze'; did you mean 'analyze'?",
        [],
    )


async def test_a_part_that_needs_an_unknown_one_is_refused(tmp_path: Path) -> None:
    error = await failure(_visit(_settings(tmp_path), [Diary().part("a", "z")]))

    assert (type(error), error.message) == (InvalidDeclaration, "there is no part 'z'; the parts are a")


async def test_a_part_declared_before_what_it_needs_is_refused(tmp_path: Path) -> None:
    diary = Diary()
    error = await failure(_visit(_settings(tmp_path), [diary.part("a", "b"), diary.part("b")]))

    assert (type(error), error.message, diary.lines) == (
        InvalidDeclaration,
        "the part 'a' is declared before 'b', which it needs",
        [],
    )


async def test_every_engine_of_ours_is_in_the_application(tmp_path: Path) -> None:
    async with open_app(_settings(tmp_path), parts=_declared_parts(Diary())) as application:
        health = await application.health()

    assert health == AppHealth({name: EngineHealth(ok=True, detail="not used yet") for name in engines}, {})


async def test_engines_are_opened_before_their_health_is_told_when_asked(tmp_path: Path) -> None:
    async with open_app(_settings(tmp_path), parts=_declared_parts(Diary())) as application:
        health = await application.health(open_timeout_s=10.0)

    assert health == AppHealth({name: EngineHealth(ok=True) for name in engines}, {})


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
        async with open_app(_settings(tmp_path), parts=[]):
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

    async with open_app(_settings(tmp_path), parts=[diary.part("a")]) as application:
        application.supervisor.start("background", background)
        await started.wait()

    assert diary.lines == ["open a", "background ended", "close a"]


async def test_the_health_of_background_parts_is_told(tmp_path: Path) -> None:
    async with open_app(_settings(tmp_path), for_engines=["engines"]) as application:
        application.supervisor.start("background", asyncio.Event().wait)  # type: ignore[arg-type]  # what it returns is not used
        health = await application.health()

    assert health.background == {"background": PartHealth(running=True, crashes=0, error=None)}


async def test_the_application_logs_as_the_settings_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(home=str(tmp_path), log=LogSettings(level="info", format="json"))
    await _visit(settings, [])

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["app.opened", "app.closed"]


async def test_traces_are_written_to_a_file_in_the_home_when_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = _settings(home, telemetry=TelemetrySettings(traces="file"))
    asking = Scope.local()
    async with open_app(settings, for_engines=["engines"]) as application:
        await application.run("engines", {}, asking)
    written = [json.loads(line) for line in (home / "traces.jsonl").read_text().splitlines()]

    assert [(span["name"], span["attributes"]) for span in written] == [
        ("engine.run", {"engine": "engines", "rubber_duck.trace": asking.trace}),
        ("counters", {"engine.runs": 1}),
    ]


async def test_traces_that_cannot_be_written_are_said_before_anything_is_opened(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    diary = Diary()
    settings = _settings(tmp_path / "home", telemetry=TelemetrySettings(traces="file"))
    error = await failure(_visit(settings, [diary.part("a")]))

    assert (type(error), error.message, diary.lines) == (
        Unavailable,
        f"no traces can be written to '{tmp_path}/home': File exists",
        [],
    )


async def test_without_traces_nothing_is_written_to_the_home(tmp_path: Path) -> None:
    async with open_app(_settings(tmp_path / "home"), for_engines=["engines"]) as application:
        await application.run("engines", {}, Scope.local())

    assert not (tmp_path / "home").exists()


async def test_an_empty_home_is_all_the_whole_application_needs(tmp_path: Path) -> None:
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_PROFILE": "test"})
    async with open_app(settings) as application:
        assert tuple(application.parts.opened) == NAMES
