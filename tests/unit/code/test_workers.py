"""Worker processes: answers, deaths, hangs, and who is blamed for them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from rubber_duck.code.workers import Crashed, Workers
from rubber_duck.errors import Unavailable

TASKS = "tests.unit.code.worker_tasks"
OBEDIENT = f"{TASKS}:open_obedient"
BROKEN = f"{TASKS}:open_broken"


async def answers(workers: Workers, items: Sequence[bytes], deadline_s: float = 20.0) -> list[bytes | Crashed]:
    """The answers in the order of the items."""
    async with aclosing(workers.map(items, sizes=[100_000] * len(items), deadline_s=deadline_s)) as results:
        found = {index: answer async for index, answer in results}
    return [found[index] for index in range(len(items))]


async def test_every_item_is_answered_in_its_place() -> None:
    workers = Workers(2, OBEDIENT, initial=b">")
    try:
        items = [f"item {number}".encode() for number in range(50)]
        assert await answers(workers, items) == [b">" + item.upper() for item in items]
    finally:
        await workers.close()


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (b"die", "the process was killed by SIGKILL"),
        (b"exit", "the process ended with status 3"),
        (b"raise", "ValueError: told to"),
        (b"eat", "it needs more memory than a worker may have"),
    ],
)
async def test_only_the_culprit_is_blamed(order: bytes, reason: str) -> None:
    workers = Workers(2, OBEDIENT, memory_bytes=1 << 30)
    try:
        items = [b"a", b"b", order, b"c", b"d"]
        assert await answers(workers, items) == [b"A", b"B", Crashed(reason), b"C", b"D"]
    finally:
        await workers.close()


async def test_an_item_that_hangs_costs_its_process_and_nothing_else() -> None:
    workers = Workers(1, OBEDIENT)
    try:
        assert await answers(workers, [b"a", b"hang", b"b"], 0.2) == [b"A", Crashed("it took longer than 0.2 s"), b"B"]
    finally:
        await workers.close()


async def test_an_item_that_spins_costs_its_process_and_nothing_else() -> None:
    workers = Workers(1, OBEDIENT)
    try:
        assert await answers(workers, [b"a", b"spin", b"b"], 0.5) == [b"A", Crashed("it took longer than 0.5 s"), b"B"]
    finally:
        await workers.close()


async def test_time_in_which_a_process_gets_no_processor_is_not_counted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    writing = os.open(tmp_path / "fifo", os.O_RDWR)
    workers = Workers(1, OBEDIENT)
    try:
        waiting = asyncio.create_task(answers(workers, [os.fsencode(tmp_path / "fifo"), b"b"], 2.0))
        await asyncio.wait([waiting], timeout=3.0)  # the deadline passes, and the process has done next to nothing
        os.write(writing, b"late")
        os.close(writing)
        assert await waiting == [b"late", b"B"]
    finally:
        await workers.close()


async def test_processes_are_kept_for_the_next_run() -> None:
    workers = Workers(1, OBEDIENT)
    try:
        assert await answers(workers, [b"pid"]) == await answers(workers, [b"pid"])
    finally:
        await workers.close()


async def test_a_little_work_starts_one_process_and_more_starts_more() -> None:
    workers = Workers(2, OBEDIENT)
    started = []
    try:
        for size in (40_000, 100_000):
            before = set(psutil.Process().children(recursive=True))
            async with aclosing(workers.map([b"a"] * 5, sizes=[size] * 5, deadline_s=20.0)) as results:
                assert [answer async for _index, answer in results] == [b"A"] * 5
            after = set(psutil.Process().children(recursive=True))
            started.append(len([child for child in after - before if "spawn_main" in _line(child)]))
    finally:
        await workers.close()
    assert started == [1, 1]


async def test_processes_that_run_share_even_a_little_work() -> None:
    workers = Workers(2, OBEDIENT)
    try:
        async with aclosing(workers.map([b"a", b"b"], sizes=[300_000] * 2, deadline_s=20.0)) as results:
            assert {answer async for _index, answer in results} == {b"A", b"B"}
        items = [b"hang", *(b"c" for _ in range(7))]
        arrived = []
        async with aclosing(workers.map(items, sizes=[30_000] * 8, deadline_s=600.0)) as results:
            async for index, answer in results:
                arrived.append((index, answer))
                if len(arrived) == 7:
                    break
        assert arrived == [(index, b"C") for index in range(1, 8)]
    finally:
        await workers.close()


async def test_an_answer_larger_than_any_buffer_arrives_whole() -> None:
    workers = Workers(1, OBEDIENT)
    try:
        assert await answers(workers, [b"large", b"a"]) == [b"x" * 20_000_000, b"A"]
    finally:
        await workers.close()


async def test_two_runs_at_once_share_the_processes() -> None:
    workers = Workers(2, OBEDIENT)
    try:
        first, second = await asyncio.gather(answers(workers, [b"a"] * 30), answers(workers, [b"b"] * 30))
        assert (first, second) == ([b"A"] * 30, [b"B"] * 30)
    finally:
        await workers.close()


async def test_a_task_that_cannot_start_says_why() -> None:
    workers = Workers(1, BROKEN)
    with pytest.raises(Unavailable, match="RuntimeError: no such table"):
        await answers(workers, [b"a"])
    await workers.close()


async def test_one_that_is_killed_while_it_starts_has_a_successor(tmp_path: Path) -> None:
    workers = Workers(1, f"{TASKS}:open_killed_once", initial=os.fsencode(tmp_path / "killed"))
    try:
        assert await answers(workers, [b"a"]) == [b"A"]
    finally:
        await workers.close()


async def test_one_that_is_always_killed_while_it_starts_is_given_up(tmp_path: Path) -> None:
    workers = Workers(1, f"{TASKS}:open_killed", initial=os.fsencode(tmp_path / "started"))
    with pytest.raises(Unavailable, match="could not start: the process was killed by SIGKILL"):
        await answers(workers, [b"a"])
    await workers.close()
    assert (tmp_path / "started").read_text() == "started\n" * 2


async def test_a_cancelled_run_leaves_no_process_behind() -> None:
    workers = Workers(2, OBEDIENT)
    before = set(psutil.Process().children(recursive=True))
    both_busy = asyncio.Event()

    async def consume() -> None:
        arrived = 0
        items = [b"a", b"hang", b"b", b"hang"]  # two chunks, so two processes, each hanging after one answer
        async with aclosing(workers.map(items, sizes=[150_000] * 4, deadline_s=600.0)) as results:
            async for _answer in results:
                arrived += 1
                if arrived == 2:
                    both_busy.set()

    run = asyncio.create_task(consume())
    await both_busy.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    left = [child for child in set(psutil.Process().children(recursive=True)) - before if "spawn_main" in _line(child)]
    assert left == []
    await workers.close()


async def test_workers_die_with_the_process_that_started_them() -> None:
    program = (
        "import asyncio, contextlib, sys\n"
        "from rubber_duck.code.workers import Workers\n"
        "async def main():\n"
        f"    workers = Workers(1, {OBEDIENT!r})\n"
        "    items = [b'pid', b'hang']\n"
        "    async with contextlib.aclosing(workers.map(items, sizes=[2, 1], deadline_s=600.0)) as results:\n"
        "        async for _index, answer in results:\n"
        "            print(answer.decode(), flush=True)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    assert parent.stdout is not None
    worker = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    assert await asyncio.to_thread(worker.wait, 10) is None  # gone; its status went to another parent


async def test_leaving_a_run_half_way_ends_it() -> None:
    workers = Workers(1, OBEDIENT)
    async with aclosing(workers.map([b"a", b"hang"], sizes=[2, 1], deadline_s=600.0)) as results:
        async for _index, answer in results:
            assert answer == b"A"
            break
    assert await answers(workers, [b"b"]) == [b"B"]
    await workers.close()


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
