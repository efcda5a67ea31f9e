"""Indexing and searching Django, beside ripgrep, tantivy and bm25s over the same files in the same run.

Times are per question or update: the median and the 99th percentile of wall time, and the median of CPU time, which
other work on the machine changes little. Ours go through the whole of `Search.find`, from the text of the query to the
hits, with and without the lines that are shown.
"""

from __future__ import annotations

import asyncio
import random
import re
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import corpus, search_peers
from rubber_duck.scope import Scope
from rubber_duck.search.search import Options, Search, open_search
from rubber_duck.settings import DatabaseSettings, Settings, load
from rubber_duck.storage.database import open_database
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.workspace import Workspace

NATURAL = """
how to check if a user has a permission
send e-mail with attachment
hash a password
paginate a list of objects
generate csrf token
validate email address
parse query string parameters
cache a view for some seconds
create database migration for new field
serialize queryset to json
upload a file to storage
translate a string lazily
convert a date to the current timezone
rollback a transaction on error
render a template to string
log in a user
escape html in output
redirect to another url
delete related objects cascade
load fixtures into test database
register a model in the admin
compress response with gzip
sign a cookie value
reset a forgotten password
build absolute uri of request
limit number of database connections
detect changes between model states
raise 404 when object missing
run management command from code
stream a large response
lock rows for update
store session in cache
""".strip().split("\n")

