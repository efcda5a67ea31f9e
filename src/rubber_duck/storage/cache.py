"""A disposable cache in one local file: bytes by space and key; losing it costs time and nothing else.

It uses only the standard library's sqlite3, because SQLAlchemy takes longer to import than many a run takes.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from rubber_duck import telemetry
from rubber_duck.settings.home import make_private_folder

T = TypeVar("T")

_APPLICATION: Final = 0x4475636B  # "Duck", in the file's header (sqlite.org/fileformat2.html, section 1.3)
_FORMAT: Final = 1
# Names lie apart from contents, so that noting a use rewrites small rows only.
_SCHEMA: Final = f"""
CREATE TABLE name (
    space TEXT NOT NULL, key BLOB NOT NULL, id INTEGER NOT NULL, checksum INTEGER NOT NULL,
    size INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (space, key)
) WITHOUT ROWID;
CREATE TABLE content (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORMAT};
"""
_VARIABLES: Final = 900
"""Keys per statement; SQLite before 3.32 allows 999 variables."""

_PAGE_BYTES: Final = 16_384
"""Larger than most values: a third faster than the usual 4,096."""

_DAY_S: Final = 86_400
_BUSY_TIMEOUT_S: Final = 5.0
_MAPPED_BYTES: Final = 268_435_456
_DAMAGED: Final = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR}
)


class Cache:
    """Values by space (what they are, with the version of whatever made them) and key (a hash of the content).

    Several processes may use one file at once, and several threads one Cache. Nothing here raises because of the
    disk: a damaged file, or one of another format, is replaced by an empty one (`storage.cache_reset`); where no
    file can be made the cache works in memory (`storage.cache_unavailable`); a write that finds no space is
    dropped (`storage.cache_write_dropped`). Each is said once. `now_s` gives seconds since 1970.
    """

    def __init__(self, path: Path, *, now_s: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now_s = now_s
        self._lock = threading.RLock()
        self._inode = 0
        self._said: set[str] = set()
        self._connection = self._open()

    def get_many(self, space: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The values that are there; a key that is not there is left out."""
        return self._attempt(lambda connection: self._get(connection, space, keys), {})

    def put_many(self, space: str, values: Mapping[bytes, bytes]) -> None:
        """Keep the values, all or none of them, in the place of those the keys had."""
        if values:
            self._attempt(lambda connection: _put(connection, space, values, self._today()), None)

    def delete_space(self, space: str) -> None:
        """Forget every value of a space."""
        self._attempt(lambda connection: _delete_space(connection, space), None)

    def prune(self, max_bytes: int) -> None:
        """Shrink the file to at most about `max_bytes`, least recently used values first, counted in days."""
        self._attempt(lambda connection: _prune(connection, max_bytes), None)

    def close(self) -> None:
        """Close the file; what was put is in it already."""
        with self._lock:
            self._connection.close()

    def _today(self) -> int:
        return int(self._now_s() // _DAY_S)

    def _attempt(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do `work`; when the file fails, do what can be done about it and return `otherwise`."""
        with self._lock:
            try:
                return work(self._connection)
            except _Damaged as error:
                self._reset(str(error))
            except sqlite3.DatabaseError as error:
                code = _code(error)
                if code is None:  # not the file's fault, but the caller's: a closed cache, keys that are no bytes
                    raise
                if code in _DAMAGED:
                    self._reset(str(error))
                else:
                    self._say("storage.cache_write_dropped", error)
            return otherwise

    def _get(self, connection: sqlite3.Connection, space: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        not_used_today: list[bytes] = []
        today = self._today()
        for start in range(0, len(keys), _VARIABLES):
            chunk = keys[start : start + _VARIABLES]
            marks = ",".join("?" * len(chunk))
            rows = connection.execute(
                "SELECT key, checksum, used, value FROM name JOIN content USING (id) "
                f"WHERE space = ? AND key IN ({marks})",
                (space, *chunk),
            )
            for key, checksum, used, value in rows:
                if zlib.crc32(value) != checksum:
                    raise _Damaged("a value does not fit its checksum")
                found[key] = value
                if used < today:
                    not_used_today.append(key)
        if not_used_today:
            _note_use(connection, space, not_used_today, today)
        return found

    def _open(self) -> sqlite3.Connection:
        try:
            make_private_folder(self._path.parent)
            with _alone(self._path):
                return self._open_alone()
        except (OSError, sqlite3.Error, _Foreign) as error:
            self._say("storage.cache_unavailable", error)
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            connection.executescript(_SCHEMA)
            return connection

    def _open_alone(self) -> sqlite3.Connection:
        try:
            connection = _connect(self._path)
        except sqlite3.DatabaseError as error:
            if _code(error) not in _DAMAGED:
                raise
            reason = str(error)
        except _Damaged as error:
            reason = str(error)
        else:
            self._inode = self._path.stat().st_ino
            return connection
        self._remove(reason)
        connection = _connect(self._path)
        self._inode = self._path.stat().st_ino
        return connection

    def _reset(self, reason: str) -> None:
        """Begin with an empty file, unless another process has done so since this one was opened."""
        self._connection.close()
        try:
            with _alone(self._path):
                if self._path.exists() and self._path.stat().st_ino == self._inode:
                    self._remove(reason)
        except OSError as error:
            self._say("storage.cache_unavailable", error)
        self._connection = self._open()

    def _remove(self, reason: str) -> None:
        telemetry.emit("storage.cache_reset", path=str(self._path), error=reason)
        for suffix in ("-wal", "-shm", ""):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def _say(self, event: str, error: Exception) -> None:
        if event not in self._said:
            self._said.add(event)
            telemetry.emit(event, path=str(self._path), error=str(error))


class _Damaged(Exception):
    """The file is ours, but of another format or with wrong content."""


class _Foreign(Exception):
    """The file is a sound database of somebody else's, which must not be touched."""


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600))
    # In autocommit mode, so that BEGIN is ours.
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not tables:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    elif application != _APPLICATION:
        raise _Foreign("the file is a database of another program")
    elif version != _FORMAT:
        raise _Damaged(f"the file has format {version}, this program writes format {_FORMAT}")
    # Nothing is lost by a killed process; after a power cut the last writes may be missing, which is no harm here.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    connection.execute("PRAGMA wal_autocheckpoint = 2000")


