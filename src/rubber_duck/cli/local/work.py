"""Work through the queues until interrupted."""

from __future__ import annotations

import asyncio
import signal

import click

from rubber_duck.cli import connection, terminal
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.settings import Settings


@click.command(cls=Command, name="work")
def command() -> None:
    """Work through the queues until interrupted.

    Any number of processes may do so over one database. Whatever one is working on when it dies, another goes on with;
    interrupted or stopped in order, it leaves its runs to the others, or to its next start.
    """
    asyncio.run(_work(connection.settings_for(current().log_level)))


async def _work(settings: Settings) -> None:
    from rubber_duck.app import open_app  # noqa: PLC0415  # help needs none of this
    from rubber_duck.errors import StruckOff  # noqa: PLC0415  # as above
    from rubber_duck.jobs.standing import standing  # noqa: PLC0415  # as above
    from rubber_duck.workflows.working import working  # noqa: PLC0415  # brings DBOS

    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with open_app(settings, for_engines=["workflow"]) as app:
        while not stopping.is_set():
            try:
                async with working(app.parts.workflows, standing=standing(settings)) as failed:
                    for name, why in app.parts.workflows.refused_schedules.items():
                        terminal.note(f"the schedule {name!r} does not fire: {why}")
                    if not current().quiet:
                        terminal.note("working; Ctrl-C ends it")
                    await _either(failed(), stopping.wait())
            except StruckOff as error:
                terminal.note(f"{error.message}")
                await asyncio.sleep(settings.workflows.heartbeat_s)


async def _either(*waits: object) -> None:
    """Until the first of them ends; what it raises is raised."""
    tasks = [asyncio.ensure_future(each) for each in waits]  # type: ignore[call-overload]  # coroutines
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
