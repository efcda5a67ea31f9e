"""The value that every report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rubber_duck.analysis.finding import Confidence, Finding, Kind, Severity

_DECIDED: Final = frozenset(
    {
        "ignored",
        "built_in",
        "generated",
        "binary",
        "too_large",
        "link",
        "symlink_outside",
        "symlink_loop",
        "special_file",
    }
)


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """How much of one language was analysed, files without findings included."""

    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """What a report says about a rule: `summary` is one line of plain text, `documentation` is Markdown.

    `url` is a page with more to read, or empty. `cwe` is the number of the weakness.
    """

    name: str
    kind: Kind
    severity: Severity
    confidence: Confidence
    summary: str
    documentation: str
    cwe: int | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found in one file.

    `findings` are in `Finding.order`, suppressed ones included, each with this very `path`. `excerpt` maps a
    1-based line number to that line without its line break; it holds at least the lines on which findings start
    and end. `lines` counts all lines.
    """

    path: str
    language: str | None
    lines: int
    findings: tuple[Finding, ...]
    excerpt: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that was left out, or whose analysis failed: `reason` is a word such as `"too_large"`."""

    path: str
    reason: str
    detail: str

    @property
    def is_decided(self) -> bool:
        """Whether somebody decided on it, or it can hold no source: nothing that should be here is missing."""
        return self.reason in _DECIDED


@dataclass(frozen=True, slots=True)
class PathNarrowing:
    """Rules (names, or prefixes ending in `*`) that do not count below `path`, a pattern in .gitignore syntax."""

    path: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the project's own duck.toml keeps from a report which the reader's settings alone would put there.

    `off` are the names of the rules that count nowhere, `ruff/*` for all of ruff's; `is_total` says that no rule
    is left. `paths` are the places where rules do not count. `min_severity` is the least that counts, None where
    that is not higher for it. `options` are the rules whose options it sets. `withheld` counts the findings that were
    made and are not in the report for it; what a rule with other options or ruff would have found nobody knows.
    """

    off: tuple[str, ...] = ()
    is_total: bool = False
    paths: tuple[PathNarrowing, ...] = ()
    min_severity: Severity | None = None
    options: tuple[str, ...] = ()
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one analysis.

    `root` is the path as the person wrote it and is shown as it is. `files` are sorted by path; they may leave out
    files without findings, so `languages` is what says how much was analysed (the key `""` stands for no known
    language). `version` is RubberDuck's. `name` is the project's name, empty when it has none. `narrowing` is there
    when the project's own duck.toml keeps something from the report: then no findings is no all-clear.
    """

    root: str
    files: tuple[FileReport, ...]
    problems: tuple[Problem, ...]
    languages: Mapping[str, LanguageCount]
    rules: tuple[RuleDescription, ...]
    version: str
    name: str = ""
    narrowing: Narrowing | None = None

    @property
    def title(self) -> str:
        """What to call the project: its name, or else the last part of `root`."""
        last = self.root.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
        return self.name or (last if last not in ("", ".", "..") else "this project")
