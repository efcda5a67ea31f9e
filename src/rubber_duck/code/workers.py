"""Worker processes for hostile input: each may crash, hang or run out of memory without harm to the others' work."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import importlib
import multiprocessing
import os
import resource
import signal
import socket
import struct
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import IOBase
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from typing import Final

from rubber_duck.errors import Unavailable

CHUNK_BYTES: Final = 300_000
"""The most source that is given to a worker at once, and what makes one more process worth its start."""

LEAST_BYTES: Final = 20_000
"""The least that is given to a worker at once, a millisecond's work: enough to hide the round trip."""

START_TIMEOUT_S: Final = 30.0
"""Seconds a new process may take to say that it is ready."""

PATIENCE: Final = 10
"""So many times its deadline an item may take when it gets little of the processor, or waits for something."""

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_FRAME: Final = struct.Struct("<BI")
_READY, _ANSWER, _FAILURE = range(3)


@dataclass(frozen=True, slots=True)
class Crashed:
    """Instead of an answer: the worker died, hung or failed on this item. `reason` is a sentence's end."""

    reason: str


class Workers:
    """Up to `count` processes (0: one per core) that run `task` over items; they start when first needed.

    `task` names `"module:function"`; called with `initial` in each process, that function returns the one that turns
    an item into an answer. `memory_bytes` bounds what a process may allocate.
    """

    def __init__(self, count: int, task: str, *, initial: bytes = b"", memory_bytes: int = 2 << 30) -> None:
        self.count = count or len(os.sched_getaffinity(0))
        self._arguments = (task, initial, memory_bytes)
        self._idle: list[_Worker] = []
        self._slots = asyncio.Semaphore(self.count)
        self._closed = False

    async def map(
        self, items: Sequence[bytes], *, sizes: Sequence[int], deadline_s: float
    ) -> AsyncGenerator[tuple[int, bytes | Crashed], None]:
        """Yield (index, answer) for every item, in the order they are done; consume it inside `aclosing`.

        The largest items, by `sizes`, go first. An item that takes longer than `deadline_s` of processor time (at the
        most PATIENCE times as long by the clock) costs its process, and so does one that kills it: it is answered by
        Crashed, and the rest goes on in a new process.
        """
        chunks = _chunks(sizes, self.count)
        useful = max(1, len(self._idle), -(-sum(sizes) // CHUNK_BYTES))
        answers: asyncio.Queue[tuple[int, bytes | Crashed] | BaseException] = asyncio.Queue()
        async with AsyncExitStack() as stack:
            for _ in range(min(self.count, len(chunks), useful)):
                runner = asyncio.create_task(self._run(chunks, items, deadline_s, answers))
                stack.push_async_callback(_ended, runner)
            for _ in range(len(items)):
                answer = await answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                yield answer

    async def close(self) -> None:
        """End every process."""
        self._closed = True
        while self._idle:
            await self._idle.pop().stop()

    async def _run(
        self,
        chunks: deque[list[int]],
        items: Sequence[bytes],
        deadline_s: float,
        answers: asyncio.Queue[tuple[int, bytes | Crashed] | BaseException],
    ) -> None:
        try:
            while chunks:
                waiting = deque(chunks.popleft())
                while waiting:
                    async with self._slots:
                        await self._chunk(waiting, items, deadline_s, answers)
        except Exception as error:  # noqa: BLE001  # handed to the one who consumes the answers
            answers.put_nowait(error)

    async def _started(self) -> _Worker:
        """A new process; one that ends while it starts has one successor, because somebody may have killed it."""
        with contextlib.suppress(_EndedAtStart):
            return await _Worker.start(*self._arguments)
        try:
            return await _Worker.start(*self._arguments)
        except _EndedAtStart as error:
            raise Unavailable(f"a worker process could not start: {error}") from error

    async def _chunk(
        self,
        waiting: deque[int],
        items: Sequence[bytes],
        deadline_s: float,
        answers: asyncio.Queue[tuple[int, bytes | Crashed] | BaseException],
    ) -> None:
        """Have one process work through `waiting`; on its death the culprit is answered, the rest stays waiting."""
        worker = self._idle.pop() if self._idle else await self._started()
        try:
            worker.send([items[index] for index in waiting])
            while waiting:
                answer = await worker.answer(deadline_s)
                answers.put_nowait((waiting.popleft(), answer))
                if worker.dead:
                    break
        except BaseException:
            await worker.stop()
            raise
        if worker.dead or self._closed:
            await worker.stop()
        else:
            self._idle.append(worker)


class _EndedAtStart(Exception):
    """A process ended before it was ready, without saying why; the message says how."""


class _Worker:
    """One process and the stream to it."""

    def __init__(self, process: BaseProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._head: tuple[int, int] | None = None
        self.dead = False

    @classmethod
    async def start(cls, task: str, initial: bytes, memory_bytes: int) -> _Worker:
        ours, theirs = socket.socketpair()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_serve, args=(theirs, os.getpid(), task, initial, memory_bytes), daemon=True)
        with theirs, _safe_path(), _in_a_folder(), _interrupts_held():
            process.start()
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        worker = cls(process, reader, writer)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                kind, payload = await worker._frame()
        except BaseException as error:
            await worker.stop()
            if not isinstance(error, (TimeoutError, EOFError, OSError)):
                raise
            if not isinstance(error, TimeoutError):
                raise _EndedAtStart(worker._how_it_ended()) from error
            raise Unavailable(f"a worker process could not start: {worker._how_it_ended()}") from error
        if kind != _READY:
            await worker.stop()
            raise Unavailable(f"a worker process could not start: {payload.decode('utf-8', 'replace')}")
        return worker

    def send(self, items: Sequence[bytes]) -> None:
        """Give it a chunk."""
        self._writer.write(b"".join([_FRAME.pack(_ANSWER, len(item)) + item for item in items]))

    async def answer(self, deadline_s: float) -> bytes | Crashed:
        """The answer to the first item not answered yet. After a death, `dead` is true."""
        try:
            kind, payload = await self._within(deadline_s)
        except TimeoutError:
            self.dead = True
            return Crashed(f"it took longer than {deadline_s:g} s")
        except (EOFError, OSError):
            self.dead = True
            await self.stop()
            return Crashed(self._how_it_ended())
        return payload if kind == _ANSWER else Crashed(payload.decode("utf-8", "replace"))

    async def stop(self) -> None:
        """Kill the process and wait for its end."""
        self.dead = True
        self._writer.close()
        if self._process.is_alive():
            self._process.kill()
        await _end_of(self._process)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _within(self, deadline_s: float) -> tuple[int, bytes]:
        """The next frame; raises TimeoutError when the process has used up its time for it."""
        before_s = self._processor_s()
        wait_s, patience_s = deadline_s, PATIENCE * deadline_s
        while True:
            try:
                # not wait_for, which before Python 3.12 loses a cancel that arrives together with the answer
                async with asyncio.timeout(wait_s):
                    return await self._frame()
            except TimeoutError:
                patience_s -= wait_s
                left_s = deadline_s - (self._processor_s() - before_s)
                if left_s <= 0 or patience_s <= 0:
                    raise
                wait_s = max(left_s, deadline_s / PATIENCE)

    def _processor_s(self) -> float:
        """Seconds of processor time that the process has used; where the system does not tell, those of the clock."""
        try:
            return time.clock_gettime(~(self._process.pid or 0) << 3 | 2)  # MAKE_PROCESS_CPUCLOCK in Linux
        except (OSError, AttributeError):
            return time.monotonic()

    async def _frame(self) -> tuple[int, bytes]:
        """The next frame; after a time-out the next call goes on where it was."""
        if self._head is None:
            self._head = _FRAME.unpack(await self._reader.readexactly(_FRAME.size))
        kind, length = self._head
        payload = await self._reader.readexactly(length)
        self._head = None
        return kind, payload

    def _how_it_ended(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"the process was killed by {signal.Signals(-code).name}"
        return f"the process ended with status {code}"


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Start Python without the current folder among the places to import from: a hostile project may be there."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@contextlib.contextmanager
def _in_a_folder() -> Iterator[None]:
    """Start processes here: multiprocessing fails where somebody removed the current folder."""
    try:
        os.getcwd()
    except FileNotFoundError:
        removed = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.chdir("/")
        try:
            yield
        finally:
            os.chdir(removed)  # so that no relative path is taken to be below /
            os.close(removed)
    else:
        yield


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes here: they inherit that SIGINT waits, so Ctrl-C while they import is no traceback of theirs."""
    resource_tracker.ensure_running()  # starting it would let interrupts through again
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _chunks(sizes: Sequence[int], count: int) -> deque[list[int]]:
    """Indexes, the largest first, in chunks that get smaller towards the end, so that `count` processes end together.

    A quarter of each one's share of what is left is what Polychronopoulos and Kuck's guided self-scheduling (1987)
    gives, made smaller because the size of a file only hints at the time it takes.
    """
    chunks: deque[list[int]] = deque()
    chunk: list[int] = []
    total, left = 0, sum(sizes)
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        chunk.append(index)
        total += sizes[index]
        if total >= min(CHUNK_BYTES, max(LEAST_BYTES, left // (4 * count))):
            chunks.append(chunk)
            chunk, total, left = [], 0, left - total
    if chunk:
        chunks.append(chunk)
    return chunks


async def _end_of(process: BaseProcess) -> None:
    """Wait for the end of a process without a thread: its sentinel becomes readable."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, even in the middle of an item."""
    with contextlib.suppress(OSError, AttributeError):  # elsewhere than on Linux it ends after its item
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def _serve(connection: socket.socket, parent: int, task: str, initial: bytes, memory_bytes: int) -> None:
    """The life of a worker process: ends when the other side closes."""
    _die_with(parent)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it closed while we wrote
        _work(connection, task, initial, memory_bytes)


def _work(connection: socket.socket, task: str, initial: bytes, memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with contextlib.suppress(ValueError, OSError):  # not every system bounds this
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with connection, connection.makefile("rb") as source, connection.makefile("wb", buffering=1 << 16) as sink:
        try:
            module, _, name = task.partition(":")
            work: Callable[[bytes], bytes] = getattr(importlib.import_module(module), name)(initial)
        except Exception as error:  # noqa: BLE001  # told to the parent, which raises it
            _write(sink, _FAILURE, f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
            return
        gc.freeze()  # what was imported stays; parsing makes many objects and no cycles
        gc.set_threshold(20_000, 20, 20)
        _write(sink, _READY, b"")
        while True:
            head = source.read(_FRAME.size)
            if len(head) < _FRAME.size:
                return
            item = source.read(_FRAME.unpack(head)[1])
            try:
                kind, payload = _ANSWER, work(item)
            except MemoryError:
                kind, payload = _FAILURE, b"it needs more memory than a worker may have"
            except Exception as error:  # noqa: BLE001  # one item's failure is its answer
                kind, payload = _FAILURE, f"{type(error).__name__}: {error}".encode("utf-8", "replace")
            _write(sink, kind, payload)


def _write(sink: IOBase, kind: int, payload: bytes) -> None:
    sink.write(_FRAME.pack(kind, len(payload)))
    sink.write(payload)
    sink.flush()
