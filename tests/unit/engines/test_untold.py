"""What a project ignores is told to no model, whichever engine is asked about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rubber_duck.app import open_app
from rubber_duck.errors import DuckError
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from rubber_duck.workspace.programs import find_program, run_program
from tests.factories import write_tree
from tests.fake_provider import fake_provider
from tests.models import answering, connect

CANARY = "zebra_crossing_7f3a"
FILES = {
    "pyproject.toml": "",
    ".gitignore": "hidden.py\n",
    "hidden.py": f"import os\n\n\ndef {CANARY}(x):\n    return eval(x)\n",
    "pond.py": "x = 1\n",
}
ASKED: list[tuple[str, dict[str, Any]]] = [  # Any: JSON
    ("refactor", {"what": "rewrite", "at": "hidden.py", "to": "do it"}),
    ("refactor", {"what": "rewrite", "at": "pond.py", "to": "do it", "also": ["hidden.py"]}),
    ("generate", {"task": "write it now", "at": "hidden.py"}),
    ("generate", {"task": f"call {CANARY[:5]} crossing"}),
    ("explain", {"at": "hidden.py"}),
    ("fix", {"at": "hidden.py", "model": True, "rule": "unsafe-eval"}),
    ("tests", {"at": "hidden.py", "model": True}),
    ("review", {"files": ["hidden.py", "pond.py"]}),
    ("chat", {"message": f"look at @hidden.py and @{CANARY[:5]}"}),
    ("complete", {"type": "suggest", "path": "hidden.py", "line": 4, "column": 5}),
    ("complete", {"type": "suggest", "path": "hidden.py", "prefix": f"def {CANARY}(", "suffix": "\n"}),
    ("complete", {"type": "suggest", "path": "linked.py", "line": 4, "column": 5}),
]


async def test_nothing_of_an_ignored_file_is_sent(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", FILES)
    (pond / "linked.py").symlink_to("hidden.py")
    (pond / "AGENTS.md").symlink_to("hidden.py")
    names = sorted({engine for engine, _ in ASKED})
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_WORKERS_COUNT": "1"})
    said: list[str] = []
    async with fake_provider(*answering("no edits")) as fake:
        connect(tmp_path / "home", fake)
        async with open_app(settings, for_engines=names) as app:
            for engine, request in ASKED:
                try:
                    said.append(repr(await app.run(engine, {**request, "directory": str(pond)}, Scope.local())))
                except DuckError as error:
                    said.append(error.message)
        assert fake.asked  # of what is not ignored
        assert CANARY.encode() not in fake.raw
    assert sum("is told to no model" in each for each in said[:9]) == 6
    assert "unread=('hidden.py',)" in said[7]
    assert all("the file is told to no model" in each for each in said[9:])


async def test_a_change_of_what_is_ignored_is_not_sent_with_the_others(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", {**FILES, ".gitignore": "", "c d.py": "y = 1\n", ".duckignore": "hidden.py\n"})
    for line in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "a"]):
        await run_program([find_program("git") or "git", *line], cwd=pond)
    write_tree(pond, {"hidden.py": "import os\n", "pond.py": "x = 2\n", "c d.py": "y = 2\n"})
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_WORKERS_COUNT": "1"})
    async with fake_provider(*answering("well")) as fake:
        connect(tmp_path / "home", fake)
        async with open_app(settings, for_engines=["chat"]) as app:
            said = await app.run("chat", {"message": "and @diff?", "directory": str(pond)}, Scope.local())
    told = fake.asked[0].json["messages"][-1]["content"]
    assert ("+x = 2" in told, "+y = 2" in told, CANARY in told) == (True, True, False)
    assert said.told[0].what == "what is not committed, without what the project ignores"
