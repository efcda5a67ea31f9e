"""What is known of one file after the walk: its findings without their path, and what it takes to show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from rubber_duck.analysis.finding import Finding
from rubber_duck.analysis.suppression import Suppression

LEFT_OUT: Final = frozenset({"binary", "limit_exceeded"})
"""Reasons for which nothing at all is said about a file's content."""

RUFF_FAILED: Final = "ruff_failed"
"""The reason of a problem that kept ruff from looking at the file."""

RUFF_GIVEN_UP: Final = "ruff_given_up"
"""The reason of a problem of many files at once: ruff was given up before it looked at them."""

CUT_SHORT: Final = "cut_short"
"""The reason of a problem of a file that rules read only the beginning of, for there was too much to read."""

FAILURES: Final = frozenset(
    {"crashed", "rule_failed", CUT_SHORT, RUFF_FAILED, RUFF_GIVEN_UP, "unreadable", "denied", "unavailable"}
)
"""Problems that nobody decided on: an analysis with one of them is not complete, so it cannot pass for clean."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something that kept a file, or a rule on it, from being looked at."""

    reason: str
    detail: str


class FileAnalysis(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file's results, as kept in the cache. Findings carry an empty path, because names need not be UTF-8.

    `content_hash` is the hexadecimal BLAKE2b-128 of the file's bytes; `lines` the number of lines; `excerpt` maps a
    line number to its text, for the lines that findings lie on, with stars for what no report may show;
    `speaks_to_ruff` says that it may have comments which ruff obeys.
    """

    content_hash: str
    size_bytes: int
    language: str
    lines: int
    findings: tuple[Finding, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    excerpt: dict[int, str] = {}  # msgspec copies the default for each instance
    problems: tuple[FileProblem, ...] = ()
    speaks_to_ruff: bool = False

    @property
    def is_left_out(self) -> bool:
        """Whether the file was not analysed at all, not even by ruff."""
        return any(problem.reason in LEFT_OUT for problem in self.problems)

    @property
    def lacks_ruff(self) -> bool:
        """Whether ruff could not look at it."""
        return any(problem.reason in {RUFF_FAILED, RUFF_GIVEN_UP} for problem in self.problems)

    @property
    def is_complete(self) -> bool:
        """Whether nothing failed on the file. What failed may go well the next time, so only this is worth keeping."""
        return not any(problem.reason in FAILURES for problem in self.problems)


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(FileAnalysis)


def encode(analysis: FileAnalysis) -> bytes:
    """For the cache and for the pipe from a worker."""
    return _encoder.encode(analysis)


def decode(content: bytes) -> FileAnalysis | None:
    """The analysis, or None when the bytes are not one: then it is made anew."""
    try:
        return _decoder.decode(content)
    except msgspec.MsgspecError:
        return None
