"""A process killed at any moment of a commit leaves all of a transaction or nothing of it."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from rubber_duck.fault import ENVIRONMENT
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.contract.notes import add, create_notes, titles

ROOT = Path(__file__).parents[2]

# It says the number of a pair of notes only after its transaction has returned.
PROGRAM = """
import asyncio, sys
from rubber_duck import fault
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.contract.notes import add, notes

async def main(url, way, name):
    async with open_database(DatabaseSettings(url=url)) as database:
        fault.arm_from_environment()
        number = 0
        while True:
            number += 1
            pair = [f"{name}-{number}-a", f"{name}-{number}-b"]
            if way == "run":
                await database.run(lambda connection: connection.execute(notes.insert(), [{"title": t} for t in pair]))
            else:
                async with database.begin() as tx:
                    for title in pair:
                        await add(tx, title)
            print(f"{name}-{number}", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("way", ["begin", "run"])
@pytest.mark.parametrize(
    ("point", "left"), [("storage.before_commit", 0), ("storage.after_commit", 2)], ids=["before", "after"]
)
async def test_a_kill_at_the_commit_leaves_all_or_nothing(
    settings: DatabaseSettings, way: str, point: str, left: int
) -> None:
    async with open_database(settings) as database:
        await database.run(create_notes)
    process = await _start(settings, way, "pair", {ENVIRONMENT: point})
    said, _ = await process.communicate()
    assert (said, process.returncode) == (b"", -signal.SIGKILL)
    async with open_database(settings) as database:
        assert len(await titles(database)) == left
        async with database.begin() as tx:
            await add(tx, "c")


@pytest.mark.parametrize("way", ["begin", "run"])
async def test_what_was_acknowledged_survives_a_kill_at_any_moment(settings: DatabaseSettings, way: str) -> None:
    async with open_database(settings) as database:
        await database.run(create_notes)
    acknowledged: list[bytes] = []
    for number in range(3):
        process = await _start(settings, way, f"round {number}", {})
        assert process.stdout is not None
        acknowledged += [await process.stdout.readline() for _ in range(10 + 7 * number)]
        process.kill()
        acknowledged += (await process.stdout.read()).splitlines()
        await process.wait()
    async with open_database(settings) as database:
        kept = await titles(database)
    halves = {half: {title[:-2] for title in kept if title.endswith(half)} for half in ("-a", "-b")}
    assert halves["-a"] == halves["-b"]
    assert {line.decode().strip() for line in acknowledged} <= halves["-a"]


async def _start(
    settings: DatabaseSettings, way: str, name: str, environment: dict[str, str]
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, settings.url, way, name),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
