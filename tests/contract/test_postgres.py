"""What only a server has: a pool with bounds, TLS, extensions, passwords, and ways to be unreachable."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select, text

from rubber_duck.errors import InvalidSettings, StorageUnavailable
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage import migrate
from rubber_duck.storage.database import Database, open_database
from rubber_duck.storage.migrate import EXTENSIONS
from tests.contract.notes import add, create_notes, notes
from tests.servers import PASSWORD, Authority, PostgresServer, running_postgres, wheel_binaries


@pytest.fixture
def name(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database on the server without TLS."""
    with postgres_server.database() as created:
        yield created


@pytest.fixture
def contrib_name(contrib_server: PostgresServer) -> Iterator[str]:
    """An empty database on the server with TLS and contrib."""
    with contrib_server.database() as created:
        yield created


@pytest.fixture
async def pooled(postgres_server: PostgresServer, name: str) -> AsyncIterator[Database]:
    """A database with two connections at least and four at the most."""
    settings = DatabaseSettings(url=postgres_server.url(name), pool_min=2, pool_max=4, connect_timeout_s=2)
    async with open_database(settings) as opened:
        yield opened


def connections(server: PostgresServer, name: str) -> list[object]:
    """The server's processes for our connections to a database."""
    query = f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'rubber-duck'"
    return [pid for (pid,) in server.sql(query)]


async def test_the_minimum_of_connections_is_open_before_anybody_asks(
    postgres_server: PostgresServer, name: str, pooled: Database
) -> None:
    warm = connections(postgres_server, name)
    await pooled.health()
    assert len(warm) == 2
    assert connections(postgres_server, name) == warm


async def test_the_maximum_of_connections_is_never_exceeded_and_the_others_wait(
    postgres_server: PostgresServer, name: str, pooled: Database
) -> None:
    open_at_once: list[int] = []

    async def work() -> None:
        async with pooled.begin() as tx:
            await tx.execute(text("SELECT pg_sleep(0.02)"))
            open_at_once.append(len(connections(postgres_server, name)))

    async with asyncio.TaskGroup() as group:
        for _ in range(24):
            group.create_task(work())
    assert len(open_at_once) == 24
    assert max(open_at_once) == 4


async def test_when_no_connection_becomes_free_a_sentence_says_so(pooled: Database) -> None:
    release = asyncio.Event()
    all_hold = asyncio.Barrier(5)

    async def hold() -> None:
        async with pooled.begin():
            await all_hold.wait()
            await release.wait()

    holding = [asyncio.create_task(hold()) for _ in range(4)]
    await all_hold.wait()
    try:
        with pytest.raises(StorageUnavailable, match=r"within 2 s; either all 4 \(database.pool_max\)"):
            await pooled.health()
    finally:
        release.set()
        await asyncio.gather(*holding)
    assert (await pooled.health()).dialect == "postgresql"


async def test_connections_that_the_server_ended_are_replaced(
    postgres_server: PostgresServer, name: str, pooled: Database
) -> None:
    before = connections(postgres_server, name)
    for pid in before:
        postgres_server.sql(f"SELECT pg_terminate_backend({pid})")
    assert (await pooled.health()).dialect == "postgresql"
    assert not set(connections(postgres_server, name)) & set(before)


async def test_a_connection_that_ends_inside_a_transaction_is_said_and_replaced(
    postgres_server: PostgresServer, pooled: Database
) -> None:
    async def work() -> None:
        async with pooled.begin() as tx:
            pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar()
            postgres_server.sql(f"SELECT pg_terminate_backend({pid})")
            await tx.execute(text("SELECT 1"))

    with pytest.raises(StorageUnavailable):
        await work()
    assert (await pooled.health()).dialect == "postgresql"


async def test_a_cancelled_reader_leaves_no_trace_on_its_connection(pooled: Database) -> None:
    async def read() -> None:
        async with pooled.begin(write=False) as tx:
            await tx.execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await read()
    for _ in range(4):
        async with pooled.begin() as tx:
            mode = await tx.execute(text("SELECT current_setting('transaction_read_only')"))
            level = await tx.execute(text("SELECT current_setting('transaction_isolation')"))
        assert (mode.scalar(), level.scalar()) == ("off", "read committed")


@pytest.mark.parametrize("write", [True, False])
async def test_a_cancel_at_any_moment_is_nothing_that_the_pool_warns_of(
    pooled: Database, caplog: pytest.LogCaptureFixture, write: bool
) -> None:
    for turns in range(40):
        asked = asyncio.create_task(pooled.run(lambda connection: connection.execute(select(1)).scalar(), write=write))
        for _ in range(turns):
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
    assert (await pooled.run(lambda connection: connection.execute(select(1)).scalar()), caplog.messages) == (1, [])


