"""Asks the type checker that a project is set up for, in the sandbox, which errors a change brings."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from rubber_duck.call import Call
from rubber_duck.engines.place import Where
from rubber_duck.engines.testing import in_sandbox
from rubber_duck.errors import DuckError

_SECONDS: Final = 300.0
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Checker:
    """A type checker: the files that set it up (a table of a TOML or INI file behind `#`), and how it is asked.

    `error` matches a line of its output that tells an error, with the groups `path` and `said`.
    """

    name: str
    suffixes: tuple[str, ...]
    configured: tuple[str, ...]
    argv: tuple[str, ...]
    error: re.Pattern[str]


CHECKERS: Final = (
    Checker(
        "mypy",
        (".py", ".pyi"),
        ("mypy.ini", ".mypy.ini", "pyproject.toml#[tool.mypy", "setup.cfg#[mypy"),
        ("python", "-m", "mypy", "--no-error-summary", "--no-color-output", "--no-pretty", "--cache-dir=/dev/null"),
        re.compile(r"^(?P<path>[^:\n]+):\d+(?::\d+)?: error: (?P<said>.*)$", re.MULTILINE),
    ),
    Checker(
        "pyright",
        (".py", ".pyi"),
        ("pyrightconfig.json", "pyproject.toml#[tool.pyright"),
        ("pyright",),
        re.compile(r"^\s*(?P<path>[^:\n]+):\d+:\d+ - error: (?P<said>.*)$", re.MULTILINE),
    ),
)
"""Those that are known; the first that a project is set up for, and that is there, is asked."""

Errors = Counter[tuple[str, str]]
"""How often each error is told, by file and words: lines move."""


async def type_errors(
    call: Call, where: Where, changed: Mapping[str, bytes | None], paths: Collection[str]
) -> tuple[str, Errors]:
    """The checker's name and the errors in `paths` with `changed` laid over the project; "" where none is there."""
    for checker in CHECKERS:
        wanted = sorted(path for path in paths if path.endswith(checker.suffixes))
        if not wanted or not any(_is_there(where, place) for place in checker.configured):
            continue
        seen = await in_sandbox(call, where, (*checker.argv, *wanted), changed, wall_s=_SECONDS)
        said = (seen.done.stdout + b"\n" + seen.done.stderr).decode("utf-8", "replace")
        is_missing = "No module named" in said and "error:" not in said
        if seen.done.ended.value != "exit" or is_missing or seen.done.code not in (0, 1):
            continue
        found = [(_inside(each["path"], where), each["said"]) for each in checker.error.finditer(said)]
        return checker.name, Counter(each for each in found if each[0] in wanted)
    return "", Counter()


def _is_there(where: Where, place: str) -> bool:
    path, _, table = place.partition("#")
    try:
        content = where.root.open_bytes(path, _MOST_BYTES)
    except DuckError:
        return False
    return table.encode() in content


def _inside(path: str, where: Where) -> str:
    return os.path.relpath(path, where.root.path) if os.path.isabs(path) else os.path.normpath(path)
