"""What a project ignores is told to no model, whichever engine is asked about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rubber_duck.app import open_app
from rubber_duck.errors import DuckError
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import fake_provider
from tests.models import answering, connect

CANARY = "zebra_crossing_7f3a"
FILES = {
    "pyproject.toml": "",
    ".gitignore": "hidden.py\n",
    "hidden.py": f"import os\n\n\ndef {CANARY}():\n    return 1\n",
    "pond.py": "x = 1\n",
}
ASKED: list[tuple[str, dict[str, Any]]] = [  # Any: JSON
    ("refactor", {"what": "rewrite", "at": "hidden.py", "to": "do it"}),
    ("refactor", {"what": "rewrite", "at": "pond.py", "to": "do it", "also": ["hidden.py"]}),
    ("generate", {"task": "write it now", "at": "hidden.py"}),
    ("generate", {"task": f"call {CANARY[:5]} crossing"}),
    ("explain", {"at": "hidden.py"}),
    ("fix", {"at": "hidden.py", "model": True}),
    ("tests", {"at": "hidden.py", "model": True}),
    ("review", {"files": ["hidden.py", "pond.py"]}),
    ("chat", {"message": f"look at @hidden.py and @{CANARY[:5]}"}),
]


async def test_nothing_of_an_ignored_file_is_sent(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", FILES)
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
    assert sum("is told to no model" in each for each in said) == 5
    assert "unread=('hidden.py',)" in said[7]
