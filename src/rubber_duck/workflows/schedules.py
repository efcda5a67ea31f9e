"""What is started by the clock: one run for the whole cluster, and for missed times one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from croniter import CroniterError, croniter

from rubber_duck import telemetry
from rubber_duck.errors import Conflict, DuckError, InvalidSettings, normalize
from rubber_duck.settings.tree import ScheduleSettings
from rubber_duck.storage.database import Connection, Database
from rubber_duck.workflows.store import schedules
from rubber_duck.workflows.store.schedules import Due

_TICK_S: Final = 1.0
_LOOK: Final = timedelta(minutes=1)
"""So often the database is asked what is due, when nothing is known to be due before."""

_SKEW: Final = timedelta(hours=1)
"""By so much the clocks of processes may differ; what is due later than so was kept by a clock that was wrong."""

_COLUMNS: Final = 5
"""Minute, hour, day, month, weekday: what comes once comes again. With a year it would be over one day."""

_ANY_DAY: Final = datetime(2000, 1, 1, tzinfo=UTC)

Prepared = Callable[[str], Callable[[Connection], None]]
"""From a run's id to what queues it within a transaction."""


def check_cron(name: str, line: str) -> None:
    """InvalidSettings unless the schedule's line is one of cron, and comes."""
    if not (croniter.is_valid(line) and (len(line.split()) == _COLUMNS or line.startswith("@"))):
        raise InvalidSettings(f"the schedule {name!r} is to fire at {line!r}, which is no cron line")
    if not _comes(line):
        raise InvalidSettings(f"the schedule {name!r} is to fire at {line!r}, which never comes")


def _comes(line: str) -> bool:
    """Whether a line means a moment, as that of the 30th of February does not."""
    try:
        croniter(line, _ANY_DAY).get_next()
    except CroniterError:
        return False
    return True


class Clockwork:
    """Starts what is due. Taking a schedule and enqueuing its run are one transaction, so exactly one process does."""

    def __init__(
        self,
        database: Database,
        schedules: Mapping[str, ScheduleSettings],
        prepared: Mapping[str, Prepared],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._schedules = schedules
        self._prepared = prepared
        self._now = now
        self._sleep = sleep
        self._said: set[str] = set()
        self._seen: dict[str, tuple[datetime, datetime]] = {}

    async def keep(self) -> None:
        """Start what is due, until cancelled."""
        while self._schedules:
            await self.tick()
            await self._sleep(_TICK_S)

    async def tick(self) -> int:
        """Start what is due now; how many runs."""
        started = 0
        for name, each in self._schedules.items():
            now = self._now()
            looked, again = self._seen.get(name, (now, now))
            if looked <= now < again:
                continue
            take = partial(self._take, name=name, cron=each.cron, now=now, is_new=name not in self._said)
            try:
                begun, following = await self._database.run(take)
            except (DuckError, CroniterError) as error:  # no line may be in the way of the others
                telemetry.emit("workflow.schedule_failed", schedule=name, error=normalize(error).message)
                continue
            started += begun
            self._said.add(name)
            self._seen[name] = (now, min(following, now + _LOOK))
        return started

    def _take(
        self, connection: Connection, *, name: str, cron: str, now: datetime, is_new: bool
    ) -> tuple[int, datetime]:
        """Start it if it is due; how many runs, and when it is due next.

        Its line is that of the process which began last: two that differ do not take turns. One that never comes is
        not heeded.
        While its last run waits or works it is left out.
        One whose line is another now fires once more if it was due, and one that is to fire too late is put right.
        """
        held = schedules.due_of(connection, name)
        line = cron if is_new or held is None or not _comes(held.cron) else held.cron
        times = croniter(line, now)
        following: datetime = times.get_next(datetime)
        latest: datetime = times.get_next(datetime) + _SKEW
        if held is None or (held.next_at > now and (held.cron != line or held.next_at > latest)):
            schedules.put_due(connection, name, Due(line, following))
            return 0, following
        if held.next_at > now:
            return 0, held.next_at
        if not schedules.take_due(connection, name, now, Due(line, following)):
            return 0, following
        try:
            with connection.begin_nested():
                self._prepared[name](f"{name}-{now:%Y%m%dT%H%M%S}")(connection)
        except Conflict:
            telemetry.emit("workflow.schedule_skipped", schedule=name)
            return 0, following
        return 1, following
