"""Engines that ask a model of a file tell it what their strategy finds beside that, and nothing without a model."""

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

FILES = {
    "pyproject.toml": "",
    "pond.py": "from feathers import preen\n\n\ndef swim(far):\n    return preen(eval(far))\n",
    "feathers.py": "def preen(often):\n    return often * 7654321\n",
    "stone.py": "def sink():\n    return 1234567\n",
}
ASKED: list[tuple[str, dict[str, Any]]] = [  # Any: JSON
    ("refactor", {"what": "rewrite", "at": "pond.py:4", "to": "do it"}),
    ("fix", {"at": "pond.py", "model": True}),
    ("tests", {"at": "pond.py:4", "model": True}),
    ("review", {"files": ["pond.py"]}),
    ("explain", {"at": "pond.py"}),
]


async def test_what_the_file_imports_is_told_with_it(tmp_path: Path) -> None:
    pond = write_tree(tmp_path / "pond", FILES)
    settings = load({"DUCK_HOME": str(tmp_path / "home"), "DUCK_WORKERS_COUNT": "1"})
    async with fake_provider(*answering("no edits")) as fake:
        connect(tmp_path / "home", fake)
        async with open_app(settings, for_engines=sorted({name for name, _ in ASKED})) as app:
            for name, request in ASKED:
                before = len(fake.asked)
                try:
                    await app.run(name, {**request, "directory": str(pond)}, Scope.local())
                except DuckError:
                    assert name == "tests", name  # where there is no sandbox, after it asked
                told = fake.asked[before].json["messages"][1]["content"]
                assert ("7654321" in told, "1234567" in told) == (True, False), name
                assert told.count("def swim(far):") == 1 or name == "review", name
