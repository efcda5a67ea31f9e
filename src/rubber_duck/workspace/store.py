"""The tables of projects and their files, and the only SQL of this slice.

Whose a project is stands in every query: another actor's project, or one outside the scope's, is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from rubber_duck.errors import Conflict, Denied, InvalidInput, NotFound, StaleVersion
from rubber_duck.scope import Right, Scope
from rubber_duck.storage.columns import LIVING, Json, Key, PathText, Timestamp
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.keys import new_key
from rubber_duck.storage.metadata import metadata
from rubber_duck.workspace.paths import display
from rubber_duck.workspace.project import Changes, CodeFile, Project, ScanEntry

projects: Final = Table(
    "projects",
    metadata,
    Column("id", Key, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("root", PathText, nullable=False),
    Column("description", Text, nullable=False),
    Column("configuration", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    Column("deleted_at", Timestamp),
    Index(None, "owner", "name", unique=True, sqlite_where=LIVING, postgresql_where=LIVING),
    Index(None, "owner", "root", unique=True, sqlite_where=LIVING, postgresql_where=LIVING),
    Index(None, "owner"),
)

code_files: Final = Table(
    "code_files",
    metadata,
    Column("id", Key, primary_key=True),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("path", PathText, nullable=False),
    Column("language", Text),
    Column("content_hash", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    Column("deleted_at", Timestamp),
    Index(None, "project_id", "path", unique=True, sqlite_where=LIVING, postgresql_where=LIVING),
)


async def create_project(scope: Scope, tx: Transaction, project: Project) -> None:
    """Raises Conflict when its name or its root is another living project's."""
    scope.require(Right.PROJECT_CREATE)
    if project.owner != scope.owner or scope.project is not None:
        raise Denied("a project is created for the one who asks, outside of every other project")
    await _refuse_twin(scope, tx, project)
    await tx.execute(insert(projects), _project_values(project))


async def read_project(scope: Scope, tx: Transaction, project_id: UUID, *, deleted: bool = False) -> Project:
    """The living project, or the removed one with `deleted`; raises NotFound."""
    scope.require(Right.PROJECT_READ)
    statement = select(projects).where(_own(scope), projects.c.id == project_id, _state(projects, deleted))
    row = (await tx.execute(statement)).first()
    if row is None:
        raise NotFound(f"there is no {'removed ' if deleted else ''}project with the id {str(project_id)!r}")
    return _project(row)


async def list_projects(scope: Scope, tx: Transaction, *, deleted: bool = False) -> list[Project]:
    """The living projects, or the removed ones with `deleted`, by name; of one name the oldest first."""
    scope.require(Right.PROJECT_READ)
    statement = select(projects).where(_own(scope), _state(projects, deleted))
    found = [_project(row) for row in await tx.execute(statement)]
    return sorted(found, key=lambda project: (project.name.casefold(), project.name, project.id))


async def change_project(scope: Scope, tx: Transaction, project: Project, at: datetime) -> Project:
    """Keep `project`, a changed copy of what was read, and return it with its new version.

    Raises StaleVersion when it was changed since it was read, Conflict when its name or root is taken, NotFound.
    """
    scope.require(Right.PROJECT_WRITE)
    if project.deleted_at is None:
        await _refuse_twin(scope, tx, project)
    changed = replace(project, version=project.version + 1, updated_at=at)
    values = {key: value for key, value in _project_values(changed).items() if key not in _FIXED}
    condition = (_own(scope), projects.c.id == project.id)
    written = await tx.execute(update(projects).where(*condition, projects.c.version == project.version).values(values))
    if written.rowcount != 1:
        known = (await tx.execute(select(projects.c.id).where(*condition))).first()
        raise _not_written(known is not None, f"the project {project.name!r}")
    return changed


async def soft_delete_project(scope: Scope, tx: Transaction, project: Project, at: datetime) -> Project:
    """Remove the project from every list; its name becomes free. Raises as `change_project`."""
    return await change_project(scope, tx, replace(project, deleted_at=at), at)


async def restore_project(scope: Scope, tx: Transaction, project: Project, at: datetime) -> Project:
    """Undo a soft delete; Conflict when its name or root was given to another meanwhile."""
    return await change_project(scope, tx, replace(project, deleted_at=None), at)


async def purge_project(scope: Scope, tx: Transaction, project_id: UUID) -> None:
    """Delete the project and all that is kept of it, for good; raises NotFound."""
    scope.require(Right.PROJECT_PURGE)
    purged = await tx.execute(delete(projects).where(_own(scope), projects.c.id == project_id))
    if purged.rowcount != 1:
        raise NotFound(f"there is no project with the id {str(project_id)!r}")


