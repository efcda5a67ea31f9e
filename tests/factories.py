"""Typed makers of what tests need, with sensible fields that a test may replace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack
from uuid import UUID

from rubber_duck.analysis.finding import Confidence, Finding, Fix, Kind, Severity, Span
from rubber_duck.analysis.result import AnalysisResult
from rubber_duck.analysis.store import put_results
from rubber_duck.scope import Scope
from rubber_duck.storage.database import Database
from rubber_duck.storage.keys import new_key
from rubber_duck.workspace import store
from rubber_duck.workspace.project import CodeFile, Json, Project

MOMENT = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
"""When things happened, unless a test says otherwise."""


def write_tree(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` (relative path → content) below `folder`, which is returned; folders are made as needed."""
    for relative, content in files.items():
        file = os.path.join(folder, relative)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
    return folder


class ProjectFields(TypedDict, total=False):
    """What a test may say of a project."""

    id: UUID
    owner: str
    name: str
    root: str
    description: str
    configuration: dict[str, Json]
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class FileFields(TypedDict, total=False):
    """What a test may say of a file."""

    id: UUID
    path: str
    language: str | None
    content_hash: str
    size_bytes: int
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class FindingFields(TypedDict, total=False):
    """What a test may say of a finding."""

    path: str
    span: Span
    rule: str
    kind: Kind
    severity: Severity
    confidence: Confidence
    message: str
    cwe: int | None
    fix: Fix | None
    suppressed: str | None


class ResultFields(TypedDict, total=False):
    """What a test may say of an analysis's result."""

    id: UUID
    kind: Kind
    content_hash: str
    rules_version: str
    findings: tuple[Finding, ...]
    created_at: datetime


async def make_project(database: Database, scope: Scope, **fields: Unpack[ProjectFields]) -> Project:
    """A kept project of the scope's actor, with a name and a root of its own; its folder need not exist."""
    key = new_key()
    usual = Project(
        id=key,
        owner=scope.actor.id,
        name=f"project {key}",
        root=f"/projects/{key}",
        description="A pond.",
        configuration={"depth": 3},
        version=1,
        created_at=MOMENT,
        updated_at=MOMENT,
    )
    project = replace(usual, **fields)
    async with database.begin() as tx:
        await store.create_project(scope, tx, project)
    return project


async def make_file(database: Database, scope: Scope, project: Project, **fields: Unpack[FileFields]) -> CodeFile:
    """A kept file of `project`, with a path of its own; it need not exist on disk."""
    key = new_key()
    usual = CodeFile(
        id=key,
        project_id=project.id,
        path=f"src/{key}.py",
        language="python",
        content_hash="0" * 32,
        size_bytes=12,
        version=1,
        created_at=MOMENT,
        updated_at=MOMENT,
    )
    file = replace(usual, **fields)
    async with database.begin() as tx:
        await store.create_file(scope, tx, file)
    return file


def make_finding(**fields: Unpack[FindingFields]) -> Finding:
    """A finding that nothing else depends on: no file need hold it."""
    usual = Finding(
        path="src/a.py",
        span=Span(1, 1, 1, 5),
        rule="unsafe-eval",
        kind=Kind.SECURITY,
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        message="eval() runs whatever it is given",
        cwe=95,
    )
    return replace(usual, **fields)


async def make_result(
    database: Database, scope: Scope, file: CodeFile, **fields: Unpack[ResultFields]
) -> AnalysisResult:
    """A kept result of the analysis of `file`, as of its content; one security finding unless said otherwise.

    Findings get the file's path. `scope` must be within the file's project.
    """
    usual = AnalysisResult(
        id=new_key(),
        project_id=file.project_id,
        file_id=file.id,
        kind=Kind.SECURITY,
        content_hash=file.content_hash,
        rules_version="1" * 32,
        findings=(),
        created_at=MOMENT,
    )
    fields.setdefault("findings", (make_finding(),) if fields.get("kind", usual.kind) is Kind.SECURITY else ())
    fields["findings"] = tuple(replace(finding, path=file.path) for finding in fields["findings"])
    result = replace(usual, **fields)
    await database.run(lambda connection: put_results(connection, scope, [result]))
    return result
