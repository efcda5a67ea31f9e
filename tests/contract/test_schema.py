"""One history of the schema for both databases: what the migrations make is what the slices declare."""

from __future__ import annotations

import asyncio
import importlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from rubber_duck.errors import SchemaMismatch
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage import migrate
from rubber_duck.storage.database import Database, Migration, open_database
from rubber_duck.storage.keys import new_key
from rubber_duck.storage.metadata import metadata

TABLES = {"alembic_version", "analysis_results", "code_facts", "code_files", "projects"} | {
    "memories",
    *("model_calls", "model_reservations", "model_spending", "model_usage"),
    *("run_effects", "run_executors", "run_schedules", "run_step_results", "run_turns", "runs"),
    *("conversation_turns", "conversations", "generations"),
    "search_embedding_problems",
    "search_files",
    "search_indexes",
    "search_words",
    *("account_state", "api_keys", "audit", "memberships", "rights_moves", "users"),
    *("invitations", "passwords", "requests", "sessions", "tickets"),
    *("installation", "sign_in_places", "hooks", "user_settings", "key_makers", "password_resets"),
    *("notice_ways", "outbox_boxes", "outbox_letters", "run_watches"),
}


@pytest.fixture
def settings(empty: DatabaseSettings) -> DatabaseSettings:
    """Nothing was migrated yet."""
    return empty


def declare_tables() -> None:
    """Import every slice's tables."""
    slices = (
        *("accounts", "analysis", "channels", "code", "conversations", "llm", "memory", "notices", "search", "server"),
        "workspace",
    )
    importlib.import_module("rubber_duck.storage.installation")
    for slice_name in slices:
        importlib.import_module(f"rubber_duck.{slice_name}.store")
    importlib.import_module("rubber_duck.workflows.store.tables")


