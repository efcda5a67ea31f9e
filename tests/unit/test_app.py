"""The application opens its parts in order, closes them in reverse, and undoes a half start."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rubber_duck import fault, telemetry
from rubber_duck.app import PARTS, Opened, Part, open_app
from rubber_duck.errors import (
    DuckError,
    InvalidDeclaration,
    StorageUnavailable,
    Unavailable,
    UnknownName,
)
from rubber_duck.settings import Settings
from tests.unit.diary import Diary, declared_parts, settings_at, visit
from tests.unit.engines.samples import failure

NAMES = ("database", "workspace", "analysis", "project_analysis")


async def test_parts_open_in_the_declared_order_and_close_in_reverse(tmp_path: Path) -> None:
    diary = Diary()
    async with open_app(settings_at(tmp_path), parts=[diary.part(name) for name in "abc"]):
        diary.lines.append("work")

    assert diary.lines == ["open a", "open b", "open c", "work", "close c", "close b", "close a"]


async def test_a_part_sees_those_opened_before_it(tmp_path: Path) -> None:
    diary = Diary()
    async with open_app(settings_at(tmp_path), parts=[diary.part("a"), diary.part("b", "a")]) as application:
        assert dict(application.parts.opened) == {"a": "the a, opened after nothing", "b": "the b, opened after a"}


async def test_parts_close_also_when_the_work_raises(tmp_path: Path) -> None:
    diary = Diary()
    with pytest.raises(KeyError):
        async with open_app(settings_at(tmp_path), parts=[diary.part("a"), diary.part("b")]):
            raise KeyError

    assert diary.lines == ["open a", "open b", "close b", "close a"]


async def test_parts_close_also_when_the_work_is_cancelled(tmp_path: Path) -> None:
    diary, started = Diary(), asyncio.Event()

    async def work() -> None:
        async with open_app(settings_at(tmp_path), parts=[diary.part("a"), diary.part("b")]):
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

    task = asyncio.create_task(visit(settings_at(tmp_path), [diary.part("a"), Part("stuck", (), stuck)]))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert diary.lines == ["open a", "close a"]


async def test_a_half_start_is_undone_in_reverse(tmp_path: Path) -> None:
    diary = Diary(fails=["open c"])
    await failure(visit(settings_at(tmp_path), [diary.part(name) for name in "abcd"]))

    assert diary.lines == ["open a", "open b", "open c", "close b", "close a"]


async def test_a_start_that_fails_after_a_part_was_opened_closes_that_part_too(tmp_path: Path) -> None:
    diary = Diary()

    def fail() -> None:
        raise OSError("injected")

    with fault.injected("app.after_part", fail):
        await failure(visit(settings_at(tmp_path), [diary.part("a"), diary.part("b")]))

    assert diary.lines == ["open a", "close a"]


async def test_a_failed_start_says_why_with_cause_and_traceback(tmp_path: Path) -> None:
    error = await failure(visit(settings_at(tmp_path), [Diary(fails=["open a"]).part("a")]))

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

    assert await failure(visit(settings_at(tmp_path), [Part("a", (), refuse)])) is said


async def test_undoing_goes_on_when_closing_a_part_fails_and_the_first_reason_is_raised(tmp_path: Path) -> None:
    diary = Diary(fails=["open c", "close b"])
    error = await failure(visit(settings_at(tmp_path), [diary.part(name) for name in "abc"]))

    assert (error.message, diary.lines) == (
        "the operating system refused: open c",
        ["open a", "open b", "open c", "close b", "close a"],
    )


async def test_closing_goes_on_when_closing_a_part_fails_and_that_is_raised(tmp_path: Path) -> None:
    diary = Diary(fails=["close b", "close a"])
    error = await failure(visit(settings_at(tmp_path), [diary.part(name) for name in "abc"]))

    assert (error.message, diary.lines[-3:]) == (
        "the operating system refused: close b",
        ["close c", "close b", "close a"],
    )


async def test_the_failure_of_the_work_is_raised_rather_than_that_of_closing(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="the work"):
        async with open_app(settings_at(tmp_path), parts=[Diary(fails=["close a"]).part("a")]):
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

    assert [name for name, _ in await _told(settings_at(tmp_path), parts)] == [
        "app.start_undone",
        "app.closed",
        "raised",
    ]


async def _told(settings: Settings, parts: Sequence[Part]) -> list[tuple[str, dict[str, object]]]:
    """The events of opening and closing, without durations."""
    events: list[tuple[str, dict[str, object]]] = []

    def listener(name: str, fields: Mapping[str, object]) -> None:
        events.append((name, {key: value for key, value in fields.items() if key != "duration_ms"}))

    with telemetry.listening(listener):
        try:
            await visit(settings, parts)
        except DuckError:
            events.append(("raised", {}))
    return events


async def test_opening_and_closing_are_told(tmp_path: Path) -> None:
    diary = Diary()

    assert await _told(settings_at(tmp_path), [diary.part("a"), diary.part("b")]) == [
        ("app.opened", {"parts": "a b"}),
        ("app.closed", {}),
    ]


async def test_a_failed_start_and_a_failed_closing_are_told(tmp_path: Path) -> None:
    diary = Diary(fails=["open b", "close a"])

    assert await _told(settings_at(tmp_path), [diary.part("a"), diary.part("b")]) == [
        ("app.start_undone", {"part": "b", "error": "the operating system refused: open b"}),
        ("app.close_failed", {"part": "a", "error": "the operating system refused: close a"}),
        ("app.closed", {}),
        ("raised", {}),
    ]


def test_the_parts_and_what_they_need_are_these() -> None:
    assert [(part.name, part.needs) for part in PARTS] == [
        ("database", ()),
        ("cluster", ("database",)),
        ("workspace", ("database",)),
        ("analysis", ()),
        ("project_analysis", ("database", "cluster", "workspace", "analysis")),
        ("llm", ("database", "cluster")),
        ("search", ("database", "cluster", "workspace", "llm")),
        ("memory", ("database", "llm")),
        ("ngram", ()),
        ("contexts", ()),
        ("journal", ()),
        ("conversations", ("database",)),
        (
            "workflows",
            ("database", "project_analysis", "search", "memory", "ngram", "contexts", "journal", "conversations"),
        ),
        ("notices", ("database", "cluster", "workflows")),
    ]


@pytest.mark.parametrize(
    ("names", "opened"),
    [
        (["engines"], []),
        (["analyze"], ["open analysis"]),
        (["projects"], ["open database", "open workspace"]),
        (["analyze", "projects"], ["open database", "open workspace", "open analysis"]),
        (None, [f"open {part.name}" for part in PARTS]),
    ],
)
async def test_only_what_the_engines_need_is_opened(tmp_path: Path, names: list[str] | None, opened: list[str]) -> None:
    diary = Diary()
    async with open_app(settings_at(tmp_path), for_engines=names, parts=declared_parts(diary)):
        pass

    assert [line for line in diary.lines if line.startswith("open")] == opened


async def test_an_unknown_engine_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    diary = Diary()
    error = await failure(visit(settings_at(tmp_path), declared_parts(diary), for_engines=["anlyze"]))

    assert (type(error), error.message, diary.lines) == (
        UnknownName,
        "there is no engine 'anlyze'; did you mean 'analyze'?",
        [],
    )


async def test_a_part_that_needs_an_unknown_one_is_refused(tmp_path: Path) -> None:
    error = await failure(visit(settings_at(tmp_path), [Diary().part("a", "z")]))

    assert (type(error), error.message) == (InvalidDeclaration, "there is no part 'z'; the parts are a")


async def test_a_part_declared_before_what_it_needs_is_refused(tmp_path: Path) -> None:
    diary = Diary()
    error = await failure(visit(settings_at(tmp_path), [diary.part("a", "b"), diary.part("b")]))

    assert (type(error), error.message, diary.lines) == (
        InvalidDeclaration,
        "the part 'a' is declared before 'b', which it needs",
        [],
    )