async def create_file(scope: Scope, tx: Transaction, file: CodeFile) -> None:
    """Raises Conflict when the project has a living file at that path, NotFound for the project."""
    scope.require(Right.FILE_WRITE)
    found = await tx.execute(select(projects.c.id).where(_own_living(scope), projects.c.id == file.project_id))
    if found.first() is None:
        raise NotFound(f"there is no project with the id {str(file.project_id)!r}")
    await tx.execute(insert(code_files), _file_values(file))


async def read_file(scope: Scope, tx: Transaction, file_id: UUID, *, deleted: bool = False) -> CodeFile:
    """The living file, or the removed one with `deleted`; raises NotFound."""
    scope.require(Right.FILE_READ)
    statement = select(code_files).where(_within(scope), code_files.c.id == file_id, _state(code_files, deleted))
    row = (await tx.execute(statement)).first()
    if row is None:
        raise NotFound(f"there is no {'removed ' if deleted else ''}file with the id {str(file_id)!r}")
    return _file(row)


async def list_files(scope: Scope, tx: Transaction, project_id: UUID, *, deleted: bool = False) -> list[CodeFile]:
    """The project's living files, or the removed ones with `deleted`, by path; none for an unknown project."""
    scope.require(Right.FILE_READ)
    statement = select(code_files).where(
        _within(scope), code_files.c.project_id == project_id, _state(code_files, deleted)
    )
    return sorted((_file(row) for row in await tx.execute(statement)), key=lambda file: (file.path, file.id))


async def change_file(scope: Scope, tx: Transaction, file: CodeFile, at: datetime) -> CodeFile:
    """As `change_project`, for a file; its project never changes."""
    scope.require(Right.FILE_WRITE)
    changed = replace(file, version=file.version + 1, updated_at=at)
    values = {key: value for key, value in _file_values(changed).items() if key not in _FIXED}
    condition = (_within(scope), code_files.c.id == file.id)
    written = await tx.execute(
        update(code_files).where(*condition, code_files.c.version == file.version).values(values)
    )
    if written.rowcount != 1:
        known = (await tx.execute(select(code_files.c.id).where(*condition))).first()
        raise _not_written(known is not None, f"the file '{display(file.path)}'")
    return changed


async def soft_delete_file(scope: Scope, tx: Transaction, file: CodeFile, at: datetime) -> CodeFile:
    """Remove the file from every list; its path becomes free. Raises as `change_file`."""
    return await change_file(scope, tx, replace(file, deleted_at=at), at)


async def restore_file(scope: Scope, tx: Transaction, file: CodeFile, at: datetime) -> CodeFile:
    """Undo a soft delete; Conflict when its path was taken by another meanwhile."""
    return await change_file(scope, tx, replace(file, deleted_at=None), at)


async def purge_file(scope: Scope, tx: Transaction, file_id: UUID) -> None:
    """Delete the file's row and all that is kept of it, for good; raises NotFound."""
    scope.require(Right.FILE_PURGE)
    purged = await tx.execute(delete(code_files).where(_within(scope), code_files.c.id == file_id))
    if purged.rowcount != 1:
        raise NotFound(f"there is no file with the id {str(file_id)!r}")


def take_turn(connection: Connection, scope: Scope) -> None:
    """Let those who write of the files of one project follow each other, until the end of the transaction.

    Two analyses of a project would otherwise both take out what is kept of a file and both put something in.
    """
    connection.execute(select(projects.c.id).where(projects.c.id == scope.project).with_for_update(key_share=True))


def record_files(
    connection: Connection, scope: Scope, project_id: UUID, entries: Iterable[ScanEntry], at: datetime
) -> Changes:
    """Make the project's living files equal to `entries`, for `Database.run`.

    What vanished is soft-deleted, what came back is revived under its old id. Raises NotFound for the project,
    InvalidInput for a path given twice.
    """
    scope.require(Right.FILE_WRITE)
    # the lock lets two scans of one project follow each other; SQLite has one writer at a time anyway
    owned = select(projects.c.id).where(_own_living(scope), projects.c.id == project_id).with_for_update()
    if connection.execute(owned).first() is None:
        raise NotFound(f"there is no project with the id {str(project_id)!r}")
    wanted: dict[str, ScanEntry] = {}
    for entry in entries:
        if wanted.setdefault(entry.path, entry) is not entry:
            raise InvalidInput(f"the file '{display(entry.path)}' was found twice")
    known = _known(connection, project_id)
    added = [_new_values(project_id, entry, at) for path, entry in wanted.items() if path not in known]
    renewed = [entry for path, entry in wanted.items() if path in known and _differs(known[path], entry)]
    removed = [row.id for path, row in known.items() if path not in wanted and row.deleted_at is None]
    if added:
        connection.execute(insert(code_files), added)
    if renewed:
        connection.execute(_RENEW, [_renewal(known[entry.path], entry, at) for entry in renewed])
    if removed:
        connection.execute(_REMOVE, [{"of_file": file_id, "at": at} for file_id in removed])
    revived = sum(known[entry.path].deleted_at is not None for entry in renewed)
    ids = {path: known[path].id for path in wanted if path in known} | {row["path"]: row["id"] for row in added}
    changed = len(renewed) - revived
    unchanged = len(wanted) - len(added) - len(renewed)
    return Changes(len(added) + revived, changed, len(removed), unchanged, ids)


