"""Waiting for a database that is away."""

from __future__ import annotations

import pytest

from rubber_duck.errors import InvalidInput, StorageUnavailable
from rubber_duck.workflows.patience import AWAY_S, patiently


class Away:
    """Work that fails so often, and a clock that the pauses move."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures, self.error, self.now, self.asked = failures, error, 0.0, 0

    async def work(self) -> str:
        """Fail, or answer."""
        self.asked += 1
        if self.asked <= self.failures:
            raise self.error
        return "done"

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    async def patiently(self) -> str:
        """Work patiently."""
        return await patiently(self.work, clock=lambda: self.now, sleep=self.sleep, chance=lambda: 0.5)


async def test_work_is_asked_again_while_the_database_is_away() -> None:
    away = Away(5, StorageUnavailable("away"))
    assert (await away.patiently(), away.asked) == ("done", 6)


async def test_patience_has_an_end() -> None:
    away = Away(10**9, StorageUnavailable("away"))
    with pytest.raises(StorageUnavailable):
        await away.patiently()
    assert AWAY_S < away.now < AWAY_S + 10


async def test_any_other_error_is_not_waited_for() -> None:
    away = Away(1, InvalidInput("bad"))
    with pytest.raises(InvalidInput):
        await away.patiently()
    assert away.asked == 1