async def test_no_connection_is_left_when_the_database_is_closed(postgres_server: PostgresServer, name: str) -> None:
    async with open_database(DatabaseSettings(url=postgres_server.url(name), pool_min=3)) as database:
        await database.health()
    async with asyncio.timeout(10):
        while connections(postgres_server, name):  # the server notices a moment later
            await asyncio.to_thread(postgres_server.sql, "SELECT pg_sleep(0.01)")


async def test_a_minimum_above_the_maximum_is_refused(postgres_server: PostgresServer, name: str) -> None:
    with pytest.raises(InvalidSettings, match="pool_min"):
        async with open_database(DatabaseSettings(url=postgres_server.url(name), pool_min=5, pool_max=4)):
            pass


async def test_extensions_the_server_has_are_created_and_the_missing_named(
    postgres_server: PostgresServer, name: str, contrib_server: PostgresServer, contrib_name: str
) -> None:
    missing: dict[str, tuple[str, ...]] = {}
    for server, database_name in ((postgres_server, name), (contrib_server, contrib_name)):
        available = {extension for (extension,) in server.sql("SELECT name FROM pg_available_extensions")}
        async with open_database(DatabaseSettings(url=server.url(database_name))) as database:
            missing[database_name] = (await database.health()).missing_extensions
        created = {extension for (extension,) in server.sql("SELECT extname FROM pg_extension", database_name)}
        assert created == ({*EXTENSIONS} & available) | {"plpgsql"}
        assert missing[database_name] == tuple(sorted({*EXTENSIONS} - available))
    assert "vector" not in missing[name]
    assert not {"btree_gin", "pg_trgm", "pgcrypto", "uuid-ossp"} & set(missing[contrib_name])


async def test_without_the_right_to_create_extensions_everything_else_is_made(
    contrib_server: PostgresServer, contrib_name: str
) -> None:
    role = f"poor_{contrib_name}"
    contrib_server.sql(f"CREATE ROLE {role} LOGIN")
    try:
        contrib_server.sql(f"GRANT CREATE ON SCHEMA public TO {role}", contrib_name)
        url = contrib_server.url(contrib_name).replace("postgres@", f"{role}@")
        async with open_database(DatabaseSettings(url=url)) as database:
            health = await database.health()
        assert (health.schema, health.missing_extensions) == (migrate.head(), EXTENSIONS)
        contrib_server.sql("CREATE EXTENSION pg_trgm", contrib_name)
        async with open_database(DatabaseSettings(url=url)) as database:
            assert "pg_trgm" not in (await database.migrate()).missing_extensions
    finally:
        contrib_server.sql(f"DROP OWNED BY {role}", contrib_name)
        contrib_server.sql(f"DROP ROLE {role}")


async def test_paths_are_ordered_by_code_point_whatever_language_the_server_speaks(
    contrib_server: PostgresServer,
) -> None:
    paths = ["B", "_", "a", "b/c", "b_c", "é"]
    with contrib_server.database("LOCALE_PROVIDER icu ICU_LOCALE 'en-US'") as name:
        async with open_database(DatabaseSettings(url=contrib_server.url(name))) as database:
            await database.run(create_notes)
            async with database.begin() as tx:
                for path in reversed(paths):
                    await add(tx, path, path=path)
                ordered = [row.path for row in await tx.execute(select(notes.c.path).order_by(notes.c.path))]
    assert ordered == paths


async def test_a_database_of_another_encoding_is_refused(postgres_server: PostgresServer) -> None:
    with (
        postgres_server.database("ENCODING 'LATIN1'") as name,
        pytest.raises(StorageUnavailable, match="encoding is LATIN1"),
    ):
        async with open_database(DatabaseSettings(url=postgres_server.url(name))):
            pass


async def test_when_the_server_is_gone_health_says_so() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres(wheel_binaries(), authority=None))
        async with open_database(DatabaseSettings(url=server.url("postgres"), connect_timeout_s=1)) as database:
            assert (await database.health()).dialect == "postgresql"
            stack.close()
            with pytest.raises(StorageUnavailable, match="does not answer"):
                await database.health()


_PROGRAM = """
import asyncio, sys
from rubber_duck.app import open_app
from rubber_duck.errors import StorageUnavailable
from rubber_duck.settings import load

async def main():
    async with open_app(load(), for_engines=["projects"]) as app:
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        try:
            await app.parts.opened["database"].health()
        except StorageUnavailable:
            print("gone", flush=True)

asyncio.run(main())
"""
"""Opens the application, waits for a line, and asks the database how it is."""


