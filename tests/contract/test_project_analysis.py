"""A project opened, analysed and kept: the same on both databases, complete after an interruption, never shared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rubber_duck.analysis.finding import Finding, Kind, Severity
from rubber_duck.analysis.project_analysis import ProjectAnalysis, ProjectOutcome
from rubber_duck.analysis.store import analysis_results, results_of
from rubber_duck.code.store import get_facts
from rubber_duck.errors import Denied, InvalidInput
from rubber_duck.scope import Actor, Right, Scope
from rubber_duck.storage.cache import Cache
from rubber_duck.storage.database import Database
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.workspace import Workspace
from tests.factories import write_tree
from tests.unit.analysis.projects import HUNGRY, analysis_in, outcome_of

FILES = {
    "app/main.py": "import os\n\n\ndef run(text):\n    return eval(text)\n",
    "web/page.ts": "export function show() {\n  document.body.innerHTML = '<b>' + location.hash;\n}\n",
    "lib/atoms.ex": 'defmodule Atoms do\n  def make(conn), do: String.to_atom(conn.params["page"])\nend\n',
    "clean.py": "VALUE = 1\n",
}


def anybody(name: str, *rights: Right) -> Scope:
    """A scope of another person with these rights (all when none are given)."""
    return Scope(Actor(name, name), None, frozenset(rights or Right), "trace")


async def update(database: Database, folder: Path, home: Path, scope: Scope, **variables: str) -> ProjectOutcome:
    """Bring the project of `folder` up to date in an application of its own."""
    async with analysis_in(home, **variables) as (analysis, settings):
        workspace = Workspace(database, clock=lambda: datetime.now(UTC))
        project_analysis = ProjectAnalysis(database, workspace, analysis, clock=lambda: datetime.now(UTC))
        return await project_analysis.update(scope, Root(folder), settings, lambda done, total, note: None)


async def kept(database: Database, scope: Scope) -> list[Finding]:
    """Every kept finding of the scope's project."""
    async with database.begin(write=False) as tx:
        return [finding for result in await results_of(scope, tx) for finding in result.findings]


