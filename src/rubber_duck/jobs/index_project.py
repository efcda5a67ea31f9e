"""Index a project durably."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rubber_duck.analysis.target import existing, project_settings
from rubber_duck.jobs.hands import hands_of, tenant
from rubber_duck.scope import Right
from rubber_duck.workflows.retries import Retries
from rubber_duck.workflows.run import Run, Step, Tell
from rubber_duck.workflows.workflow import Workflow, workflows
from rubber_duck.workspace.paths import Root


class IndexProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which project."""

    path: Annotated[str, Meta(description="The project's folder.", extra={"path": True})]


class Indexed(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of files that were new, read again, gone and left as they were, and what can be found now."""

    project: str
    added: int
    changed: int
    removed: int
    unchanged: int
    chunks: int


@workflows.add
class ProjectIndexer(Workflow[IndexProject, Indexed]):
    """Bring the search index of a project up to date.

    Only what has changed is read. Interrupted at any moment, it goes on from the batch of files it was in.
    """

    name = "index-project"
    version = 1
    request = IndexProject
    answer = Indexed
    right = Right.FILE_READ
    queue = "indexing"

    @classmethod
    def said(cls, answer: Any) -> str:  # Any: as builtins
        """What was read."""
        read = answer["added"] + answer["changed"]
        return (
            f"{answer['project']}: {read:,} files read, {answer['removed']:,} gone, {answer['unchanged']:,} as before"
        )

    async def run(self, request: IndexProject, run: Run) -> Indexed:
        """One step: the index itself commits batch by batch."""
        async with run.telling() as tell:
            return await run.step(
                Step("index", lambda: _indexed(request, run, tell), Indexed, retries=Retries(3, patient=True))
            )


async def _indexed(request: IndexProject, run: Run, tell: Tell) -> Indexed:
    parts = hands_of(run).parts
    root = Root(existing(request.path, ""))
    project = await parts.workspace.project_at(tenant(run), str(root.path))
    scope = tenant(run).within(project.id)
    updated = await parts.search.update(scope, root, project_settings(root, parts.settings), tell)
    status = await parts.search.status(scope)
    return Indexed(
        project=project.name,
        added=updated.added,
        changed=updated.changed,
        removed=updated.removed,
        unchanged=updated.unchanged,
        chunks=status.chunks,
    )
