"""Runs a project's tests in the sandbox, on a copy, and reads how they ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from rubber_duck.call import Call
from rubber_duck.engines.place import Where

if TYPE_CHECKING:
    from rubber_duck.actions.command import Seen

RUN_S: Final = 120.0
"""Seconds that a run in the sandbox may take."""

PATHS: Final = "import sys; sys.path[:0] = ['.', 'src', 'lib']; "
"""Python that finds the project's own code."""

_PYTEST: Final = PATHS + "import os; os.environ['COLUMNS'] = '500'; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
_OPTIONS: Final = ("-q", "-p", "no:cacheprovider", "--tb=line", "-rfE", "--no-header", "-o", "addopts=")
_OUTCOME: Final = re.compile(r"(\d+) (passed|failed|error|errors|skipped|xfailed)")
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+?)::(.+?)(?: - (.*))?$", re.MULTILINE)
_WENT_WRONG: Final = ("failed", "error", "errors")


class FailedTest(msgspec.Struct, frozen=True):
    """A test that does not pass on the code as it is, and what it said."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How tests ended. `trouble` is what keeps them from running at all; `files` has the file of each failed test."""

    passed: int
    failed: tuple[FailedTest, ...]
    trouble: str = ""
    files: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether all of at least one passed."""
        return self.passed > 0 and not self.failed and not self.trouble


async def in_sandbox(
    call: Call, where: Where, argv: tuple[str, ...], changed: Mapping[str, bytes | None], *, wall_s: float = RUN_S
) -> Seen:
    """How a program ends on a copy of the project over which `changed` is laid."""
    from rubber_duck.actions.command import CommandArguments, RunCommand  # noqa: PLC0415  # only where it is asked
    from rubber_duck.actions.sandbox import SandboxLimits  # noqa: PLC0415  # as above

    limits = SandboxLimits(wall_s=wall_s, cpu_s=round(wall_s), memory_bytes=1 << 30, processes=64)
    return await RunCommand().run(CommandArguments(where.root, where.settings.index, argv, limits, (), changed), call)


async def run_tests(
    call: Call, where: Where, changed: Mapping[str, bytes | None], *paths: str, wall_s: float = RUN_S
) -> Outcome:
    """The outcome of pytest over `paths`, nothing: all of the project's tests, with `changed` laid over the copy."""
    seen = await in_sandbox(call, where, ("python", "-c", _PYTEST, *_OPTIONS, *paths), changed, wall_s=wall_s)
    said = seen.done.stdout.decode("utf-8", "replace")
    if seen.done.ended.value != "exit":
        return Outcome(0, (), f"the tests were ended in the sandbox: {seen.done.why or seen.done.ended.value}")
    counts = {
        word: int(number) for number, word in _OUTCOME.findall(said.strip().splitlines()[-1] if said.strip() else "")
    }
    found = _FAILED.findall(said)
    failed = tuple(FailedTest(name, (why or "").strip()[:500]) for _, name, why in found)
    if seen.done.code not in (0, 1) and not failed:
        errors = seen.done.stderr.decode("utf-8", "replace")
        return Outcome(0, (), f"the tests cannot run: {last_said(said if 'Error' in said else errors or said)}")
    wrong = sum(counts.get(word, 0) for word in _WENT_WRONG)
    trouble = "" if failed or not (wrong or seen.done.code) else f"{wrong or 'some'} of the tests did not pass"
    return Outcome(counts.get("passed", 0), failed, trouble, tuple(file for file, _, _ in found))


def last_said(said: str) -> str:
    """The last line that names an error, or the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if "Error" in line]
    return (wrong[-1] if wrong else lines[-1] if lines else "it says nothing")[:300]