async def test_what_was_found_is_what_is_kept(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    found = await update(database, folder, tmp_path / "home", Scope.local())
    findings = await kept(database, Scope.local(project=found.project.id))
    expected = sorted((each for file in found.outcome.files for each in file.findings), key=lambda each: each.order)
    assert sorted(findings, key=lambda each: each.order) == expected
    assert {each.rule for each in findings} >= {"unsafe-eval", "unescaped-html", "atom-from-input", "ruff/F401"}


async def test_every_file_has_a_result_of_each_kind_even_a_clean_one(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    found = await update(database, folder, tmp_path / "home", Scope.local())
    async with database.begin(write=False) as tx:
        results = await results_of(Scope.local(project=found.project.id), tx, path="clean.py")
    assert [(each.kind, each.severity) for each in results] == [
        (Kind.SECURITY, None),
        (Kind.SEMANTIC, None),
        (Kind.STYLE, None),
        (Kind.SYNTAX, None),
    ]


async def test_a_result_carries_its_worst_severity(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    found = await update(database, folder, tmp_path / "home", Scope.local())
    scope = Scope.local(project=found.project.id)
    async with database.begin(write=False) as tx:
        results = await results_of(scope, tx, path="app/main.py", kind=Kind.SECURITY)
    assert [each.severity for each in results] == [Severity.HIGH]


async def test_the_symbols_of_every_file_are_kept(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    found = await update(database, folder, tmp_path / "home", Scope.local())
    async with database.begin(write=False) as tx:
        facts = await get_facts(Scope.local(project=found.project.id), tx)
    assert {path: [symbol.name for symbol in each.symbols] for path, each in facts.items()} == {
        "app/main.py": ["run"],
        "clean.py": ["VALUE"],
        "lib/atoms.ex": ["Atoms", "make"],
        "web/page.ts": ["show"],
    }


async def test_the_second_time_only_what_changed_is_written(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    await update(database, folder, tmp_path / "home", Scope.local())
    write_tree(folder, {"clean.py": "import sys\n", "new.py": "x = 1\n"})
    (folder / "lib" / "atoms.ex").unlink()
    second = await update(database, folder, tmp_path / "home", Scope.local())
    changes = second.changes
    numbers = (changes.added, changes.changed, changes.removed, changes.unchanged, second.kept)
    assert numbers == (1, 1, 1, 2, 2)


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_file_is_written_again_when_the_result_of_any_kind_is_missing_or_of_other_rules(
    database: Database, tmp_path: Path, kind: Kind
) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    first = await update(database, folder, tmp_path / "home", Scope.local())
    ids, rows = first.changes.ids, analysis_results.c
    async with database.begin() as tx:
        missing = analysis_results.delete().where(rows.file_id == ids["clean.py"], rows.kind == kind.value)
        older = analysis_results.update().where(rows.file_id == ids["web/page.ts"], rows.kind == kind.value)
        await tx.execute(missing)
        await tx.execute(older.values(rules_version="older"))
    again = await update(database, folder, tmp_path / "home", Scope.local())
    third = await update(database, folder, tmp_path / "home", Scope.local())
    assert (again.kept, third.kept) == (2, 0)


async def test_what_ruff_failed_on_is_kept_without_it_and_written_again_when_it_goes_well(
    database: Database, tmp_path: Path
) -> None:
    folder = write_tree(tmp_path / "p", {"a.py": HUNGRY})
    little = {"DUCK_WORKERS_MEMORY_BYTES": str(1 << 27)}
    runs = [await update(database, folder, tmp_path / "home", Scope.local(), **each) for each in (little, {}, {})]
    findings = await kept(database, Scope.local(project=runs[0].project.id))
    assert [(len(each.outcome.problems), each.kept) for each in runs] == [(1, 1), (0, 1), (0, 0)]
    assert {each.rule for each in findings} == {"ruff/E401", "ruff/F401", "ruff/F811"}


async def test_findings_of_a_removed_file_are_not_shown(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    await update(database, folder, tmp_path / "home", Scope.local())
    (folder / "lib" / "atoms.ex").unlink()
    second = await update(database, folder, tmp_path / "home", Scope.local())
    assert "lib/atoms.ex" not in {each.path for each in await kept(database, Scope.local(project=second.project.id))}


async def test_what_an_interruption_left_out_is_written_the_next_time(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    workspace = Workspace(database, clock=lambda: datetime.now(UTC))
    project = await workspace.open_project(Scope.local(), str(folder))  # opened, and killed before anything was kept
    found = await update(database, folder, tmp_path / "home", Scope.local())
    assert (found.project.id, found.kept) == (project.id, len(FILES))


async def test_another_persons_results_are_not_seen(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    found = await update(database, folder, tmp_path / "home", Scope.local())
    assert await kept(database, anybody("mallory").within(found.project.id)) == []


async def test_results_cannot_be_asked_for_without_a_project(database: Database) -> None:
    with pytest.raises(InvalidInput, match="the scope must name one"):
        await kept(database, Scope.local())


async def test_without_the_right_nothing_is_read(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    found = await update(database, folder, tmp_path / "home", Scope.local())
    with pytest.raises(Denied, match=r"file\.read"):
        await kept(database, anybody("local", Right.PROJECT_READ).within(found.project.id))


async def test_without_the_right_to_analyse_nothing_is_kept(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    rights = frozenset(Right) - {Right.ANALYSIS_RUN}
    with pytest.raises(Denied, match=r"analysis\.run"):
        await update(database, folder, tmp_path / "home", anybody("local", *rights))


async def test_facts_that_the_cache_lost_are_extracted_again(database: Database, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    async with analysis_in(tmp_path / "home") as (analysis, settings):
        await outcome_of(analysis, settings, folder)
    cache = Cache(tmp_path / "home" / "cache.db")
    cache.delete_space("facts")
    cache.close()
    found = await update(database, folder, tmp_path / "home", Scope.local())
    async with database.begin(write=False) as tx:
        facts = await get_facts(Scope.local(project=found.project.id), tx)
    assert (found.outcome.cached, sorted(facts)) == (len(FILES), sorted(FILES))