@pytest.mark.parametrize(
    ("level", "logged"),
    [("error", set()), ("warning", {("library.warned", "psycopg.pool")})],
)
async def test_what_the_pool_says_of_a_server_that_is_gone_is_logged_as_everything_else(
    tmp_path: Path, level: str, logged: set[tuple[str, str]]
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres(wheel_binaries(), authority=None))
        wanted = {"HOME": str(tmp_path), "DATABASE_URL": server.url("postgres"), "DATABASE_CONNECT_TIMEOUT_S": "1"}
        wanted |= {"LOG_LEVEL": level, "LOG_FORMAT": "json"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROGRAM),
            env={f"DUCK_{name}": value for name, value in wanted.items()},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
        stack.close()
        out, err = await process.communicate(b"\n")
    assert out == b"gone\n"
    said = [json.loads(line) for line in err.splitlines()]
    assert {(each["event"], each.get("library", "")) for each in said} == logged


@pytest.fixture
def certificates(contrib_server: PostgresServer, tmp_path: Path) -> dict[str, str]:
    """Files with the certificate of the server's authority, and of another one."""
    authority = contrib_server.authority
    assert authority is not None
    files = {"right": authority.certificate(), "wrong": Authority("somebody else").certificate()}
    for kind, content in files.items():
        (tmp_path / kind).write_bytes(content)
    return {kind: str(tmp_path / kind) for kind in files}


async def test_verify_full_accepts_the_right_host_with_the_right_authority(
    contrib_server: PostgresServer, contrib_name: str, certificates: dict[str, str]
) -> None:
    url = contrib_server.tcp_url(contrib_name, sslmode="verify-full", sslrootcert=certificates["right"])
    async with open_database(DatabaseSettings(url=url)) as database, database.begin(write=False) as tx:
        used = await tx.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
    assert used.scalar() is True


@pytest.mark.parametrize(
    ("host", "parameters", "said"),
    [
        ("localhost", {"sslmode": "verify-full", "sslrootcert": "wrong"}, "certificate verify failed"),
        ("127.0.0.1", {"sslmode": "verify-full", "sslrootcert": "right"}, "does not match host"),
        ("localhost", {"sslmode": "verify-full", "sslrootcert": "absent"}, "does not exist"),
        ("localhost", {"sslmode": "disable"}, "no encryption"),
    ],
    ids=["wrong authority", "wrong host", "no authority", "no encryption"],
)
async def test_anything_else_is_refused(
    contrib_server: PostgresServer,
    contrib_name: str,
    certificates: dict[str, str],
    host: str,
    parameters: dict[str, str],
    said: str,
) -> None:
    if "sslrootcert" in parameters:
        which = parameters["sslrootcert"]
        parameters = {**parameters, "sslrootcert": certificates.get(which, f"/{which}")}
    url = contrib_server.tcp_url(contrib_name, host=host, **parameters)
    with pytest.raises(StorageUnavailable, match=said) as caught:
        async with open_database(DatabaseSettings(url=url)):
            pass
    assert PASSWORD not in caught.value.message


async def test_a_wrong_password_is_refused_and_not_shown(contrib_server: PostgresServer, contrib_name: str) -> None:
    url = contrib_server.tcp_url(contrib_name, sslmode="require").replace(PASSWORD, "s3cret")
    with pytest.raises(
        StorageUnavailable, match=r"postgres:\*\*\*@localhost.*password authentication failed"
    ) as caught:
        async with open_database(DatabaseSettings(url=url)):
            pass
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:s3cret@127.0.0.1:1/x", "refused"),
        ("postgresql://u:s3cret@/x?host=/no/such/folder", "No such file"),
    ],
)
async def test_a_server_that_does_not_answer_is_named_without_its_password(url: str, said: str) -> None:
    with pytest.raises(StorageUnavailable, match=said) as caught:
        async with open_database(DatabaseSettings(url=url)):
            pass
    assert "s3cret" not in caught.value.message


async def test_a_database_that_does_not_exist_is_named(postgres_server: PostgresServer) -> None:
    with pytest.raises(StorageUnavailable, match="no_such_database"):
        async with open_database(DatabaseSettings(url=postgres_server.url("no_such_database"))):
            pass


async def test_a_parameter_that_libpq_does_not_know_is_refused(postgres_server: PostgresServer, name: str) -> None:
    with pytest.raises(InvalidSettings, match="colour"):
        async with open_database(DatabaseSettings(url=f"{postgres_server.url(name)}&colour=blue")):
            pass


async def test_a_transaction_in_which_nothing_is_asked_holds_its_rows_for_moments_only(pooled: Database) -> None:
    shown = text("SHOW idle_in_transaction_session_timeout")
    assert await pooled.run(lambda connection: connection.execute(shown).scalar(), write=False) == "20s"