PATTERNS = [
    r"def get_\w+_queryset\(",
    r"class \w+Middleware",
    r"raise \w+Error\(.*%",
    r"select_related\(",
    r"\bTODO\b",
    r"assertEqual\(\w+, None\)",
    r"^from django\.db import (models|connection)$",
]
_DEFINITION = re.compile(r"(?:def|class) (\w+)")
READERS = 8
HEAD = f"{'wall p50':>10}{'wall p99':>10}{'CPU p50':>10}"


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds that one thing took."""

    wall_s: float
    cpu_s: float


class Watch:
    """Measures what is done between its making and `stop`, in this process and in those that ended meanwhile."""

    def __init__(self) -> None:
        self._wall_s = time.perf_counter()
        self._cpu_s = _cpu_s()

    def stop(self) -> Taken:
        """What was done took so long."""
        return Taken(time.perf_counter() - self._wall_s, _cpu_s() - self._cpu_s)


@dataclass(frozen=True, slots=True)
class Bench:
    """An open index of a folder."""

    folder: Path
    root: Root
    scope: Scope
    search: Search
    settings: Settings

    async def update(self, *only: str) -> Taken:
        """How long bringing the index up to date takes."""
        watch = Watch()
        await self.search.update(self.scope, self.root, self.settings, lambda *_: None, only=only)
        return watch.stop()

    async def find(self, query: str, options: Options) -> int:
        """How many hits there are."""
        return len((await self.search.find(self.scope, self.root, query, options)).hits)


@asynccontextmanager
async def opened(folder: Path, home: Path) -> AsyncIterator[Bench]:
    """An index of `folder`, empty unless `home` has one."""
    settings = load({"DUCK_HOME": str(home)})
    async with (
        open_database(DatabaseSettings(url=f"sqlite:///{home}/duck.db")) as database,
        open_search(database, settings, clock=_now) as search,
    ):
        local = Scope.local()
        project = await Workspace(database, clock=_now).open_project(local, str(folder))
        yield Bench(folder, Root(folder), local.within(project.id), search, settings)


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = corpus.copy_of(corpus.django(), Path(scratch) / "django")
        asyncio.run(_tables(folder, Path(scratch)))


async def _tables(folder: Path, scratch: Path) -> None:
    python = sorted(folder.rglob("*.py"))
    names = _identifiers(python)
    print(f"Django 5.2.7: {len(python)} Python files, {sum(path.stat().st_size for path in python) / 1e6:.1f} MB\n")
    peers = search_peers.peers(python, folder)
    for peer in peers:
        print(f"{peer.name + ', build':<44}{peer.build_s:9.2f} s")
    async with opened(folder, scratch / "home") as bench:
        built, again = await bench.update(), await bench.update()
        status = await bench.search.status(bench.scope)
        print(f"{'duck index, everything':<44}{built.wall_s:9.2f} s   ({built.cpu_s:.2f} s CPU in the one that writes)")
        print(f"{'duck index, nothing changed':<44}{again.wall_s:9.2f} s   ({again.cpu_s:.2f} s CPU)")
        size_bytes = (scratch / "home" / "duck.db").stat().st_size
        print(
            f"\n{status.files:,} files of source and prose, {status.size_bytes / 1e6:.1f} MB; the database has "
            f"{size_bytes / 1e6:.1f} MB: {size_bytes / status.size_bytes:.2f} x the source\n"
        )
        await _queries(bench, peers, names)
        await _updates(bench, peers, python)
        await _crowd(bench, python[len(python) // 2])
    await _growth(corpus.django(), scratch)


async def _queries(bench: Bench, peers: Sequence[search_peers.Peer], names: Sequence[str]) -> None:
    print(f"{'questions, milliseconds':<44}{HEAD}")
    half = len(names) // 2
    short, shown = Options(with_lines=False), Options()
    kinds = {
        "words": (NATURAL, NATURAL),
        "identifier": (names[:half], names[half:]),
        "regular expression": ([f"/{each}/" for each in PATTERNS], [f"/{each}/" for each in PATTERNS]),
    }
    for kind, (first, second) in kinds.items():
        await _timed(f"duck, {kind}, cold", first, lambda query: bench.find(query, short))
        await _timed(f"duck, {kind}, warm", second, lambda query: bench.find(query, short))
        await _timed(f"duck, {kind}, warm, with lines", second, lambda query: bench.find(query, shown))
        for peer in peers:
            if kind in peer.kinds:
                plain = PATTERNS if kind == "regular expression" else second
                await _timed(f"{peer.name}, {kind}", plain[: peer.most], peer.asked)
    print()


async def _updates(bench: Bench, peers: Sequence[search_peers.Peer], python: Sequence[Path]) -> None:
    by_size = sorted(python, key=lambda path: path.stat().st_size)
    print(f"{'one file changed, milliseconds':<44}{HEAD}")
    for what, path in (("median", by_size[len(by_size) // 2]), ("largest", by_size[-1])):
        relative = str(path.relative_to(bench.folder))
        text = path.read_text()
        name = f"duck, the {what} file, {len(text) / 1000:.0f} kB"
        taken = []
        for number in range(12):
            path.write_text(f"{text}\n\ndef added_{number}(x):\n    return x + {number}\n")
            taken.append(await bench.update(relative))
        path.write_text(text)
        await bench.update(relative)
        _row(name, taken)
    for peer in peers:
        if peer.update is not None:
            taken = []
            for _ in range(3):
                watch = Watch()
                peer.update()
                taken.append(watch.stop())
            _row(f"{peer.name}, the median file", taken)
    print()


async def _crowd(bench: Bench, path: Path) -> None:
    """Updates of one file while readers search without a pause."""
    relative, text = str(path.relative_to(bench.folder)), path.read_text()
    done, searches = asyncio.Event(), list[Taken]()

    async def read(seed: int) -> None:
        dice = random.Random(seed)
        while not done.is_set():
            watch = Watch()
            await bench.find(dice.choice(NATURAL), Options(with_lines=False))
            searches.append(watch.stop())

    readers = [asyncio.create_task(read(seed)) for seed in range(READERS)]
    updates = []
    for number in range(20):
        path.write_text(f"{text}\n\ndef added_{number}(x):\n    return x + {number}\n")
        updates.append(await bench.update(relative))
    done.set()
    await asyncio.gather(*readers)
    path.write_text(text)
    print(f"{f'while {READERS} readers search, milliseconds':<44}{HEAD}")
    _row("update of one file", updates)
    _row(f"a question ({len(searches):,} of them)", searches)
    print()


async def _growth(source: Path, scratch: Path) -> None:
    """The package `django` once, twice and four times in one project."""
    print(f"{'growth':<16}{'files':>8}{'index':>10}{'size':>10}{'words, CPU':>12}{'identifier, CPU':>16}")
    for times in (1, 2, 4):
        folder, home = scratch / f"times{times}", scratch / f"home{times}"
        for number in range(times):
            shutil.copytree(source / "django", folder / f"django{number}")
        names = _identifiers(sorted(folder.rglob("*.py")))
        async with opened(folder, home) as bench:
            built = await bench.update()
            status = await bench.search.status(bench.scope)
            medians = []
            for questions in (NATURAL, names[:100]):
                for _ in range(2):
                    taken = await _times(questions, lambda query: bench.find(query, Options(with_lines=False)))
                medians.append(statistics.median(each.cpu_s for each in taken) * 1000)
        size_bytes = (home / "duck.db").stat().st_size
        row = f"{f'{times} x':<16}{status.files:8,}{built.wall_s:8.1f} s{size_bytes / 1e6:7.1f} MB"
        print(f"{row}{medians[0]:9.2f} ms{medians[1]:13.2f} ms", flush=True)
        shutil.rmtree(folder)


async def _timed(name: str, questions: Sequence[str], ask: Callable[[str], Awaitable[int]]) -> None:
    _row(name, await _times(questions, ask))


async def _times(questions: Sequence[str], ask: Callable[[str], Awaitable[int]]) -> list[Taken]:
    taken = []
    for question in questions:
        watch = Watch()
        await ask(question)
        taken.append(watch.stop())
    return taken


def _row(name: str, taken: Sequence[Taken]) -> None:
    walls = sorted(each.wall_s for each in taken)
    p99 = walls[min(len(walls) - 1, int(len(walls) * 0.99))]
    cpu = statistics.median(each.cpu_s for each in taken)
    print(f"{name:<44}{statistics.median(walls) * 1000:10.2f}{p99 * 1000:10.2f}{cpu * 1000:10.2f}", flush=True)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _identifiers(files: Sequence[Path]) -> list[str]:
    """Names of several words that the files define, in a random but repeatable order."""
    names = {name for path in files for name in _DEFINITION.findall(path.read_text(errors="replace"))}
    found = sorted(name for name in names if "_" in name.strip("_") and not name.startswith("test"))
    random.Random(1).shuffle(found)
    return found[:400]


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
