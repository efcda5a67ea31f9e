"""A report is placed as a whole, and one that nobody wants any more takes nothing away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rubber_duck.jobs.reports import placed


async def test_who_is_cancelled_leaves_the_report_that_another_finished_meanwhile(tmp_path: Path) -> None:
    report = tmp_path / "reports/run.html"
    await placed(report, b"of the one who went on with it")
    late = asyncio.create_task(placed(report, b"of the one who was frozen" * 100_000))
    await asyncio.sleep(0)
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    assert report.read_bytes() == b"of the one who went on with it"
    assert [each.name for each in report.parent.iterdir()] == ["run.html"]
