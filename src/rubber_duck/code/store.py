"""The table of what parsing found in each file, and the only SQL of this slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from rubber_duck.code.codec import decode
from rubber_duck.code.symbols import FileSymbols
from rubber_duck.errors import Denied, InvalidInput
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import Key
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.metadata import metadata
from rubber_duck.workspace.store import code_files, projects, take_turn

code_facts: Final = Table(
    "code_facts",
    metadata,
    Column("file_id", Key, ForeignKey("code_files.id", ondelete="CASCADE"), primary_key=True),
    Column("content_hash", Text, nullable=False),
    Column("facts", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class FactsRow:
    """The facts (`codec.encode`) of one file's content, whose hash is `content_hash`."""

    file_id: UUID
    content_hash: str
    facts: bytes


def put_facts(connection: Connection, scope: Scope, rows: Sequence[FactsRow]) -> None:
    """Keep `rows` in place of what was kept for their files; Denied unless all are of the scope's own project."""
    scope.require(Right.ANALYSIS_RUN)
    if not rows:
        return
    ids = sorted({row.file_id for row in rows})
    take_turn(connection, scope)
    owned = _of_project(select(func.count()).select_from(code_files), scope).where(code_files.c.id.in_(ids))
    if connection.execute(owned).scalar_one() != len(ids):
        raise Denied("facts can be kept only for files of the scope's own project")
    connection.execute(
        delete(code_facts).where(code_facts.c.file_id == bindparam("of_file")), [{"of_file": each} for each in ids]
    )
    latest = {row.file_id: row for row in rows}
    connection.execute(
        insert(code_facts),
        [{"file_id": row.file_id, "content_hash": row.content_hash, "facts": row.facts} for row in latest.values()],
    )


async def get_facts(scope: Scope, tx: Transaction, *, paths: Sequence[str] | None = None) -> dict[str, FileSymbols]:
    """Path → what is known of the present content of the scope's project's files; of `paths` only, when given."""
    scope.require(Right.FILE_READ)
    statement = _of_project(
        select(code_files.c.path, code_facts.c.facts).join(code_facts, code_facts.c.file_id == code_files.c.id), scope
    ).where(code_files.c.deleted_at.is_(None), code_facts.c.content_hash == code_files.c.content_hash)
    if paths is not None:
        statement = statement.where(code_files.c.path.in_(list(paths)))
    return {row.path: decode(row.facts) for row in await tx.execute(statement.order_by(code_files.c.path))}


def _of_project(statement: Select[Any], scope: Scope) -> Select[Any]:  # Any: rows of any shape
    """Only files of the scope's project, and only if that is the actor's own and not deleted."""
    if scope.project is None:
        raise InvalidInput("facts are kept by project: the scope must name one")
    return statement.join(projects, projects.c.id == code_files.c.project_id).where(
        code_files.c.project_id == scope.project,
        projects.c.owner == scope.owner,
        projects.c.deleted_at.is_(None),
    )
