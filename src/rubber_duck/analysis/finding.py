"""One thing an analyser has to say about one place in one file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How bad it is if the finding is right. Ordered; written in lower case."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """`"info"` … `"critical"`."""
        return self.name.lower()


class Confidence(IntEnum):
    """How sure the rule is that the finding is right."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def label(self) -> str:
        """`"low"`, `"medium"` or `"high"`."""
        return self.name.lower()


class Kind(StrEnum):
    """What an analysis looks at; results are kept per file and kind."""

    SYNTAX = "syntax"
    STYLE = "style"
    SEMANTIC = "semantic"
    SECURITY = "security"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a text: lines and columns are 1-based, columns count Unicode code points, the end is exclusive."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes [start_byte, end_byte) of the file as it was analysed by `text` (UTF-8)."""

    start_byte: int
    end_byte: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that make the finding disappear; `safe` claims that they keep the program's meaning."""

    message: str
    edits: tuple[Edit, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as kept and shown.

    `rule` is a name such as `"sql-injection"` or, from ruff, `"ruff/F401"`; `path` is relative to the project's
    root with `/`; `cwe` is the number of the weakness (https://cwe.mitre.org) or None; `suppressed` is the reason
    given in a suppression comment, None when there is none.
    """

    path: str
    span: Span
    rule: str
    kind: Kind
    severity: Severity
    confidence: Confidence
    message: str
    cwe: int | None = None
    fix: Fix | None = None
    suppressed: str | None = None

    @property
    def order(self) -> tuple[str, Span, str, str]:
        """The one order in which findings are kept and shown, so that two runs are byte-identical."""
        return (self.path, self.span, self.rule, self.message)