_FIXED: Final = frozenset({"id", "owner", "project_id", "created_at"})

_RENEW: Final = (
    update(code_files)
    .where(code_files.c.id == bindparam("of_file"))
    .values(
        language=bindparam("to_language"),
        content_hash=bindparam("to_hash"),
        size_bytes=bindparam("to_size"),
        version=code_files.c.version + 1,
        updated_at=bindparam("at"),
        deleted_at=None,
    )
)
_REMOVE: Final = (
    update(code_files)
    .where(code_files.c.id == bindparam("of_file"))
    .values(deleted_at=bindparam("at"), updated_at=bindparam("at"), version=code_files.c.version + 1)
)


def _own(scope: Scope) -> ColumnElement[bool]:
    """The scope's projects, living or removed."""
    own = projects.c.owner == scope.owner
    return own if scope.project is None else own & (projects.c.id == scope.project)


def _own_living(scope: Scope) -> ColumnElement[bool]:
    return _own(scope) & projects.c.deleted_at.is_(None)


def _within(scope: Scope) -> ColumnElement[bool]:
    """The files of the scope's living projects."""
    return code_files.c.project_id.in_(select(projects.c.id).where(_own_living(scope)))


def _state(table: Table, deleted: bool) -> ColumnElement[bool]:
    return table.c.deleted_at.is_not(None) if deleted else table.c.deleted_at.is_(None)


async def _refuse_twin(scope: Scope, tx: Transaction, project: Project) -> None:
    """Raise Conflict when another living project of the owner has this one's name or root."""
    statement = select(projects.c.name, projects.c.root).where(
        projects.c.owner == scope.owner,
        projects.c.deleted_at.is_(None),
        projects.c.id != project.id,
        (projects.c.name == project.name) | (projects.c.root == project.root),
    )
    for name, _ in await tx.execute(statement):
        if name == project.name:
            raise Conflict(f"there is a project called {name!r} already; choose another name")
        raise Conflict(f"the folder '{display(project.root)}' is open already, as the project {name!r}")


def _not_written(known: bool, what: str) -> NotFound | StaleVersion:
    if known:
        return StaleVersion(f"{what} was changed by somebody else since it was read; read it again")
    return NotFound(f"{what} does not exist any more")


def _known(connection: Connection, project_id: UUID) -> dict[str, Row[Any]]:  # the row's columns are named below
    """Path → row: the living one, or of the removed ones the one that was removed last."""
    columns = code_files.c
    statement = (
        select(columns.id, columns.path, columns.language, columns.content_hash, columns.size_bytes, columns.deleted_at)
        .where(columns.project_id == project_id)
        .order_by(columns.updated_at, columns.id)
    )
    rows: Sequence[Row[Any]] = connection.execute(statement).all()  # as above
    removed = {row.path: row for row in rows if row.deleted_at is not None}
    return removed | {row.path: row for row in rows if row.deleted_at is None}


def _differs(row: Row[Any], entry: ScanEntry) -> bool:  # as in `_known`
    kept = (row.language, row.content_hash, row.size_bytes, row.deleted_at)
    return kept != (entry.language, entry.content_hash, entry.size_bytes, None)


def _renewal(row: Row[Any], entry: ScanEntry, at: datetime) -> dict[str, object]:  # as in `_known`
    return {
        "of_file": row.id,
        "to_language": entry.language,
        "to_hash": entry.content_hash,
        "to_size": entry.size_bytes,
        "at": at,
    }


def _new_values(project_id: UUID, entry: ScanEntry, at: datetime) -> dict[str, Any]:  # values of every column's type
    return {
        "id": new_key(),
        "project_id": project_id,
        "path": entry.path,
        "language": entry.language,
        "content_hash": entry.content_hash,
        "size_bytes": entry.size_bytes,
        "version": 1,
        "created_at": at,
        "updated_at": at,
        "deleted_at": None,
    }


def _project_values(project: Project) -> dict[str, object]:
    return {column.name: getattr(project, column.name) for column in projects.c}


def _file_values(file: CodeFile) -> dict[str, object]:
    return {column.name: getattr(file, column.name) for column in code_files.c}


def _project(row: Row[Any]) -> Project:  # the row's columns are the table's
    return Project(**row._mapping)


def _file(row: Row[Any]) -> CodeFile:  # the row's columns are the table's
    return CodeFile(**row._mapping)
