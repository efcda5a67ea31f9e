"""Asks ruff about Python files and reads what it says; ruff sees no configuration but ours."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from rubber_duck.analysis.codes import RUFF
from rubber_duck.analysis.finding import Edit, Finding, Fix, Span
from rubber_duck.analysis.lines import Lines
from rubber_duck.analysis.ruff_rules import (
    INVALID_SYNTAX,
    SELECT,
    SYNTAX_ERROR,
    SYNTAX_RULE,
    Meaning,
    ignored,
    meaning,
)
from rubber_duck.errors import LimitExceeded, ProgramUnavailable
from rubber_duck.workspace.private import private_folder
from rubber_duck.workspace.programs import Limits, find_program, run_program

OBEYED: Final = "a comment for ruff"
"""Why a finding of ruff's is suppressed that ruff was kept from reporting by a comment."""

HEEDLESS: Final = "--ignore-noqa"
"""The option by which ruff takes no notice of the comments that it else obeys."""

WALL_S: Final = 60.0
"""Seconds after which ruff is killed though it took less processor time than it may: it hangs."""

_OPTIONS: Final = (
    "--isolated",
    "--no-cache",
    "--exit-zero",
    "--quiet",
    "--output-format=json",
    "--target-version=py313",  # the newest syntax it knows: a project may be newer than this interpreter
    "--config=src=[]",  # else what it says of an import depends on the files that happen to lie beside
)
_ENVIRONMENT: Final = {"RAYON_NUM_THREADS": "1"}  # several run at once, and processor time is that of all threads
_OUT_OF_MEMORY: Final = b"memory allocation of "


class _Location(msgspec.Struct, frozen=True):
    row: int = 1
    column: int = 1


class _Replacement(msgspec.Struct, frozen=True):
    location: _Location
    end_location: _Location
    content: str | None = None


class _Fix(msgspec.Struct, frozen=True):
    applicability: str
    edits: tuple[_Replacement, ...]
    message: str | None = None


class Diagnostic(msgspec.Struct, frozen=True):
    """One entry of ruff's JSON output. Rows and columns are 1-based, columns count code points."""

    code: str | None
    filename: str
    message: str
    location: _Location | None = None
    end_location: _Location | None = None
    fix: _Fix | None = None


_decoder = msgspec.json.Decoder(list[Diagnostic])


def ruff_identity() -> str:
    """Changes when another ruff is installed, or when our selection changes; raises ProgramUnavailable."""
    status = ruff_program().stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{','.join((*SELECT, *ignored(), *_OPTIONS))}"


def ruff_program() -> Path:
    """Where ruff is; raises ProgramUnavailable."""
    found = find_program("ruff")
    if found is None:
        raise ProgramUnavailable("ruff is not installed beside RubberDuck: install it, or set `analysis.ruff = false`")
    return Path(found)


async def ask_ruff(folder: Path, names: Sequence[str], limits: Limits, *options: str) -> bytes:
    """What ruff says of the files `names` below `folder`, for `read_diagnostics`; its `options` beside ours.

    Raises ProgramUnavailable (there is none, or it died), TimedOut, LimitExceeded (output or memory), Unavailable.
    """
    argv = [
        str(ruff_program()),
        "check",
        *_OPTIONS,
        f"--select={','.join(SELECT)}",
        f"--ignore={','.join(ignored())}",
        *options,
        "--",
        *(f"./{name}" for name in names),
    ]
    done = await run_program(argv, cwd=folder, timeout_s=WALL_S, limits=limits, environment=_ENVIRONMENT)
    if done.returncode != 0:
        if _OUT_OF_MEMORY in done.stderr:
            raise LimitExceeded("it needs more memory than it may have")
        raise ProgramUnavailable(f"it ended with status {done.returncode}: {_last_line(done.stderr)}")
    return done.stdout


