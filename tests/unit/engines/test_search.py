"""The engines `index` and `search` open, index and find what a person names, and say what they cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from rubber_duck.app import App, open_app
from rubber_duck.call import Delta, Progress
from rubber_duck.engines.index import IndexAnswer
from rubber_duck.engines.search import SearchAnswer, SearchReason
from rubber_duck.errors import Denied, InvalidInput, LimitExceeded, NotFound
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import load
from tests.factories import write_tree


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """The application as the command line opens it, over a database of its own."""
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_WORKERS_COUNT": "1"})
    async with open_app(settings, for_engines=["search"]) as opened:
        yield opened


@pytest.fixture
def pond(tmp_path: Path) -> Path:
    """A small project."""
    files: dict[str, str | bytes] = {
        "pyproject.toml": "",
        "duck.py": 'def swim(far):\n    """Swims."""\n    return far\n',
        "lib/nest.py": "from duck import swim\n\nswim(3)\n",
        "lib/picture.png": b"\x89PNG\0",
        "ignored/other.py": "swim()\n",
        ".gitignore": "ignored\n",
    }
    return write_tree(tmp_path / "pond", files)


async def search(app: App, query: str, folder: Path, scope: Scope | None = None, **fields: object) -> SearchAnswer:
    request = {"query": query, "project": str(folder), **fields}
    answer: SearchAnswer = await app.run("search", request, scope or Scope.local())
    return answer


async def index(app: App, kind: str, folder: Path, **more: object) -> IndexAnswer:
    answer: IndexAnswer = await app.run("index", {"type": kind, "path": str(folder), **more}, Scope.local())
    return answer


async def test_the_first_search_opens_and_indexes_the_project_around_the_folder(app: App, pond: Path) -> None:
    answer = await search(app, "swim", pond / "lib")
    assert (answer.project, answer.root, answer.unknown, answer.complete) == ("pond", str(pond), (), True)
    assert answer.indexed is not None
    assert (answer.indexed.added, answer.indexed.unchanged) == (4, 0)
    first = answer.hits[0]
    assert (first.path, first.kind, first.name, first.start_line, first.end_line) == (
        "duck.py",
        "function",
        "swim",
        1,
        3,
    )
    assert first.reasons == (SearchReason("declares", ("swim",)), SearchReason("name", ("swim",)))
    assert [(line.number, line.text, line.spans) for line in first.lines] == [
        (1, "def swim(far):", ((4, 8),)),
        (2, '    """Swims."""', ((7, 12),)),
    ]
    assert [hit.path for hit in answer.hits] == ["duck.py", "lib/nest.py"]


async def test_a_stale_index_is_refreshed_unless_it_is_not_wanted(app: App, pond: Path) -> None:
    await index(app, "update", pond)
    write_tree(pond, {"duck.py": "def dive():\n    pass\n"})
    asked_before = await search(app, "swim", pond, refresh=False)
    assert [(hit.path, hit.outdated, hit.lines) for hit in asked_before.hits[:1]] == [("duck.py", True, ())]
    assert [hit.name for hit in (await search(app, "dive", pond)).hits] == ["dive"]


async def test_the_status_says_what_is_indexed_and_what_not(app: App, pond: Path) -> None:
    write_tree(pond, {"bad.py": b"\0"})
    await index(app, "update", pond)
    status = await index(app, "status", pond / "lib")
    assert (status.project, status.files, status.languages) == ("pond", 4, {"python": 2, "ini": 1, "toml": 1})
    assert [(each.path, each.reason) for each in status.failed] == [("bad.py", "it is not text: it holds NUL bytes")]
    assert status.left_out == {"ignored": 1, "of_no_known_kind": 1}
    assert status.updated_at is not None
    assert (status.changes, status.left_out_paths) == (None, ())


async def test_what_is_left_out_is_listed_when_it_is_asked_for(app: App, pond: Path) -> None:
    write_tree(pond, {"poetry.lock": "", "ducks.dat": "quack"})
    await index(app, "update", pond)
    listed = (await index(app, "status", pond, left_out=True)).left_out_paths
    assert {each.path: (each.reason, each.detail) for each in listed}.items() >= {
        "poetry.lock": ("lock_files", ""),
        "ducks.dat": ("of_no_known_kind", ""),
    }.items()
    assert [each.path for each in listed if each.reason == "ignored"] != []


async def test_nothing_is_opened_by_asking_for_a_status(app: App, pond: Path) -> None:
    with pytest.raises(NotFound, match="is no opened project; run: duck index FOLDER"):
        await index(app, "status", pond)
    with pytest.raises(NotFound):
        await search(app, "swim", pond, refresh=False)
    assert await app.parts.workspace.projects(Scope.local()) == []


async def test_a_wrong_query_is_said_before_anything_is_indexed(app: App, pond: Path) -> None:
    with pytest.raises(InvalidInput, match="the phrase that begins here has no"):
        await search(app, '"swim', pond)
    with pytest.raises(LimitExceeded, match="the query has 1,000,000 characters"):
        await search(app, "x" * 1_000_000, pond)
    assert await app.parts.workspace.projects(Scope.local()) == []
    with pytest.raises(InvalidInput, match="missing \\)"):
        await search(app, "/swim(/", pond)


async def test_who_may_not_index_finds_what_is_indexed(app: App, pond: Path) -> None:
    await index(app, "update", pond)
    reader = replace(Scope.local(), rights=frozenset({Right.FILE_READ, Right.PROJECT_READ}))
    assert len((await search(app, "swim", pond, reader, refresh=False)).hits) == 2
    with pytest.raises(Denied):
        await search(app, "swim", pond, reader)
    with pytest.raises(Denied):
        await search(app, "swim", pond, replace(reader, rights=frozenset()))


async def test_watching_tells_of_each_change_until_it_is_cancelled(app: App, pond: Path) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()

    def emit(piece: Delta | Progress) -> None:
        if isinstance(piece, Delta):
            said.put_nowait(piece.text)

    request = {"type": "watch", "path": str(pond)}
    watching = asyncio.create_task(app.run("index", request, Scope.local(), emit))
    assert (await said.get()).startswith("pond: 4 added (")
    write_tree(pond, {"duck.py": "def dive():\n    pass\n"})
    assert (await said.get()).startswith("1 changed (")
    watching.cancel()
    await asyncio.wait([watching])
    assert watching.cancelled()
    assert [hit.path for hit in (await search(app, "dive", pond)).hits] == ["duck.py"]


async def test_what_changes_during_the_first_build_is_not_lost_by_watching(app: App, pond: Path) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()

    def emit(piece: Delta | Progress) -> None:
        if isinstance(piece, Delta):
            said.put_nowait(piece.text)
        elif piece.note == "indexing" and piece.done == piece.total == 4:  # every file has been read
            write_tree(pond, {"duck.py": "def dive():\n    pass\n"})

    watching = asyncio.create_task(app.run("index", {"type": "watch", "path": str(pond)}, Scope.local(), emit))
    try:
        async with asyncio.timeout(60):
            assert (await said.get()).startswith("pond: 4 added (")
            assert (await said.get()).startswith("1 changed (")
        assert [hit.path for hit in (await search(app, "dive", pond, refresh=False)).hits] == ["duck.py"]
    finally:
        watching.cancel()
        await asyncio.wait([watching])
