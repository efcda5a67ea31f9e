"""The seeds of a development database: projects with files, facts and findings, the same when they are sown again."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from rubber_duck.code.codec import decode
from tests.integration.duck import duck


def kept(home: Path) -> dict[str, tuple[set[str], int, set[str]]]:
    """Name of each project → its files, how many symbols they have, and the rules that found something."""
    found: dict[str, tuple[set[str], int, set[str]]] = {}
    with closing(sqlite3.connect(home / "duck.db")) as database:
        for key, name in database.execute("SELECT id, name FROM projects WHERE deleted_at IS NULL").fetchall():
            paths = database.execute("SELECT path FROM code_files WHERE project_id = ?", [key]).fetchall()
            facts = database.execute(
                "SELECT facts FROM code_facts JOIN code_files ON code_files.id = file_id WHERE project_id = ?", [key]
            ).fetchall()
            results = database.execute("SELECT findings FROM analysis_results WHERE project_id = ?", [key]).fetchall()
            rules = {finding["rule"] for (findings,) in results for finding in json.loads(findings)}
            symbols = sum(len(decode(each).symbols) for (each,) in facts)
            found[name] = ({path for (path,) in paths}, symbols, rules)
    return found


def test_the_seeds_are_projects_with_files_facts_and_findings_and_can_be_sown_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = duck("migrate", "--seed", home=home)
    before = kept(home)
    again = duck("migrate", "--seed", home=home)

    assert (first.returncode, first.stderr, again.returncode) == (0, "", 0)
    assert first.stdout.splitlines()[1:] == again.stdout.splitlines()[1:]
    assert kept(home) == before
    assert {name: (sorted(files), symbols > 0) for name, (files, symbols, _) in before.items()} == {
        "pond": (
            ["pond/__init__.py", "pond/duck.py", "pond/report.py", "pond/store.py", "tests/test_duck.py"],
            True,
        ),
        "feeder": (["src/feed.ts", "src/pond.tsx", "src/weigh.js"], True),
        "flock": (["lib/flock.ex", "lib/flock/bird.ex", "mix.exs"], True),
    }
    assert before["pond"][2] >= {"sql-injection", "swallowed-exception", "unsafe-eval", "ruff/B006", "ruff/F401"}
    assert before["feeder"][2] >= {"unescaped-html", "unsafe-eval", "identical-branches", "assignment-in-condition"}
    assert before["flock"][2] >= {"atom-from-input", "unless-with-else"}
