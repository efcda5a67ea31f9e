"""The refactor engine shows first, writes exactly that, and is undone to the byte."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rubber_duck.app import App, open_app
from rubber_duck.errors import Conflict, InvalidInput, StaleVersion
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree

POND = {
    "pyproject.toml": "[tool.ruff.lint.isort]\nforce-single-line = true\n",
    "duck.py": "import sys\nimport os\n\n\ndef swim(far):\n    return os.sep * far\n",
    "nest.py": "from duck import swim\r\n\r\nprint(swim(1))\r\n",
    "pond.ex": "x = 1\n",
    "pond.ts": "function f(a: number) { return a }\nf(1)\n",
}


@pytest.fixture
def pond(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "pond", POND)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(load({"DUCK_HOME": str(tmp_path / "home")}), for_engines=["refactor", "undo"]) as opened:
        yield opened


async def test_what_was_shown_is_written_and_undone_to_the_byte(app: App, pond: Path) -> None:
    request = {"what": "rename", "at": "duck.py:5", "to": "drift", "directory": str(pond)}
    shown = await app.run("refactor", request, Scope.local())
    assert [file.path for file in shown.files] == ["duck.py", "nest.py"]
    assert (pond / "nest.py").read_bytes() == POND["nest.py"].encode()
    with pytest.raises(StaleVersion):
        await app.run("refactor", {**request, "approve": "0" * 64}, Scope.local())
    done = await app.run("refactor", {**request, "approve": shown.digest}, Scope.local())
    assert done.written == 1
    assert (pond / "nest.py").read_bytes() == b"from duck import drift\r\n\r\nprint(drift(1))\r\n"
    await app.run("undo", {"directory": str(pond)}, Scope.local())
    assert {name: (pond / name).read_bytes() for name in POND} == {name: text.encode() for name, text in POND.items()}


async def test_imports_are_put_in_the_order_that_the_project_wants(app: App, pond: Path) -> None:
    request = {"what": "organise-imports", "at": "duck.py", "directory": str(pond)}
    shown = await app.run("refactor", request, Scope.local())
    text = "".join(hunk.text for hunk in shown.files[0].hunks)
    assert "+import os\n" in text or "-import sys\n" in text


async def test_what_a_module_defines_moves_to_another(app: App, pond: Path) -> None:
    write_tree(pond, {"a.mjs": "export const far = 1\n", "b.mjs": "import { far } from './a.mjs'\nconsole.log(far)\n"})
    request = {"what": "move", "at": "a.mjs:1", "to": "lib/far.mjs", "directory": str(pond)}
    shown = await app.run("refactor", request, Scope.local())
    await app.run("refactor", {**request, "approve": shown.digest}, Scope.local())
    assert (pond / "b.mjs").read_text() == "import { far } from './lib/far.mjs'\nconsole.log(far)\n"
    assert (pond / "lib/far.mjs").read_text() == "export const far = 1\n"


@pytest.mark.parametrize(
    ("what", "made"),
    [("extract-variable", "    far = a + b\n    max(far, 1)\n"), ("extract-function", "    max(far(a, b), 1)\n")],
)
async def test_a_name_in_elixir_is_made_and_put_back(app: App, pond: Path, what: str, made: str) -> None:
    text = "defmodule Flock do\n  def go(a, b) do\n    max(a + b, 1)\n  end\nend\n"
    write_tree(pond, {"flock.ex": text})
    column = made.index("far") + 1
    for request in (
        {"what": what, "at": "flock.ex:3:9-3:14", "to": "far", "directory": str(pond)},
        {"what": "inline", "at": f"flock.ex:3:{column}", "directory": str(pond)},
    ):
        shown = await app.run("refactor", request, Scope.local())
        await app.run("refactor", {**request, "approve": shown.digest}, Scope.local())
        assert (made in (pond / "flock.ex").read_text()) is ("to" in request)
    assert (pond / "flock.ex").read_text() == text


@pytest.mark.parametrize(
    ("request_", "error", "said"),
    [
        ({"what": "rename", "at": "duck.py:5"}, InvalidInput, "give the new name"),
        ({"what": "rename", "at": "../x.py:5", "to": "y"}, InvalidInput, "not in the project"),
        ({"what": "inline", "at": "pond.ts:1:10"}, Conflict, "a script, where others may call it"),
        ({"what": "move", "at": "pond.ex:1:1", "to": "nest.ex"}, Conflict, "below one folder"),
        ({"what": "extract-function", "at": "pond.ts", "to": "x"}, InvalidInput, "say where"),
        ({"what": "rename", "at": "duck.py:5", "to": "print"}, Conflict, "print"),
        ({"what": "extract-function", "at": "duck.py:6:5", "to": "x"}, InvalidInput, "select code as"),
        ({"what": "move", "at": "duck.py:5"}, InvalidInput, "file to move to"),
    ],
)
async def test_what_cannot_be_done_is_said(
    app: App, pond: Path, request_: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await app.run("refactor", {"directory": str(pond), "project": str(pond), **request_}, Scope.local())
