"""Tell which workflows there are, and what one of them is asked."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

from msgspec import Meta, Struct

from rubber_duck.call import Call
from rubber_duck.engines.engine import Engine, engines
from rubber_duck.engines.engines import schema_of
from rubber_duck.scope import Right
from rubber_duck.workflows.workflow import Workflow, workflows


class WorkflowsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which workflows to tell about."""

    name: Annotated[str, Meta(max_length=200, description="One workflow.", extra={"argument": True})] = ""


class WorkflowView(Struct, frozen=True, omit_defaults=True):
    """A workflow. The documentation and the schemas are there only for a single one.

    `request` and `answer` are JSON Schemas (2020-12). `right` is what the one who starts it must hold.
    """

    name: str
    about: str
    version: int
    queue: str
    right: str
    documentation: str = ""
    request: dict[str, Any] = {}  # Any: JSON Schema
    answer: dict[str, Any] = {}  # Any: JSON Schema


class WorkflowsAnswer(Struct, frozen=True):
    """The workflows by name."""

    workflows: tuple[WorkflowView, ...]


@engines.add
class Workflows(Engine[WorkflowsRequest, WorkflowsAnswer]):
    """Tell which workflows there are, and what one of them is asked."""

    name = "workflows"
    request = WorkflowsRequest
    answer = WorkflowsAnswer
    right = Right.CATALOG_READ
    timeout_s = 30.0

    async def run(self, request: WorkflowsRequest, call: Call) -> WorkflowsAnswer:
        """The named workflow, or all; UnknownName for one that does not exist."""
        known = workflows.discover()
        if request.name:
            return WorkflowsAnswer((_view(known[request.name], whole=True),))
        return WorkflowsAnswer(tuple(_view(each, whole=False) for each in known.values()))


def _view(workflow: type[Workflow[Any, Any]], *, whole: bool) -> WorkflowView:  # Any: of any request
    return WorkflowView(
        workflow.name,
        workflow.about(),
        workflow.version,
        workflow.queue,
        workflow.right.value,
        documentation=inspect.cleandoc(workflow.__doc__ or "") if whole else "",
        request=schema_of(workflow.request) if whole else {},
        answer=schema_of(workflow.answer) if whole else {},
    )
