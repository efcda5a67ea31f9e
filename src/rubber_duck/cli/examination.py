"""What `duck doctor` looks at: each check says whether all is well, what it saw, and what to do if it is not."""

from __future__ import annotations

import errno
import os
import platform
import shlex
import shutil
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Final

from rubber_duck.cli.registered import engines, grammars, models, plugins
from rubber_duck.cli.verdict import State, Verdict
from rubber_duck.errors import DuckError, InvalidSettings, ProgramUnavailable, SchemaMismatch, normalize
from rubber_duck.settings import Settings

_LEAST_FREE_BYTES: Final = 200_000_000
_PROGRAM_TIMEOUT_S: Final = 10.0


async def examine(settings: Settings) -> AsyncIterator[Verdict]:
    """Every check, one after the other; one that raises is ill and does not keep the others from running."""
    checks: tuple[tuple[str, _Check], ...] = (
        ("python", _python),
        ("home folder", _home),
        ("disk space", _disk),
        ("database", _database),
        ("ruff", _ruff),
        ("git", _git),
        ("plug-ins", plugins),
        ("grammars", grammars),
        ("engines", engines),
        ("models", models),
        ("workers", _workers),
        ("sandbox", _sandbox),
    )
    for subject, check in checks:
        try:
            seen = check(settings)
            found = await seen if isinstance(seen, Awaitable) else seen
            for verdict in (found,) if isinstance(found, Verdict) else found:
                yield verdict
        except Exception as error:  # noqa: BLE001  # a check that fails in a way nobody foresaw is a finding too
            known = normalize(error)
            yield Verdict(State.ILL, subject, known.message, _ADVICE.get(subject, ""))


_Check = Callable[[Settings], Verdict | Awaitable[Verdict] | Awaitable[Sequence[Verdict]]]

_ADVICE: Final = {
    "ruff": "install RubberDuck's requirements again: make run, or pip install ruff",
    "workers": "look at the limits of this account (ulimit -a) and of its container",
}


def _python(settings: Settings) -> Verdict:
    seen = f"{platform.python_version()}, {sys.executable}"
    if (3, 11) <= sys.version_info < (3, 14):
        return Verdict(State.WELL, "python", seen)
    return Verdict(State.NOTE, "python", seen, "RubberDuck is tried on Python 3.11 to 3.13")


def _home(settings: Settings) -> Verdict:
    home = Path(settings.home)
    place = _nearest(home)
    if not place.is_dir():
        advice = f"move that file away, or {_ANOTHER_HOME}"
        return Verdict(State.ILL, "home folder", f"{place} is not a folder", advice)
    if (error := _refusal(place)) is not None:
        seen = f"{place} cannot be written: {error.strerror}"
        return Verdict(State.ILL, "home folder", seen, _way_to_write(place, error))
    if not os.path.exists(home):
        return Verdict(State.WELL, "home folder", f"{home}, made at first use")
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        advice = f"chmod 700 {shlex.quote(str(home))}"
        return Verdict(State.ILL, "home folder", f"{home} is open to others ({mode:03o})", advice)
    return Verdict(State.WELL, "home folder", f"{home}, private and writable")


_ANOTHER_HOME: Final = "choose a folder that you may write: export DUCK_HOME=/path/to/it"


def _refusal(place: Path) -> OSError | None:
    """Why nothing can be written into `place`, a folder or a file. `os.access` knows nothing of full or odd disks."""
    try:
        if place.is_file():
            place.open("r+b").close()
            return None
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"duck")
            file.flush()
    except OSError as error:
        return error
    return None


def _way_to_write(place: Path, error: OSError) -> str:
    """What makes the folder `place` writable, or else another home."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"free some space there, or {_ANOTHER_HOME}"
    if error.errno not in (errno.EACCES, errno.EPERM):
        return _ANOTHER_HOME
    if place.stat().st_uid == os.getuid():
        return f"chmod u+rwx {shlex.quote(str(place))}"
    return f"{_ANOTHER_HOME}; or have its owner give it to you: chown {os.getuid()} {shlex.quote(str(place))}"


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

    path: Path | None = None
    try:
        location = Location.parse(settings.database.url)
        path = location.path
        if path is not None and _can_be_made(path):
            return Verdict(State.WELL, "database", f"{location.shown}, made at first use")
        async with open_database(settings.database, migrate=False) as database:
            health = await database.health()
            if health.schema is None:
                await database.run(partial(migrate.refuse_foreign, shown=location.shown), write=False)
    except DuckError as error:
        return Verdict(State.ILL, "database", error.message, _way_to_database(path, error))
    seen = f"{location.shown}, {health.dialect} {health.version}, answers in {health.latency_s * 1000:.1f} ms"
    if health.schema != migrate.head():
        old = f"{seen}, schema {health.schema or 'missing'} where {migrate.head()} is wanted"
        return Verdict(State.NOTE, "database", old, "the next start will bring it up to date, or now: `duck migrate`")
    if health.missing_extensions:
        missing = ", ".join(health.missing_extensions)
        return Verdict(
            State.NOTE, "database", f"{seen}; without {missing}", "install them on the server, then: `duck migrate`"
        )
    return Verdict(State.WELL, "database", f"{seen}, schema {health.schema}")


def _way_to_database(path: Path | None, error: DuckError) -> str:
    """What helps against `error`, which the database raised that is the file `path`, or a server."""
    another = "export DUCK_DATABASE_URL=sqlite:////path/to/another.db"
    if isinstance(error, InvalidSettings):
        return "correct database.url in duck.toml, or DUCK_DATABASE_URL"
    if isinstance(error, SchemaMismatch):
        return f"this one stays as it is; let this program begin another: {another}"
    if path is not None:
        place = _nearest(path)
        needed = "mend it as said" if _refusal(place) is None else f"make {place} writable for you"
        return f"{needed}, or name another file: {another}"
    return "start the server, or correct database.url in duck.toml or DUCK_DATABASE_URL"


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


async def _sandbox(settings: Settings) -> Verdict:
    from rubber_duck.actions.sandbox import sandbox_problem  # noqa: PLC0415  # only where it is asked

    problem = await sandbox_problem()
    if problem:
        advice = (
            "let this account make user namespaces (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces)"
        )
        return Verdict(State.NOTE, "sandbox", problem, advice)
    return Verdict(State.WELL, "sandbox", "commands run on copies, without network")


def echo(initial: bytes) -> Callable[[bytes], bytes]:
    """The task of the workers that the check starts: they send back what they get."""
    return bytes


def _can_be_made(path: Path) -> bool:
    return not os.path.exists(path) and not _refusal(_nearest(path))


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that is there."""
    while not os.path.exists(path) and path != path.parent:  # Path.exists raises where nobody may look
        path = path.parent
    return path
