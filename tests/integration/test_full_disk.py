"""A disk that is full: what has begun goes on in the reserve, what is new is refused, and room is all it needs then."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import absent

ROOT = Path(__file__).parents[2]

# In a file system of its own, of 16 MB: a run works, the disk is filled, runs are queued until they are refused, the
# run's step ends, room is made, and everything that was acknowledged has to end well.
PROGRAM = """
import asyncio, json, os, sys
from pathlib import Path
from rubber_duck.errors import StorageUnavailable
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.workflows.store import executors
from tests.durable import Bench, durable_over, working

ME = Scope.local()

def fill(ballast):
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass

async def beats_of(durable):
    (only,) = await durable.database.run(executors.living, write=False)
    return only.beats

async def main(folder):
    ballast, reserve = folder / "ballast", folder / "duck.db.reserve"
    bench, said = Bench(), {}
    async with durable_over(DatabaseSettings(url=f"sqlite:///{folder}/duck.db"), bench) as durable, working(durable):
        runs = [await durable.start(ME, "sample", {"words": ["wait:first", "second"]})]
        await bench.reached.wait()
        said["reserved"] = reserve.stat().st_blocks * 512
        fill(ballast)
        try:
            for _ in range(2000):
                runs.append(await durable.start(ME, "sample", {"words": ["third"]}))
        except StorageUnavailable as error:
            said["refused"] = error.message
        said["let go"] = not reserve.exists()
        said["read"] = len(await durable.runs(ME, limit=10_000)) == len(runs)
        bench.gate.set()
        beats = await beats_of(durable)
        async with asyncio.timeout(120):
            while await beats_of(durable) == beats:
                await asyncio.sleep(0.05)
        said["beats"] = True
        ballast.unlink()
        runs.append(await durable.start(ME, "sample", {"words": ["last"]}))
        said["reserved again"] = reserve.stat().st_blocks * 512
        for run in runs:
            await durable.answer(ME, run)
        said["done"] = {each.state for each in await durable.runs(ME, limit=10_000)} == {"done"}
        said["first"] = bench.diary.count("first") <= 2 and bench.diary.count("second") == 1
    print(json.dumps(said))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.timeout(600)
def test_a_full_disk_loses_nothing_and_needs_no_restart(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode:
        absent("a file system of one's own (unshare with user namespaces)")
    script = 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$1" -c "$2" "$0"'
    done = subprocess.run(
        [unshare, "-rm", "sh", "-c", script, str(tmp_path), sys.executable, PROGRAM],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    said = json.loads(done.stdout)
    assert "only read now: its disk is full; free some space" in said.pop("refused")
    assert min(said.pop("reserved"), said.pop("reserved again")) >= 4 * 1024 * 1024
    assert said == {"beats": True, "let go": True, "read": True, "done": True, "first": True}
