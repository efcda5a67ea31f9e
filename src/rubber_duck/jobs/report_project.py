"""Write a report on a project durably."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rubber_duck.analysis.report.render import Format
from rubber_duck.analysis.target import existing
from rubber_duck.jobs.hands import hands_of, tenant
from rubber_duck.jobs.reports import ReportAnswer, Wanted, clear_reports, said_of, written_report
from rubber_duck.scope import Right
from rubber_duck.workflows.retries import PATIENT
from rubber_duck.workflows.run import Run, Step
from rubber_duck.workflows.workflow import Known, Workflow, workflows
from rubber_duck.workspace.paths import Root


class ReportProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which project, and the form of the report."""

    path: Annotated[str, Meta(description="The project's folder.", extra={"path": True})]
    format: Annotated[Format, Meta(description="The form of the report.")] = "html"


@workflows.add
class ReportGenerator(Workflow[ReportProject, ReportAnswer]):
    """Write a report on a project, after reading what has changed in it."""

    name = "report-project"
    version = 1
    request = ReportProject
    answer = ReportAnswer
    right = Right.ANALYSIS_RUN
    queue = "analysis"

    @classmethod
    def said(cls, answer: Any) -> str:  # Any: as builtins
        """What was found, and where the report is."""
        return said_of(answer)

    @classmethod
    async def clear(cls, hands: object, known: Known, before: datetime) -> None:
        """Reports go with their runs."""
        await clear_reports(hands, known, before)

    async def run(self, request: ReportProject, run: Run) -> ReportAnswer:
        """One step."""
        async with run.telling() as tell:
            root = Root(existing(request.path, ""))
            work = lambda: written_report(hands_of(run), tenant(run), root, Wanted(request.format, run.id), tell)  # noqa: E731
            return await run.step(Step("report", work, ReportAnswer, retries=PATIENT))
