"""Runs ruff over Python files and reads what it says; ruff sees no configuration but ours."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from rubber_duck import telemetry
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
from rubber_duck.errors import LimitExceeded, ProgramUnavailable, TimedOut
from rubber_duck.workspace.programs import Limits, find_program, run_program

OBEYED: Final = "a comment for ruff"
"""Why a finding of ruff's is suppressed that ruff was kept from reporting by a comment."""

_ARGUMENT_BYTES: Final = 500_000
"""Paths per run, well under Linux's 2 MB for all arguments."""
_OUTPUT_BYTES: Final = 512_000_000
_TIMEOUT_S: Final = 300.0


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


@dataclass(slots=True)
class RuffRun:
    """What ruff said: the files it read, diagnostics by path, those that comments kept it from saying, the files it
    died on and those it was not given, each with the reason."""

    linted: list[str] = field(default_factory=list)
    diagnostics: dict[str, list[Diagnostic]] = field(default_factory=dict)
    silenced: dict[str, list[Diagnostic]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


_decoder = msgspec.json.Decoder(list[Diagnostic])


def ruff_identity() -> str:
    """Changes when another ruff is installed, or when our selection changes; raises ProgramUnavailable."""
    status = ruff_program().stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{','.join(SELECT)}:{','.join(ignored())}"


def ruff_program() -> Path:
    """Where ruff is; raises ProgramUnavailable."""
    found = find_program("ruff")
    if found is None:
        raise ProgramUnavailable("ruff is not installed beside RubberDuck: install it, or set `analysis.ruff = false`")
    return Path(found)


async def run_ruff(root: Path, paths: Sequence[str]) -> RuffRun:
    """Lint the files `paths` (relative to `root`); when ruff dies on a batch, the batch is bisected.

    Raises ProgramUnavailable when there is no ruff, unless there is nothing to do.
    """
    run = RuffRun()
    if not paths:
        return run
    program = ruff_program()
    for batch in _batches([path for path in paths if _is_utf8(path)]):
        await _lint(program, root, batch, run)
    run.unread.update({path: "its name is not UTF-8, which ruff cannot read" for path in paths if not _is_utf8(path)})
    return run


async def add_silenced(root: Path, paths: Sequence[str], run: RuffRun) -> None:
    """Fill `run.silenced` for `paths`, files of `run` that may hold comments which ruff obeys (`# noqa` and its like).

    ruff alone knows what such a comment covers, so it looks again, told to take no notice of them.
    """
    unheeding = RuffRun()
    if not paths:
        return
    program = ruff_program()
    for batch in _batches(paths):
        await _lint(program, root, batch, unheeding, "--ignore-noqa")
    run.failed.update(unheeding.failed)
    for path, diagnostics in unheeding.diagnostics.items():
        said = Counter(map(_identity, run.diagnostics.get(path, ())))
        silenced: list[Diagnostic] = []
        for diagnostic in diagnostics:
            if said[_identity(diagnostic)]:
                said[_identity(diagnostic)] -= 1
            else:
                silenced.append(diagnostic)
        if silenced:
            run.silenced[path] = silenced


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


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _batches(paths: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size_bytes = 0
    for path in paths:
        cost = len(os.fsencode(path)) + 9
        if batch and size_bytes + cost > _ARGUMENT_BYTES:
            yield batch
            batch, size_bytes = [], 0
        batch.append(path)
        size_bytes += cost
    if batch:
        yield batch


async def _lint(program: Path, root: Path, batch: Sequence[str], run: RuffRun, *options: str) -> None:
    waiting: list[Sequence[str]] = [batch]
    while waiting:
        paths = waiting.pop()
        try:
            diagnostics = await _call(program, root, paths, options)
        except (LimitExceeded, TimedOut, ProgramUnavailable) as error:
            telemetry.emit("analysis.ruff_failed", files=len(paths), error=error.message)
            if len(paths) == 1:
                run.failed[paths[0]] = error.message
            else:
                middle = len(paths) // 2
                waiting += [paths[:middle], paths[middle:]]
            continue
        run.linted += paths
        prefix = f"{root}{os.sep}"
        for diagnostic in diagnostics:
            relative = diagnostic.filename.removeprefix(prefix)
            run.diagnostics.setdefault(relative, []).append(diagnostic)


async def _call(program: Path, root: Path, paths: Sequence[str], options: Sequence[str]) -> list[Diagnostic]:
    argv = [
        str(program),
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        "--quiet",
        "--output-format=json",
        "--target-version=py313",  # the newest syntax it knows: a project may be newer than this interpreter
        f"--select={','.join(SELECT)}",
        f"--ignore={','.join(ignored())}",
        *options,
        "--",
        *(f"./{path}" for path in paths),
    ]
    completed = await run_program(argv, cwd=root, timeout_s=_TIMEOUT_S, limits=Limits(output_bytes=_OUTPUT_BYTES))
    if completed.returncode != 0:
        raise ProgramUnavailable(f"ruff ended with status {completed.returncode}: {_last_line(completed.stderr)}")
    try:
        return _decoder.decode(completed.stdout)
    except msgspec.MsgspecError as error:
        raise ProgramUnavailable(f"ruff's output is not what was expected: {error}") from error


def _last_line(stderr: bytes) -> str:
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "it said nothing"
