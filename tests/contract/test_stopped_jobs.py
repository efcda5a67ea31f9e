"""Analyses and reports that are cancelled in the middle: what they hold is free, and nothing is written afterwards."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from rubber_duck.app import App, open_app
from rubber_duck.jobs.hands import Hands
from rubber_duck.jobs.reports import Wanted, written_report
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings, Settings
from rubber_duck.settings.tree import QueueSettings
from rubber_duck.workflows.clearing import Clearing
from rubber_duck.workspace.paths import Root
from tests.durable import QUICK, until, working
from tests.factories import write_tree
from tests.templates import copy_database

ME = Scope.local()
ALONE = msgspec.structs.replace(QUICK, queues={"analysis": QueueSettings(per_process=1)})
LONG = "".join(
    f"def f{n}(a, b=[]):\n    if a == None:\n        return eval(b[{n}])\n    return f{n}(a)\n\n\n" for n in range(6000)
)


@asynccontextmanager
async def house(database: DatabaseSettings, home: Path) -> AsyncIterator[App]:
    """An application that works through its queues."""
    await asyncio.to_thread(home.mkdir)
    settings = Settings(home=str(home), database=database, workflows=ALONE)
    async with open_app(settings, for_engines=["workflow"]) as app, working(app.parts.workflows):
        yield app


async def test_a_cancelled_analysis_leaves_its_place_and_no_report(settings: DatabaseSettings, tmp_path: Path) -> None:
    large = write_tree(tmp_path / "large", {f"long{number}.py": LONG for number in range(4)})
    small = write_tree(tmp_path / "small", {"a.py": "x = 1\n"})
    async with house(settings, tmp_path / "home") as app:
        work = app.parts.workflows
        run_id = await work.start(ME, "analyze-project", {"path": str(large)})

        async def is_in_a_batch() -> bool:
            return len(await work.steps(ME, run_id)) == 2

        await until(is_in_a_batch)
        await work.cancel(ME, run_id)
        after = await work.start(ME, "report-project", {"path": str(small)})
        answer = await work.answer(ME, after)
        assert [step.name for step in await work.steps(ME, run_id)] == ["validate", "detect"]
    assert [str(each) for each in reports(tmp_path)] == [answer["report"]]


async def test_a_report_whose_run_is_cancelled_while_it_is_written_is_not_there(tmp_path: Path) -> None:
    copy_database(tmp_path / "duck.db")
    settings = DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db")
    small = write_tree(tmp_path / "small", {"a.py": "x = 1\n"})
    async with house(settings, tmp_path / "home") as app:
        hands = app.parts.workflows.hands
        assert isinstance(hands, Hands)

        def tell(done: int, total: int, note: str) -> None:
            if note == "writing the report":
                writing.cancel()

        writing = asyncio.create_task(written_report(hands, ME, Root(small), Wanted("html", "run"), tell))
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert reports(tmp_path) == []


async def test_reports_go_with_their_runs_and_others_stay(settings: DatabaseSettings, tmp_path: Path) -> None:
    small = write_tree(tmp_path / "small", {"a.py": "x = 1\n"})
    async with house(settings, tmp_path / "home") as app:
        work = app.parts.workflows
        answer = await work.answer(ME, await work.start(ME, "report-project", {"path": str(small)}))
        written = Path(answer["report"])
        own, lost = written.with_name("report.html"), written.with_name("of-another-database.html")
        for each in (own, lost):
            each.write_text("")
        library = await work.library()
        later = datetime.now(UTC) + timedelta(days=1)
        clearing = Clearing(work.database, library, 2, now=lambda: later, hands=work.hands)
        assert await clearing.sweep() == 0
        assert len(reports(tmp_path)) == 3
        os.utime(lost, times=(0, 0))
        assert await clearing.sweep() == 0
        assert reports(tmp_path) == sorted([own, written])
        soon = Clearing(work.database, library, 0.5, now=lambda: later, hands=work.hands)
        assert await soon.sweep() == 1
    assert reports(tmp_path) == [own]


def reports(tmp_path: Path) -> list[Path]:
    """All that lies below the home folder's reports."""
    return sorted(each for each in (tmp_path / "home/reports").rglob("*") if each.is_file())