def _put(connection: sqlite3.Connection, space: str, values: Mapping[bytes, bytes], today: int) -> None:
    with _writing(connection):
        held = _ids(connection, space, list(values))
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM content").fetchone()
        names: list[tuple[str, bytes, int, int, int, int]] = []
        contents: list[tuple[int, bytes]] = []
        for key, value in values.items():
            number = held.get(key)
            if number is None:
                last += 1
                number = last
            names.append((space, key, number, zlib.crc32(value), len(value), today))
            contents.append((number, value))
        connection.executemany("INSERT OR REPLACE INTO content VALUES (?, ?)", contents)
        names.sort()
        connection.executemany("INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?, ?, ?)", names)


def _ids(connection: sqlite3.Connection, space: str, keys: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for start in range(0, len(keys), _VARIABLES):
        chunk = keys[start : start + _VARIABLES]
        marks = ",".join("?" * len(chunk))
        rows = connection.execute(f"SELECT key, id FROM name WHERE space = ? AND key IN ({marks})", (space, *chunk))
        found.update(rows)
    return found


def _note_use(connection: sqlite3.Connection, space: str, keys: Sequence[bytes], today: int) -> None:
    """Once a day and key; a lock or a full disk only makes the value look older than it is."""
    with suppress(sqlite3.OperationalError), _writing(connection):
        connection.executemany(
            "UPDATE name SET used = ? WHERE space = ? AND key = ?", [(today, space, key) for key in keys]
        )


def _delete_space(connection: sqlite3.Connection, space: str) -> None:
    with _writing(connection):
        connection.execute("DELETE FROM content WHERE id IN (SELECT id FROM name WHERE space = ?)", (space,))
        connection.execute("DELETE FROM name WHERE space = ?", (space,))
    _give_back(connection)


def _prune(connection: sqlite3.Connection, max_bytes: int) -> None:
    used_bytes = _pages(connection, "page_count") - _pages(connection, "freelist_count")
    if used_bytes <= max_bytes:
        return
    with _writing(connection):
        (size_bytes,) = connection.execute("SELECT coalesce(sum(size), 0) FROM name").fetchone()
        # Pages are never quite full; a tenth is kept free so that the next put does not prune again.
        budget = int(0.9 * max_bytes * size_bytes / used_bytes)
        doomed: list[tuple[str, bytes, int]] = []
        kept = 0
        for space, key, number, size in connection.execute(
            "SELECT space, key, id, size FROM name ORDER BY used DESC, id DESC"
        ):
            kept += size
            if kept > budget:
                doomed.append((space, key, number))
        connection.executemany("DELETE FROM content WHERE id = ?", [(number,) for _, _, number in doomed])
        connection.executemany(
            "DELETE FROM name WHERE space = ? AND key = ?", [(space, key) for space, key, _ in doomed]
        )
    _give_back(connection)


def _pages(connection: sqlite3.Connection, which: str) -> int:
    """The bytes of the pages that `PRAGMA <which>` counts."""
    (pages,) = connection.execute(f"PRAGMA {which}").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * page_bytes)


def _give_back(connection: sqlite3.Connection) -> None:
    """Return free pages to the file system."""
    connection.executescript("PRAGMA incremental_vacuum")  # `execute` would free a single page
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process opens or replaces the file during the block."""
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None for what the driver raised by itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