def shape(connection: Connection) -> dict[str, object]:
    """Everything the database itself says about its tables, apart from the order of constraints."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {name: sorted(_parts(sql)) for name, sql in rows if name != "alembic_version"}
    queries = {
        "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name "
        "FROM information_schema.columns WHERE table_schema = 'public'",
        "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal",
        "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }
    return {
        what: sorted(tuple(row) for row in connection.execute(text(query)) if row[0] != "alembic_version")
        for what, query in queries.items()
    }


def _parts(sql: str) -> list[str]:
    return [line.strip().rstrip(",") for line in sql.splitlines()]


async def test_an_empty_database_gets_every_table(settings: DatabaseSettings) -> None:
    async with open_database(settings) as database:
        names = await database.run(lambda connection: set(inspect(connection).get_table_names()), write=False)
        health = await database.health()
    assert names == TABLES
    assert health.schema == migrate.head()


async def test_the_migrations_make_what_the_slices_declare(settings: DatabaseSettings) -> None:
    declare_tables()

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with open_database(settings) as database:
        assert await database.run(differences) == []


async def test_tables_made_from_the_declarations_are_the_same_to_the_letter(settings: DatabaseSettings) -> None:
    declare_tables()

    def declared(connection: Connection) -> dict[str, object]:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        return shape(connection)

    async with open_database(settings) as database:
        migrated = await database.run(shape)
        assert await database.run(declared) == migrated


async def test_a_migration_that_misses_a_column_is_noticed(settings: DatabaseSettings) -> None:
    declare_tables()

    def tampered(connection: Connection) -> dict[str, object]:
        connection.execute(text("ALTER TABLE projects DROP COLUMN description"))
        return shape(connection)

    async with open_database(settings) as database:
        migrated = await database.run(shape)
        assert await database.run(tampered) != migrated


async def test_migrating_twice_changes_nothing(settings: DatabaseSettings) -> None:
    async with open_database(settings, migrate=False) as database:
        first = await database.migrate()
        before = await database.run(shape)
        second = await database.migrate()
        assert await database.run(shape) == before
    missing = first.missing_extensions
    assert first == Migration(None, migrate.head(), missing)
    assert second == Migration(migrate.head(), migrate.head(), missing)


async def test_a_database_that_is_not_to_be_migrated_stays_empty(settings: DatabaseSettings) -> None:
    async with open_database(settings, migrate=False) as database:
        assert (await database.health()).schema is None
        with pytest.raises(SchemaMismatch, match="duck migrate"):
            await database.run(lambda connection: connection.execute(text("SELECT 1 FROM projects")), write=False)


async def test_a_newer_schema_is_refused(settings: DatabaseSettings) -> None:
    async with open_database(settings) as database:
        await _pretend(database, "9999")
    for migrates in (True, False):
        with pytest.raises(SchemaMismatch, match=r"'9999'.*newer RubberDuck"):
            async with open_database(settings, migrate=migrates):
                pass


async def test_eight_processes_may_start_on_an_empty_database_at_once(settings: DatabaseSettings) -> None:
    program = (
        "import asyncio, sys\n"
        "from rubber_duck.settings import DatabaseSettings\n"
        "from rubber_duck.storage.database import open_database\n"
        "async def main():\n"
        "    async with open_database(DatabaseSettings(url=sys.argv[1], busy_timeout_s=60)) as database:\n"
        "        print((await database.health()).schema)\n"
        "asyncio.run(main())"
    )

    async def start() -> tuple[bytes, bytes]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, settings.url, stdout=pipe, stderr=pipe
        )
        return await process.communicate()

    said = await asyncio.gather(*(start() for _ in range(8)))
    assert said == [(f"{migrate.head()}\n".encode(), b"")] * 8


async def test_a_current_schema_is_recognised_without_alembic(settings: DatabaseSettings) -> None:
    async with open_database(settings):
        pass
    program = (
        "import asyncio, sys\n"
        "from rubber_duck.settings import DatabaseSettings\n"
        "from rubber_duck.storage.database import open_database\n"
        "async def main():\n"
        "    async with open_database(DatabaseSettings(url=sys.argv[1])):\n"
        "        sys.exit('alembic' in sys.modules)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, settings.url)
    assert await process.wait() == 0


def test_the_history_is_one_line_and_its_files_are_named_by_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    history = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(history)) == migrate.revisions()
    assert migrate.head() == history[0]


async def test_a_file_with_somebody_elses_tables_is_refused(tmp_path: Path) -> None:
    settings = DatabaseSettings(url=f"sqlite:///{tmp_path}/other.db")
    async with open_database(settings, migrate=False) as database:
        await database.run(lambda connection: connection.execute(text("CREATE TABLE precious (value)")))
    with pytest.raises(SchemaMismatch, match="'precious'"):
        async with open_database(settings):
            pass


async def _pretend(database: Database, revision: str) -> None:
    async with database.begin() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


async def test_what_members_said_before_they_acted_in_their_own_name_is_theirs_again(
    settings: DatabaseSettings,
) -> None:
    migration = importlib.import_module("rubber_duck.storage.migrations.versions.0017_talk_of_members")
    day, ann, project = datetime(2026, 11, 1, tzinfo=UTC), new_key(), new_key()
    owners = ("local/ann", "local", "local/bob", str(ann), "local/ann")

    def rows(connection: Connection) -> None:
        tables = metadata.tables
        shop = {"id": project, "owner": "local", "name": "shop", "root": "/shop", "description": ""}
        made_at = {"configuration": {}, "version": 1, "created_at": day, "updated_at": day}
        connection.execute(tables["projects"].insert(), shop | made_at)
        person = {"id": ann, "name": "ann", "role": "person", "created_at": day, "disabled_at": None}
        connection.execute(tables["users"].insert(), person)
        for number, owner in enumerate(owners):
            said = day + timedelta(days=-1 if number == 4 else 1)
            of = {"id": new_key(), "project_id": project, "owner": owner, "created_at": said}
            talk = {"title": f"{number}", "updated_at": said}
            made = {"task": f"{number}", "place": "", "edits": "", "model": "", "tries": 1, "problems": []}
            connection.execute(tables["conversations"].insert(), of | talk)
            connection.execute(tables["generations"].insert(), of | made | {"is_sound": True, "written": 0})

    def seen(connection: Connection) -> list[list[str]]:
        queries = (
            "SELECT owner FROM conversations ORDER BY title",
            "SELECT owner FROM generations ORDER BY task",
        )
        return [list(connection.execute(text(query)).scalars()) for query in queries]

    def migrated(connection: Connection) -> None:  # later ones cannot be done twice
        with Operations.context(MigrationContext.configure(connection)):
            migration.upgrade()

    declare_tables()
    async with open_database(settings) as database:
        await database.run(rows)
        await database.run(migrated)
        found = await database.run(seen, write=False)
    assert found == [[str(ann), "local", "local/bob", str(ann), "local/ann"]] * 2
