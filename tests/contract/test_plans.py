"""How SQLite looks for rows: nothing that is done for each file may walk all rows of its project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.contract.test_project_analysis import FILES, update
from tests.factories import write_tree


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that is sent to a database while the test runs."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: Any) -> None:  # Any: what else the driver is given
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


async def test_what_is_kept_of_a_file_is_found_by_the_file(tmp_path: Path, statements: list[str]) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    async with open_database(DatabaseSettings(url=f"sqlite:///{tmp_path / 'duck.db'}")) as database:
        await update(database, folder, tmp_path / "home", Scope.local())
        deletes = {each for each in statements if each.startswith("DELETE FROM analysis_results")}

        def plans(connection: Connection) -> list[str]:
            rows = (connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}", ("0",)) for each in sorted(deletes))
            return [str(row.detail) for result in rows for row in result]

        found = await database.run(plans, write=False)

    assert found == ["SEARCH analysis_results USING INDEX sqlite_autoindex_analysis_results_2 (file_id=?)"]
