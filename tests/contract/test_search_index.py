"""An index is what a fresh one would be: after updates, interruptions, two indexers at once, and files that vanish."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from rubber_duck import fault
from rubber_duck.errors import NotFound, StorageUnavailable
from rubber_duck.scope import Actor
from rubber_duck.search import store
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import Database, open_database
from rubber_duck.storage.fulltext import numbers_with_tables
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.store import purge_project
from tests.contract.searching import Content, code, content_of, indexed, tree
from tests.factories import MOMENT

ROOT = Path(__file__).parents[2]
# It indexes a project and says so, again and again.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from rubber_duck import fault
from rubber_duck.settings import DatabaseSettings
from rubber_duck.storage.database import open_database
from tests.contract.searching import indexed

async def main(url, folder):
    async with open_database(DatabaseSettings(url=url)) as database:
        fault.arm_from_environment()
        async with indexed(database, Path(folder), {}):
            print("done", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def fresh(settings: DatabaseSettings, tmp_path: Path, folder: Path) -> Content:
    """What a new index of the folder says."""
    new = DatabaseSettings(url=f"sqlite:///{tmp_path}/fresh.db")
    async with open_database(new) as database, indexed(database, folder, {}) as project:
        return await content_of(database, project)


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_changes_the_index_is_what_a_fresh_one_would_be(
    database: Database, settings: DatabaseSettings, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    async with indexed(database, tmp_path / "p", tree(seed)) as project:
        for round_ in range(4):
            paths = sorted(path for path in project.folder.rglob("*") if path.is_file())
            for path in dice.sample(paths, 6):
                what = dice.randrange(4)
                if what == 0:
                    path.unlink()
                elif what == 1:
                    path.rename(path.with_name(f"renamed{round_}{path.name}"))
                elif what == 2:
                    path.write_text(code(dice.randrange(1000), dice.randrange(9)))
                else:
                    text = path.read_text()
                    path.write_text(code(dice.randrange(1000), 1) + "\n\n" + text)
            await project.update()
        kept = await content_of(database, project)
    assert kept == await fresh(settings, tmp_path, tmp_path / "p")


@pytest.mark.parametrize("point", ["search.before_commit", "storage.before_commit", "storage.after_commit"])
async def test_a_kill_while_indexing_loses_nothing(settings: DatabaseSettings, tmp_path: Path, point: str) -> None:
    async with open_database(settings) as database, indexed(database, tmp_path / "p", tree(7, 5)):
        pass
    for path in tree(8, 40):
        (tmp_path / "p" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "p" / path).write_text(tree(8, 40)[path])
    process = await _start(settings, tmp_path / "p", {fault.ENVIRONMENT: point})
    assert ((await process.communicate())[0], process.returncode) == (b"", -signal.SIGKILL)
    async with open_database(settings) as database, indexed(database, tmp_path / "p", {}) as project:
        kept = await content_of(database, project)
    assert kept == await fresh(settings, tmp_path, tmp_path / "p")


async def test_of_two_indexers_one_waits_and_the_index_is_what_one_would_have_made(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with open_database(settings) as database, indexed(database, tmp_path / "p", tree(1, 3)):
        pass
    for path, text in tree(9, 60).items():
        (tmp_path / "p" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "p" / path).write_text(text)
    processes = [await _start(settings, tmp_path / "p", {}) for _ in range(2)]
    said = [await process.communicate() for process in processes]
    assert [out for out, _ in said] == [b"done\n"] * 2
    async with open_database(settings) as database, indexed(database, tmp_path / "p", {}) as project:
        kept = await content_of(database, project)
    assert kept == await fresh(settings, tmp_path, tmp_path / "p")


async def test_who_comes_second_is_told_that_it_waits(database: Database) -> None:
    waiting = asyncio.Event()
    order: list[str] = []

    async def second() -> None:
        async with database.alone("pond", on_wait=waiting.set):
            order.append("second")

    async with database.alone("pond"), database.alone("another"):
        task = asyncio.create_task(second())
        await waiting.wait()
        order.append("first")
    await task
    assert order == ["first", "second"]


async def test_a_file_that_vanishes_while_indexing_is_named_and_then_forgotten(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    async with indexed(database, folder, {"a.py": "stays = 1\n"}) as project:
        project.write({"b.py": "goes = 1\n"})
        with fault.injected("search.worker", (folder / "b.py").unlink):
            await project.update()
        status = await project.search.status(project.scope)
        assert [(file.path, file.problem) for file in status.failed] == [("b.py", "there is no 'b.py'")]
        await project.update()
        status = await project.search.status(project.scope)
        assert (status.failed, status.files) == ((), 1)
        (folder / "a.py").unlink()
        assert await project.places("stays") == []  # also before the index knows


async def test_a_full_disk_is_said_and_what_was_indexed_stays(tmp_path: Path) -> None:
    settings = DatabaseSettings(url=f"sqlite:///{tmp_path}/duck.db")
    async with open_database(settings) as database, indexed(database, tmp_path / "p", tree(1, 5)) as project:
        before = await content_of(database, project)
        await database.run(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1").close())
        project.write(tree(2, 60))
        with pytest.raises(StorageUnavailable, match="no space left"):
            await project.update()
        assert await content_of(database, project) == before
        await database.run(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1000000").close())
        await project.update()
        kept = await content_of(database, project)
    assert kept == await fresh(settings, tmp_path, tmp_path / "p")


async def test_words_of_a_write_that_failed_are_met_again_by_the_next(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with indexed(database, tmp_path / "p", {"a.py": "stays = 1\n"}) as project:
        project.write({"a.py": "zebra = 1\n"})
        with fault.injected("search.before_commit", _away), pytest.raises(StorageUnavailable):
            await project.update()
        await project.update()
        project.write({"b.py": "gazelle = 1\n"})
        await project.update()
        assert [await project.places(word) for word in ("zebra", "gazelle")] == [["a.py:1"], ["b.py:1"]]
        kept = await content_of(database, project)
    assert kept == await fresh(settings, tmp_path, tmp_path / "p")


async def test_another_project_or_another_actor_finds_nothing(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", {"a.py": "secret = 1\n"}) as project:
        async with indexed(database, tmp_path / "q", {"b.py": "public = 1\n"}) as other:
            assert await other.places("secret") == []
            assert await project.places("secret") == ["a.py:1"]
        stranger = replace(project.scope, actor=Actor("stranger", "stranger"))
        with pytest.raises(NotFound):
            await project.search.status(stranger)
        with pytest.raises(NotFound):
            await database.run(partial(store.open_index, scope=stranger, format_=1, at=MOMENT))


async def test_of_a_purged_project_nothing_is_left(database: Database, tmp_path: Path) -> None:
    async with indexed(database, tmp_path / "p", {"a.py": "secret = 1\n"}) as project:
        async with database.begin() as tx:
            assert project.scope.project is not None
            await purge_project(project.scope, tx, project.scope.project)
        async with indexed(database, tmp_path / "q", {"b.py": "public = 1\n"}) as other:
            state = await database.run(partial(store.find_index, scope=other.scope), write=False)
            assert state is not None
            assert await database.run(numbers_with_tables, write=False) == [state.number]
            assert await other.places("secret") == []


async def _start(settings: DatabaseSettings, folder: Path, environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, settings.url, str(folder)),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )


async def test_a_reader_sees_a_file_as_it_was_or_as_it_is_and_never_half_of_both(
    database: Database, tmp_path: Path
) -> None:
    def written(number: int) -> dict[str, str | bytes]:
        functions = [f"def {name}_{number}():\n    return marker\n" for name in ("one", "two", "three")]
        return {"a.py": "\n\n".join(functions)}

    seen: set[tuple[str, ...]] = set()
    async with indexed(database, tmp_path / "p", written(0)) as project:
        done = asyncio.Event()

        async def read() -> None:
            while not done.is_set():
                found = await project.find("marker", with_lines=False)
                seen.add(tuple(sorted(hit.name for hit in found.hits)))

        readers = [asyncio.create_task(read()) for _ in range(8)]
        for number in range(1, 13):
            project.write(written(number))
            await project.search.update(
                project.scope, Root(project.folder), project.settings, lambda done, total, note: None, only=["a.py"]
            )
        done.set()
        await asyncio.gather(*readers)
    assert len(seen) > 1
    assert {len({name.rpartition("_")[2] for name in names}) for names in seen} == {1}
    assert {len(names) for names in seen} == {3}


def _away() -> None:
    raise StorageUnavailable("the server is shutting down")
