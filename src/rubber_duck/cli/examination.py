"""What `duck doctor` looks at: each check says whether all is well, what it saw, and what to do if it is not."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from rubber_duck.errors import DuckError, ProgramUnavailable, normalize
from rubber_duck.settings import Settings

_LEAST_FREE_BYTES: Final = 200_000_000
_PROGRAM_TIMEOUT_S: Final = 10.0


class State(Enum):
    """How a check went."""

    WELL = "✓"
    NOTE = "!"
    ILL = "✗"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check saw. `advice` says what to do; a NOTE is something that RubberDuck works without."""

    state: State
    subject: str
    seen: str
    advice: str = ""


async def examine(settings: Settings) -> AsyncIterator[Verdict]:
    """Every check, one after the other; one that raises is ill and does not keep the others from running."""
    checks: tuple[tuple[str, Callable[[Settings], Verdict | Awaitable[Verdict]]], ...] = (
        ("python", _python),
        ("home folder", _home),
        ("disk space", _disk),
        ("database", _database),
        ("ruff", _ruff),
        ("git", _git),
        ("grammars", _grammars),
        ("workers", _workers),
    )
    for subject, check in checks:
        try:
            verdict = check(settings)
            yield verdict if isinstance(verdict, Verdict) else await verdict
        except Exception as error:  # noqa: BLE001  # a check that fails in a way nobody foresaw is a finding too
            known = normalize(error)
            yield Verdict(State.ILL, subject, known.message, _ADVICE.get(subject, ""))


_ADVICE: Final = {
    "database": "correct database.url in duck.toml or DUCK_DATABASE_URL",
    "ruff": "install RubberDuck's requirements again: make run, or pip install ruff",
    "workers": "look at the limits of this account (ulimit -a) and of its container",
    "grammars": "install RubberDuck's requirements again",
}


def _python(settings: Settings) -> Verdict:
    seen = f"{platform.python_version()}, {sys.executable}"
    if (3, 11) <= sys.version_info < (3, 14):
        return Verdict(State.WELL, "python", seen)
    return Verdict(State.NOTE, "python", seen, "RubberDuck is tried on Python 3.11 to 3.13")


def _home(settings: Settings) -> Verdict:
    home = Path(settings.home)
    place = _nearest(home)
    if not os.access(place, os.W_OK | os.X_OK):
        return Verdict(State.ILL, "home folder", f"{place} cannot be written", "choose another one with DUCK_HOME")
    if not home.exists():
        return Verdict(State.WELL, "home folder", f"{home}, made at first use")
    if not home.is_dir():
        return Verdict(State.ILL, "home folder", f"{home} is not a folder", "choose another one with DUCK_HOME")
    with tempfile.TemporaryFile(dir=home) as file:
        file.write(b"duck")
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        return Verdict(State.ILL, "home folder", f"{home} is open to others ({mode:03o})", f"chmod 700 {home}")
    return Verdict(State.WELL, "home folder", f"{home}, private and writable")


def _disk(settings: Settings) -> Verdict:
    place = _nearest(Path(settings.home))
    free = shutil.disk_usage(place).free
    seen = f"{free / 1e9:,.1f} GB free at {place}"
    if free < _LEAST_FREE_BYTES:
        return Verdict(State.ILL, "disk space", seen, f"free {_LEAST_FREE_BYTES // 1_000_000} MB or move DUCK_HOME")
    return Verdict(State.WELL, "disk space", seen)


async def _database(settings: Settings) -> Verdict:
    from rubber_duck.storage import migrate  # noqa: PLC0415  # SQLAlchemy costs 0.45 s
    from rubber_duck.storage.database import open_database  # noqa: PLC0415  # as above
    from rubber_duck.storage.location import Location  # noqa: PLC0415  # as above

    location = Location.parse(settings.database.url)
    if location.path is not None and not location.path.exists() and os.access(_nearest(location.path), os.W_OK):
        return Verdict(State.WELL, "database", f"{location.shown}, made at first use")
    async with open_database(settings.database, migrate=False) as database:
        health = await database.health()
    seen = f"{location.shown}, {health.dialect} {health.version}, answers in {health.latency_s * 1000:.1f} ms"
    if health.schema != migrate.head():
        old = f"{seen}, schema {health.schema or 'missing'} where {migrate.head()} is wanted"
        return Verdict(State.NOTE, "database", old, "the next start will bring it up to date, or now: duck migrate")
    if health.missing_extensions:
        missing = ", ".join(health.missing_extensions)
        return Verdict(
            State.NOTE, "database", f"{seen}; without {missing}", "install them on the server, then: duck migrate"
        )
    return Verdict(State.WELL, "database", f"{seen}, schema {health.schema}")


async def _ruff(settings: Settings) -> Verdict:
    if not settings.analysis.ruff:
        return Verdict(State.NOTE, "ruff", "turned off by analysis.ruff")
    return Verdict(State.WELL, "ruff", await _version("ruff"))


async def _git(settings: Settings) -> Verdict:
    try:
        return Verdict(State.WELL, "git", await _version("git"))
    except DuckError as error:
        return Verdict(State.NOTE, "git", error.message, "install git; nothing needs it yet")


async def _version(name: str) -> str:
    from rubber_duck.workspace.programs import find_program, run_program  # noqa: PLC0415  # only where it is asked

    program = find_program(name)
    if program is None:
        raise ProgramUnavailable(f"there is no {name} beside Python nor on PATH")
    done = await run_program([program, "--version"], cwd=Path("/"), timeout_s=_PROGRAM_TIMEOUT_S)
    return f"{done.stdout.decode(errors='replace').strip()}, {program}"


async def _grammars(settings: Settings) -> Verdict:
    from rubber_duck.code.code import open_source  # noqa: PLC0415  # grammars
    from rubber_duck.code.language import languages  # noqa: PLC0415  # as above

    found = sorted(languages.discover())
    for name in found:
        open_source(f"example{languages[name].suffixes[0]}", b"duck\n", name)
    return Verdict(State.WELL, "grammars", ", ".join(found))


async def _workers(settings: Settings) -> Verdict:
    from rubber_duck.code.workers import Crashed, Workers  # noqa: PLC0415  # multiprocessing

    task = f"{__name__}:{echo.__name__}"
    workers = Workers(settings.workers.count, task, memory_bytes=settings.workers.memory_bytes)
    greetings = [b"quack"] * workers.count
    try:
        async with aclosing(workers.map(greetings, sizes=[1] * len(greetings), deadline_s=_PROGRAM_TIMEOUT_S)) as map_:
            answers = [answer async for _, answer in map_]
    finally:
        await workers.close()
    crash = next((answer for answer in answers if isinstance(answer, Crashed)), None)
    if crash is not None:
        return Verdict(State.ILL, "workers", f"a worker process {crash.reason}", _ADVICE["workers"])
    memory = f"{settings.workers.memory_bytes / 1e9:.1f} GB"
    return Verdict(State.WELL, "workers", f"{workers.count} processes of at most {memory} start and answer")


def echo(initial: bytes) -> Callable[[bytes], bytes]:
    """The task of the workers that the check starts: they send back what they get."""
    return bytes


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
