"""What durable work takes from DBOS's private corners, on the installed version: an upgrade that moves one is seen."""

from __future__ import annotations

import base64
import inspect
from pathlib import Path
from typing import Any

import pytest
from dbos._context import EnterDBOSStepCtx, current_owner_xid, snapshot_step_context
from dbos._dbos import _get_dbos_instance
from dbos._registrations import get_func_info
from dbos._serialization import DefaultSerializer
from dbos._sys_db import SystemDatabase, db_retry
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Connection
from rubber_duck.workflows.codec import JsonSerializer, refuse_pickles
from rubber_duck.workflows.corners import hasten
from tests.durable import Bench, durable_over, working

ME = Scope.local()


def test_the_private_names_are_there() -> None:
    assert callable(_get_dbos_instance)
    assert callable(get_func_info)
    assert callable(current_owner_xid)
    take = inspect.signature(SystemDatabase.start_queued_workflows).parameters
    assert list(take)[1:5] == ["queue", "executor_id", "app_version", "queue_partition_key"]
    assert {"owner_xid", "is_latest_version"} <= set(take)
    hear = inspect.signature(SystemDatabase.recv_async).parameters
    assert list(hear)[1:] == ["workflow_uuid", "function_id", "timeout_function_id", "topic", "timeout_seconds"]
    assert callable(EnterDBOSStepCtx)
    assert list(inspect.signature(snapshot_step_context).parameters) == ["reserve_sleep_id"]


def test_a_database_that_was_away_is_asked_again_within_seconds() -> None:
    slept: list[float] = []
    hasten(slept.append)
    try:

        @db_retry()
        def ask() -> None:
            if len(slept) < 9:
                raise PoolTimeout("nobody answers")

        ask()
    finally:
        hasten()
    assert (len(slept), max(slept)) == (9, 3.0)


def test_pickles_are_neither_read_nor_written() -> None:
    refuse_pickles()
    serializer = DefaultSerializer()
    with pytest.raises(InvalidInput, match="never read"):
        serializer.serialize(1)
    with pytest.raises(InvalidInput, match="never read"):
        serializer.deserialize("gASVAAA=")


def test_an_error_is_kept_as_its_code_and_sentence() -> None:
    serializer = JsonSerializer()
    kept = serializer.deserialize(serializer.serialize(InvalidInput("no such thing")))
    assert (type(kept), kept.message) == (InvalidInput, "no such thing")
    foreign = serializer.deserialize(serializer.serialize(ZeroDivisionError("division by zero")))
    assert (foreign.code, foreign.message) == ("internal", "ZeroDivisionError: division by zero")


async def test_a_result_that_cannot_be_kept_once_fails_no_run(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable, working(durable):
        database = _get_dbos_instance()._sys_db
        record, failures = database.record_operation_result, [OperationalError("INSERT", {}, Exception("gone"))]

        def fails_once(output: Any) -> Any:  # Any: DBOS's
            if failures:
                raise failures.pop()
            return record(output)

        monkeypatch.setattr(database, "record_operation_result", fails_once)
        run_id = await durable.start(ME, "sample", {"words": ["a"]})
        assert await durable.answer(ME, run_id) == {"words": ["a"]}
        assert (await durable.show(ME, run_id)).attempts == 1  # it is not to blame
    assert bench.diary == ["a", "a"]


async def test_a_planted_pickle_is_never_loaded(settings: DatabaseSettings, tmp_path: Path) -> None:
    mark = tmp_path / "loaded"
    # A pickle that makes the file `mark` when it is loaded: protocol 0, builtins.open(mark, "w").
    planted = base64.b64encode(f"cbuiltins\nopen\n(V{mark}\nVw\ntR.".encode()).decode()
    async with durable_over(settings, Bench()) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["a"]})
        library = await durable.library()
        schema = f"{library.tables.status.schema}." if library.tables.status.schema else ""

        def plant(connection: Connection) -> None:
            values = {"run": run_id, "input": planted}
            connection.execute(
                text(f"UPDATE {schema}workflow_status SET serialization = 'py_pickle' WHERE workflow_uuid = :run"),
                values,
            )
            connection.execute(
                text(f"UPDATE {schema}workflow_input SET inputs = :input WHERE workflow_uuid = :run"), values
            )

        await durable.database.run(plant)
        async with working(durable):
            last = [status async for status in durable.follow(ME, run_id)][-1]
    assert last.state in ("cancelled", "failed")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("table", "column", "key"),
    [("operation_outputs", "output", "workflow_uuid"), ("notifications", "message", "destination_uuid")],
)
async def test_neither_is_one_among_the_results_of_steps_or_signals(
    settings: DatabaseSettings, tmp_path: Path, table: str, column: str, key: str
) -> None:
    mark = tmp_path / "loaded"
    planted = base64.b64encode(f"cbuiltins\nopen\n(V{mark}\nVw\ntR.".encode()).decode()
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        run_id = await durable.start(ME, "sample", {"words": ["a", "wait:b", "signal:go"]})
        async with working(durable):
            await bench.reached.wait()
        await durable.send(ME, run_id, "go", "now")
        library = await durable.library()
        schema = f"{library.tables.status.schema}." if library.tables.status.schema else ""
        plant = f"UPDATE {schema}{table} SET {column} = :planted, serialization = 'py_pickle' WHERE {key} = :run"
        values = {"planted": planted, "run": run_id}
        changed = await durable.database.run(lambda connection: connection.execute(text(plant), values).rowcount)
        bench.gate.set()
        async with working(durable):
            last = [status async for status in durable.follow(ME, run_id)][-1]
    assert (changed, last.state, "never read" in last.error) == (1, "failed", True)
    assert not mark.exists()


async def test_a_run_that_is_interrupted_is_not_written_out(
    settings: DatabaseSettings, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench()
    async with durable_over(settings, bench) as durable:
        await durable.start(ME, "sample", {"words": ["wait:secret"]})
        async with working(durable):
            await bench.reached.wait()
    assert bench.diary == ["secret", "secret cancelled"]
    assert not [record for record in caplog.records if "secret" in record.getMessage()]


async def test_every_row_is_our_json(settings: DatabaseSettings) -> None:
    bench = Bench(failures=1)
    async with durable_over(settings, bench) as durable:
        async with working(durable):
            for words in (["a", "side:x,y", "child:c"], ["fail:b"]):
                run_id = await durable.start(ME, "sample", {"words": words})
                async for _ in durable.follow(ME, run_id):
                    pass
        library = await durable.library()
        schema = f"{library.tables.status.schema}." if library.tables.status.schema else ""
        tables = ("workflow_status", "operation_outputs")
        query = " UNION ".join(f"SELECT serialization FROM {schema}{table}" for table in tables)
        rows = await durable.database.run(lambda connection: connection.execute(text(query)).all(), write=False)
    assert {row[0] for row in rows} <= {"duck_json", None}
