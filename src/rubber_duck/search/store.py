"""The tables of indexes and their files, and the only SQL of this slice.

Whose an index is stands in the query that finds it, by project and actor; everything else hangs on its number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from rubber_duck.errors import InvalidInput, NotFound, StaleVersion
from rubber_duck.scope import Right, Scope
from rubber_duck.search.fields import FIELDS
from rubber_duck.search.index import Embedded, FileRow, IndexState, KnownFile, Sighting, StoredFile
from rubber_duck.storage.columns import Json, Key, PathText, Timestamp
from rubber_duck.storage.fulltext import full_text, numbers_with_tables
from rubber_duck.storage.metadata import metadata
from rubber_duck.storage.vectors import vectors
from rubber_duck.workspace.store import projects

search_indexes: Final = Table(
    "search_indexes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("project_id", Key, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("format", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("next_word", Integer, nullable=False),
    Column("next_file", BigInteger, nullable=False),
    Column("chunks", BigInteger, nullable=False),
    Column("lengths", Json, nullable=False),
    Column("changed_chunks", BigInteger, nullable=False),
    Column("associations", LargeBinary),
    Column("left_out", Json, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("finished_at", Timestamp),
)

search_files: Final = Table(
    "search_files",
    metadata,
    Column("index_number", Integer, ForeignKey("search_indexes.number", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("path", PathText, nullable=False),
    Column("language", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("vocabulary", LargeBinary, nullable=False),
    Column("slots", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index(None, "index_number", "path", unique=True),
    Index(None, "index_number", "generation"),
)

search_embedding_problems: Final = Table(
    "search_embedding_problems",
    metadata,
    Column(
        "index_number",
        Integer,
        ForeignKey("search_indexes.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("problem", Text, nullable=False),
)
"""Of the indexes whose embeddings model did not answer last time, why."""


def find_index(connection: Connection, scope: Scope) -> IndexState | None:
    """The index of the scope's project, or None."""
    scope.require(Right.FILE_READ)
    if scope.project is None:
        raise InvalidInput("an index is of one project: the scope must name it")
    row = connection.execute(_FIND, {"of_project": scope.project, "of_actor": scope.owner}).first()
    return None if row is None else _state(row)


def open_index(connection: Connection, scope: Scope, format_: int, at: datetime) -> IndexState:
    """The index of the scope's project, made when there is none, emptied when it is of another format.

    Raises NotFound for a project that is not the actor's. Indexes of purged projects are swept away.
    """
    scope.require(Right.ANALYSIS_RUN)
    _sweep(connection)
    found = find_index(connection, scope)
    if found is not None and found.format == format_:
        return found
    if found is not None:
        remove_index(connection, found.number)
    elif connection.execute(_OWN, {"of_project": scope.project, "of_actor": scope.owner}).first() is None:
        raise NotFound(f"there is no project with the id {str(scope.project)!r}")
    return _create(connection, scope, format_, at)


def remove_index(connection: Connection, number: int) -> None:
    """Forget all that is indexed."""
    _drop_tables(connection, number)
    connection.execute(delete(search_indexes).where(search_indexes.c.number == number))


def known_files(connection: Connection, index: int, paths: Collection[str] | None = None) -> list[KnownFile]:
    """Every file of the index by path, or those of `paths`."""
    columns = search_files.c
    statement = select(
        columns.number, columns.path, columns.language, columns.content_hash, columns.size_bytes, columns.mtime_ns,
        columns.ctime_ns, columns.inode, columns.seen_ns, columns.problem, func.length(columns.content) > 0,
    ).where(columns.index_number == index)  # fmt: skip
    if paths is not None:
        statement = statement.where(columns.path.in_(sorted(paths)))
    rows = connection.execute(statement.order_by(columns.path)).all()
    return [KnownFile(row[0], row[1], row[2], row[3], Sighting(*row[4:9]), row[9], bool(row[10])) for row in rows]


def stored_files(connection: Connection, index: int, numbers: Collection[int]) -> list[StoredFile]:
    """The files of these numbers that there are, in any order."""
    found: list[StoredFile] = []
    listed = sorted(numbers)
    for start in range(0, len(listed), _AT_ONCE):
        wanted = search_files.c.number.in_(listed[start : start + _AT_ONCE])
        statement = _STORED.where(search_files.c.index_number == index, wanted)
        found += [StoredFile(*row) for row in connection.execute(statement)]
    return found


def all_files(connection: Connection, index: int, *, before: int) -> list[StoredFile]:
    """Every file of the index whose number is smaller than `before`, by number."""
    own = (search_files.c.index_number == index, search_files.c.number < before)
    statement = _STORED.where(*own).order_by(search_files.c.number).execution_options(yield_per=_AT_ONCE)
    return [StoredFile(*row) for row in connection.execute(statement)]


def changed_since(connection: Connection, index: int, generation: int) -> list[int]:
    """The numbers of files that were written after the transaction of that number."""
    statement = select(search_files.c.number).where(
        search_files.c.index_number == index, search_files.c.generation > generation
    )
    return list(connection.execute(statement).scalars())


def insert_files(connection: Connection, index: int, generation: int, rows: Sequence[FileRow]) -> None:
    """Keep files that the index does not have."""
    values = [
        {
            "index_number": index,
            "number": row.file.number,
            "generation": generation,
            "path": row.file.path,
            "language": row.file.language,
            "content_hash": row.file.content_hash,
            **_sighted(row.file.sighting),
            "problem": row.file.problem,
            "vocabulary": row.vocabulary,
            "slots": row.slots,
            "content": row.file.content,
        }
        for row in rows
    ]
    if values:
        connection.execute(insert(search_files), values)


