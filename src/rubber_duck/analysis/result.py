"""One kept result: what an analysis of one kind found in one file's content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rubber_duck.analysis.finding import Finding, Kind, Severity
from rubber_duck.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """The findings of one kind in one file, suppressed ones included, as of `content_hash` and `rules_version`.

    There is one per file and kind; a clean file has results without findings. `rules_version` is empty when something
    failed on the file. Raises InvalidInput when a finding is of another kind.
    """

    id: UUID
    project_id: UUID
    file_id: UUID
    kind: Kind
    content_hash: str
    rules_version: str
    findings: tuple[Finding, ...]
    created_at: datetime

    def __post_init__(self) -> None:
        if not isinstance(self.kind, Kind):
            raise InvalidInput(f"{self.kind!r} is not a kind of analysis; the kinds are {', '.join(Kind)}")
        stray = next((finding for finding in self.findings if finding.kind is not self.kind), None)
        if stray is not None:
            raise InvalidInput(f"a {stray.kind} finding cannot be in a result of kind {self.kind.value!r}")

    @property
    def severity(self) -> Severity | None:
        """The worst severity among the findings that are not suppressed; None when there are none."""
        return worst(self.findings)


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among those not suppressed."""
    return max((finding.severity for finding in findings if finding.suppressed is None), default=None)
