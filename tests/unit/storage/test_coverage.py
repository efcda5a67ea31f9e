"""What coverage.py wrote is read as it is, whole or by steps, and other files are refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rubber_duck.errors import InvalidInput
from rubber_duck.storage.coverage import Recording, read_recording

TEST = "tests/test_a.py::test_one|run"
SCHEMA = """
CREATE TABLE file (id integer primary key, path text, unique (path));
CREATE TABLE context (id integer primary key, context text, unique (context));
CREATE TABLE line_bits (file_id integer, context_id integer, numbits blob, unique (file_id, context_id));
CREATE TABLE arc (file_id integer, context_id integer, fromno integer, tono integer);
INSERT INTO file VALUES (1, '/p/a.py');
INSERT INTO context VALUES (1, ''), (2, 'tests/test_a.py::test_one|run');
"""


def written(rows: str) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA + rows)
        return connection.serialize()


def read(content: bytes) -> Recording:
    return read_recording(content, lambda path: path.endswith("a.py"))


def test_lines_are_read_from_bits_and_what_ran_outside_of_a_context_is_left_out() -> None:
    content = written("INSERT INTO line_bits VALUES (1, 1, x'FF'), (1, 2, x'0A01');")
    assert read(content) == Recording(frozenset({TEST}), {"/p/a.py": {TEST: frozenset({1, 3, 8})}})


def test_lines_are_read_from_steps_between_them() -> None:
    content = written("INSERT INTO arc VALUES (1, 2, -1, 2), (1, 2, 2, 4), (1, 2, 4, -1);")
    assert read(content) == Recording(frozenset({TEST}), {"/p/a.py": {TEST: frozenset({2, 4})}})


@pytest.mark.parametrize("content", [b"", b"quack" * 1000, written("")[:4096], written("DROP TABLE arc;")])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"not what coverage\.py writes"):
        read(content)


def test_bits_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"not what coverage\.py writes"):
        read(written("INSERT INTO line_bits VALUES (1, 2, 'text');"))


def test_files_that_nobody_asks_for_are_not_read() -> None:
    content = written("INSERT INTO file VALUES (2, '/p/b.py'); INSERT INTO line_bits VALUES (2, 2, 'no bits');")
    assert read(content) == Recording(frozenset({TEST}), {})


def test_a_file_whose_queries_never_end_is_refused() -> None:
    endless = (
        "DROP TABLE line_bits; CREATE VIEW LINE_BITS AS "
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
        "SELECT 1 AS file_id, 2 AS context_id, x'00' AS numbits FROM n;"
    )
    with pytest.raises(InvalidInput, match="holds views where tables belong"):
        read(written(endless))


def test_a_file_with_more_lines_than_a_code_base_has_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"not what coverage\.py writes"):
        read(written("INSERT INTO line_bits VALUES (1, 2, zeroblob(2000000));"))
