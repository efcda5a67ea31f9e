"""The table of kept results, and the only SQL of this slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from rubber_duck.analysis.finding import Finding, Kind, Severity
from rubber_duck.analysis.result import AnalysisResult
from rubber_duck.errors import Denied, InvalidInput
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Json, Key, Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata
from rubber_duck.workspace.store import code_files, projects, take_turn

_KINDS: Final = ", ".join(f"'{kind.value}'" for kind in Kind)
_SEVERITIES: Final = ", ".join(f"'{severity.label}'" for severity in Severity)

analysis_results: Final = Table(
    "analysis_results",
    metadata,
    Column("id", Key, primary_key=True),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("file_id", Key, ForeignKey("code_files.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, CheckConstraint(f"kind IN ({_KINDS})", name="kind"), nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("severity", Text, CheckConstraint(f"severity IN ({_SEVERITIES})", name="severity"), nullable=True),
    Column("findings", Json, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    UniqueConstraint("file_id", "kind"),
    Index(None, "project_id"),
)


def kept_versions(connection: Connection, scope: Scope) -> dict[UUID, tuple[str, str]]:
    """File id → (content hash, rules version) of what is kept for the scope's project.

    Only files that have a result of every kind, all of the same content and rules.
    """
    scope.require(Right.FILE_READ)
    held = analysis_results.c
    least = (func.min(held.content_hash), func.min(held.rules_version))
    greatest = (func.max(held.content_hash), func.max(held.rules_version))
    statement = _visible(select(held.file_id, *least), scope).group_by(held.file_id)
    statement = statement.having(
        func.count() == len(Kind), *(low == high for low, high in zip(least, greatest, strict=True))
    )
    return {file_id: (content_hash, version) for file_id, content_hash, version in connection.execute(statement)}


def put_results(connection: Connection, scope: Scope, results: Sequence[AnalysisResult]) -> None:
    """Keep `results` in place of what was kept for their files; Denied unless all are of the scope's own project."""
    scope.require(Right.ANALYSIS_RUN)
    if not results:
        return
    files = sorted({result.file_id for result in results})
    if any(result.project_id != scope.project for result in results):
        raise Denied("results of another project than the scope's cannot be kept")
    take_turn(connection, scope)
    owned = (
        select(func.count())
        .select_from(code_files.join(projects, projects.c.id == code_files.c.project_id))
        .where(projects.c.id == scope.project, projects.c.owner == scope.owner, code_files.c.id.in_(files))
    )
    if connection.execute(owned).scalar_one() != len(files):
        raise Denied("results can be kept only for files of the scope's own project")
    # By the file alone, which has an index: with the project beside it, SQLite walks all rows of the project.
    connection.execute(
        delete(analysis_results).where(analysis_results.c.file_id == bindparam("of_file")),
        [{"of_file": file_id} for file_id in files],
    )
    connection.execute(insert(analysis_results), [_values(result) for result in results])


async def results_of(
    scope: Scope, tx: Transaction, *, path: str | None = None, kind: Kind | None = None
) -> list[AnalysisResult]:
    """The results kept for the scope's project, by path and kind; of one file or one kind when given."""
    scope.require(Right.FILE_READ)
    statement = _visible(select(analysis_results, code_files.c.path), scope)
    statement = statement.where(code_files.c.deleted_at.is_(None)).order_by(code_files.c.path, analysis_results.c.kind)
    if path is not None:
        statement = statement.where(code_files.c.path == path)
    if kind is not None:
        statement = statement.where(analysis_results.c.kind == kind.value)
    return [_result(row) for row in await tx.execute(statement)]


def _visible(statement: Select[Any], scope: Scope) -> Select[Any]:  # Any: rows of any shape
    """Only rows of the scope's project, and only if that is the actor's own and not deleted."""
    if scope.project is None:
        raise InvalidInput("results are kept by project: the scope must name one")
    return (
        statement.join(code_files, code_files.c.id == analysis_results.c.file_id)
        .join(projects, projects.c.id == analysis_results.c.project_id)
        .where(
            analysis_results.c.project_id == scope.project,
            projects.c.owner == scope.owner,
            projects.c.deleted_at.is_(None),
        )
    )


def _values(result: AnalysisResult) -> Mapping[str, object]:
    severity = result.severity
    return {
        "id": result.id,
        "project_id": result.project_id,
        "file_id": result.file_id,
        "kind": result.kind.value,
        "content_hash": result.content_hash,
        "rules_version": result.rules_version,
        "severity": None if severity is None else severity.label,
        "findings": [_builtins(each) for each in result.findings],
        "created_at": result.created_at,
    }


def _builtins(finding: Finding) -> dict[str, Any]:  # Any: JSON values
    """The finding as JSON values, without its path, which the file's row has."""
    values: dict[str, Any] = msgspec.to_builtins(finding)
    del values["path"]
    return values


def _result(row: Row[Any]) -> AnalysisResult:  # Any: a row of the statement above
    findings = tuple(msgspec.convert(each | {"path": row.path}, Finding) for each in row.findings)
    return AnalysisResult(
        id=row.id,
        project_id=row.project_id,
        file_id=row.file_id,
        kind=Kind(row.kind),
        content_hash=row.content_hash,
        rules_version=row.rules_version,
        findings=findings,
        created_at=row.created_at,
    )