def delete_files(connection: Connection, index: int, numbers: Iterable[int]) -> None:
    """Forget files; their postings are withdrawn by whoever calls this."""
    condition = (search_files.c.index_number == index, search_files.c.number == bindparam("of_file"))
    rows = [{"of_file": number} for number in numbers]
    if rows:
        connection.execute(delete(search_files).where(*condition), rows)


def note_sightings(connection: Connection, index: int, sightings: Mapping[int, Sighting]) -> None:
    """Files that were touched and not changed."""
    values: dict[str, Any] = {name: bindparam(f"to_{name}") for name in _SIGHTED}  # Any: SQLAlchemy's
    statement = (
        update(search_files)
        .where(search_files.c.index_number == index, search_files.c.number == bindparam("of_file"))
        .values(values)
    )
    rows = [
        {"of_file": number, **{f"to_{name}": value for name, value in _sighted(seen).items()}}
        for number, seen in sightings.items()
    ]
    if rows:
        connection.execute(statement, rows)


def save_index(connection: Connection, state: IndexState) -> None:
    """Keep the counters of the next generation; associations stay as they are.

    Raises StaleVersion when somebody else has written to the index since the generation before.
    """
    values = {name: getattr(state, name) for name in _COUNTERS}
    columns = search_indexes.c
    statement = update(search_indexes).where(columns.number == state.number, columns.generation == state.generation - 1)
    if connection.execute(statement.values(lengths=list(state.lengths), **values)).rowcount != 1:
        raise StaleVersion("the index was written by somebody else meanwhile; index again")


def read_associations(connection: Connection, index: int) -> bytes:
    """What was learnt last; empty when nothing was."""
    statement = select(search_indexes.c.associations).where(search_indexes.c.number == index)
    return connection.execute(statement).scalar() or b""


def save_associations(connection: Connection, index: int, learnt: bytes) -> None:
    """Replace what was learnt, and begin to count changes anew."""
    connection.execute(
        update(search_indexes)
        .where(search_indexes.c.number == index)
        .values(associations=learnt, changed_chunks=0, generation=search_indexes.c.generation + 1)
    )


def embedded(connection: Connection, index: int) -> Embedded:
    """What an embeddings model has said of the index."""
    kept = vectors(connection, index)
    model = kept.model()
    columns = search_embedding_problems.c
    problem = connection.execute(select(columns.problem).where(columns.index_number == index)).scalar()
    return Embedded("" if model is None else model.name, 0 if model is None else kept.count(), problem or "")


def note_embedding(connection: Connection, index: int, problem: str) -> None:
    """Keep why the embeddings model did not answer, or, with nothing, that it did."""
    connection.execute(delete(search_embedding_problems).where(search_embedding_problems.c.index_number == index))
    if problem:
        connection.execute(insert(search_embedding_problems).values(index_number=index, problem=problem))


def paths_of(connection: Connection, index: int) -> list[tuple[int, str, str]]:
    """Number, path and language of every file, by path."""
    columns = search_files.c
    statement = select(columns.number, columns.path, columns.language).where(columns.index_number == index)
    return [(row[0], row[1], row[2]) for row in connection.execute(statement.order_by(columns.path))]


_AT_ONCE: Final = 500
_OWN: Final = select(projects.c.id).where(
    projects.c.id == bindparam("of_project"),
    projects.c.owner == bindparam("of_actor"),
    projects.c.deleted_at.is_(None),
)
_FIND: Final = select(
    *(column for column in search_indexes.c if column.name != "associations"),
    search_indexes.c.associations.is_not(None).label("has_associations"),
).where(search_indexes.c.project_id.in_(_OWN))
_SIGHTED: Final = ("size_bytes", "mtime_ns", "ctime_ns", "inode", "seen_ns")
_COUNTERS: Final = ("generation", "next_word", "next_file", "chunks", "changed_chunks", "left_out", "finished_at")
_STORED: Final = select(
    search_files.c.number, search_files.c.path, search_files.c.language, search_files.c.content_hash,
    search_files.c.vocabulary, search_files.c.slots, search_files.c.content,
)  # fmt: skip


def _drop_tables(connection: Connection, number: int) -> None:
    full_text(connection, number).drop()
    vectors(connection, number).drop()


def _sweep(connection: Connection) -> None:
    """Drop the tables of indexes whose projects were purged."""
    with_tables = numbers_with_tables(connection)  # first, so that whatever has tables has its row by now
    known = set(connection.execute(select(search_indexes.c.number)).scalars())
    for number in with_tables:
        if number not in known:
            _drop_tables(connection, number)


def _create(connection: Connection, scope: Scope, format_: int, at: datetime) -> IndexState:
    last = connection.execute(select(func.max(search_indexes.c.number))).scalar() or 0
    number = last + 1
    state = IndexState(number, format_, 0, 1, 1, 0, (0,) * FIELDS, 0, False, {}, at, None)
    full_text(connection, number).create()
    values = {name: getattr(state, name) for name in (*_COUNTERS, "number", "format", "created_at")}
    connection.execute(insert(search_indexes).values(project_id=scope.project, lengths=list(state.lengths), **values))
    return state


def _sighted(sighting: Sighting) -> dict[str, int]:
    return {name: getattr(sighting, name) for name in _SIGHTED}


def _state(row: Row[Any]) -> IndexState:  # Any: a row of `_of_project`
    return IndexState(
        row.number, row.format, row.generation, row.next_word, row.next_file, row.chunks, tuple(row.lengths),
        row.changed_chunks, row.has_associations, row.left_out, row.created_at, row.finished_at,
    )  # fmt: skip
