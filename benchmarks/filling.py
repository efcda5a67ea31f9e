"""What a model's completion costs beside the time of the model's server, and how soon a cancel reaches that.

`own` is all that passes but between a question at the model's server and the last byte of its answer, which takes
MODEL_S here, as a quick one beside us does; `first` is until the project's own text was told, where it had one.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rubber_duck.app import App, open_app
from rubber_duck.llm.connections import Connection, Connections, write_connections
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.fake_provider import Asked, FakeProvider, Send, event, fake_provider, head, sending

ROUNDS: Final = 200
CANCELS: Final = 50
MODEL_S: Final = 0.06


async def measured() -> dict[str, float]:
    """Milliseconds: the server's own share and its processor time, and from a cancel to the closed stream."""
    files = sorted(Path("src/rubber_duck").rglob("*.py"))[:60]  # one of them has more lines than there are rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        for file in files:
            place = root / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
        (root / "pyproject.toml").write_text("")
        file = max(files, key=lambda each: each.stat().st_size)
        lines = file.read_text().split("\n")
        request = {"type": "suggest", "path": str(root / file)}
        parts = [event({"choices": [{"index": 0, "text": each, "finish_reason": None}]}) for each in ("x ", "= ", "1")]
        end = event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
        answer = sending(head(), *parts, end, b"data: [DONE]\n\n")
        theirs: list[float] = []

        async def timed(asked: Asked, send: Send) -> None:
            begun = time.perf_counter()
            await asyncio.sleep(MODEL_S)
            await answer(asked, send)
            theirs.append((time.perf_counter() - begun) * 1000)

        own: list[float] = []
        firsts: list[float] = []
        cpu: dict[bool, list[float]] = {True: [], False: []}
        async with fake_provider(timed) as fake:
            home = Path(folder) / "home"
            mine = Connection(name="mine", flavor="compatible", url=fake.url, key="x", is_private=True)
            write_connections(home, Connections({"mine": mine}, {Role.COMPLETION: ("mine/qwen-m",)}))
            settings = load({"DUCK_HOME": str(home)})
            async with open_app(settings, for_engines=["complete"]) as app:
                for number in range(ROUNDS + 1):
                    line = 20 + number
                    prefix = "\n".join(lines[:line]) + "\n"
                    asked = {**request, "prefix": prefix, "suffix": "\n" + "\n".join(lines[line:]), "wait_s": 30.0}
                    heard: list[float] = []
                    theirs.clear()
                    began = time.perf_counter()
                    await app.run("complete", asked, Scope.local(), lambda _, heard=heard: heard.append(_now()))  # type: ignore[misc]  # bound at once
                    took = (_now() - began) * 1000
                    if number:  # the first trains
                        own.append(took - sum(theirs))
                        firsts += [(moment - began) * 1000 for moment in heard[:1]]
                        for with_model in (True, False):
                            cpu[with_model].append(
                                await _cpu_ms(app, {**asked, "prefix": prefix + "v", "model": with_model})
                            )
                closing = await _cancels(app, fake, asked)
    kinds = {"first": firsts, "own": own, "cancel": closing}
    return {
        **{f"{name} p50": statistics.median(took) for name, took in kinds.items()},
        **{f"{name} p95": sorted(took)[int(len(took) * 0.95)] for name, took in kinds.items()},
        "cpu p50": statistics.median(cpu[True]),
        "without model": statistics.median(cpu[False]),
    }


def _now() -> float:
    return time.perf_counter()


async def _cpu_ms(app: App, request: dict[str, object]) -> float:
    """Processor time of one answer in this process, the double's own included."""
    began = time.process_time()
    await app.run("complete", request, Scope.local())
    return (time.process_time() - began) * 1000


async def _cancels(app: App, fake: FakeProvider, request: dict[str, object]) -> list[float]:
    took: list[float] = []
    for number in range(CANCELS):
        begun, closed = asyncio.Event(), asyncio.Event()

        async def stalled(asked: Asked, send: Send, begun: asyncio.Event = begun) -> None:
            await send(head() + event({"choices": [{"index": 0, "text": "x", "finish_reason": None}]}))
            begun.set()
            await asyncio.Event().wait()

        fake.answers[:] = [stalled]
        task = asyncio.create_task(
            app.run("complete", {**request, "prefix": f"{request['prefix']}y{number} = "}, Scope.local())
        )
        await begun.wait()
        await asyncio.sleep(0.01)
        cancelled = time.perf_counter()
        task.cancel()
        closed = fake.asked[-1].closed
        await closed.wait()
        took.append((time.perf_counter() - cancelled) * 1000)
        await asyncio.wait([task])
    return took


def main() -> None:
    """Print the numbers."""
    found = asyncio.run(measured())
    for name, value in found.items():
        sys.stdout.write(f"{name:>12}  {value:8.1f} ms\n")


if __name__ == "__main__":
    main()