async def sorted_imports(text: str, path: str, own: Sequence[str], style: Mapping[str, bool | int]) -> str:
    """`text`, the Python file at `path`, with its imports in isort's order, by ruff's own fix.

    `own` are the packages that are the project's, `style` ruff's options of that name. Raises as `ask_ruff`.
    """
    listed = ",".join(f"'{name}'" for name in own if name.isidentifier())
    argv = [
        str(ruff_program()),
        "check",
        "--isolated",
        "--no-cache",
        "--select=I",
        "--fix-only",
        "--quiet",
        *(f"--config={name}={str(value).lower()}" for name, value in sorted(style.items())),
        f"--config=lint.isort.known-first-party=[{listed}]",
        f"--stdin-filename={os.path.basename(path)}",
        "-",
    ]
    with private_folder() as folder:
        content = text.encode("utf-8", "surrogateescape")
        limits = Limits(output_bytes=4 * len(content) + 65_536)
        done = await run_program(
            argv, cwd=folder, stdin=content, timeout_s=WALL_S, limits=limits, environment=_ENVIRONMENT
        )
    if done.returncode != 0 or not done.stdout:
        raise ProgramUnavailable(f"ruff could not order the imports: {_last_line(done.stderr)}")
    return done.stdout.decode("utf-8", "surrogateescape")


def read_diagnostics(output: bytes, folder: Path) -> dict[str, list[Diagnostic]]:
    """What ruff said, by the name of the file below `folder`; raises ProgramUnavailable when it is not that."""
    found: dict[str, list[Diagnostic]] = {}
    try:
        for diagnostic in _decoder.decode(output):
            found.setdefault(diagnostic.filename.removeprefix(f"{folder}{os.sep}"), []).append(diagnostic)
    except msgspec.MsgspecError as error:
        raise ProgramUnavailable(f"its output is not what was expected: {error}") from error
    return found


def silenced(heedless: Sequence[Diagnostic], heeding: Sequence[Diagnostic]) -> list[Diagnostic]:
    """What comments kept ruff from saying of a file: it said it without heeding them, and not else.

    ruff alone knows what such a comment (`# noqa` and its like) covers.
    """
    said = Counter(map(_identity, heeding))
    kept: list[Diagnostic] = []
    for diagnostic in heedless:
        if said[_identity(diagnostic)]:
            said[_identity(diagnostic)] -= 1
        else:
            kept.append(diagnostic)
    return kept


def silenced_finding(diagnostic: Diagnostic, lines: Lines) -> Finding:
    """As `ruff_finding`, for what a comment kept ruff from saying."""
    return replace(ruff_finding(diagnostic, lines), fix=None, suppressed=OBEYED)


def ruff_finding(diagnostic: Diagnostic, lines: Lines) -> Finding:
    """The diagnostic as a finding, its path left empty; `lines` is the text that ruff saw."""
    meant = meaning(diagnostic.code) if diagnostic.code and diagnostic.code != INVALID_SYNTAX else SYNTAX_ERROR
    start = diagnostic.location or _Location()
    end = diagnostic.end_location or start
    return Finding(
        path="",
        span=Span(start.row, start.column, end.row, end.column),
        rule=rule_name(diagnostic.code),
        kind=meant.kind,
        severity=meant.severity,
        confidence=meant.confidence,
        message=diagnostic.message.removeprefix("SyntaxError: "),
        cwe=meant.cwe,
        fix=_fix(diagnostic, lines),
    )


def rule_name(code: str | None) -> str:
    """`"F401"` → `"ruff/F401"`."""
    return f"{RUFF}{code}" if code and code != INVALID_SYNTAX else SYNTAX_RULE


def rule_meaning(name: str) -> Meaning:
    """What a rule name made by `rule_name` means."""
    return SYNTAX_ERROR if name == SYNTAX_RULE else meaning(name.removeprefix(RUFF))


def _fix(diagnostic: Diagnostic, lines: Lines) -> Fix | None:
    raw = diagnostic.fix
    if raw is None or raw.applicability == "display":
        return None
    edits = tuple(
        Edit(
            lines.byte_offset(each.location.row, each.location.column),
            lines.byte_offset(each.end_location.row, each.end_location.column),
            each.content or "",
        )
        for each in raw.edits
    )
    return Fix(raw.message or "Apply ruff's fix", edits, safe=raw.applicability == "safe")


def _identity(diagnostic: Diagnostic) -> tuple[str | None, _Location | None, _Location | None]:
    return diagnostic.code, diagnostic.location, diagnostic.end_location


def _last_line(stderr: bytes) -> str:
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "it said nothing"
