"""`duck complete` in a project of its own: trained, kept, and faithful to what the files say now."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.factories import write_tree
from tests.integration.duck import COMMAND, duck, environment

PYTHON = """\
def price(item):
    total = item.net + item.tax
    return total


def cost(item):
    total = item.net + item.tax
    return total
"""
TYPESCRIPT = """\
export function price(item: Item): number {
  const total = item.net + item.tax;
  return total;
}

export function cost(item: Item): number {
  const total = item.net + item.tax;
  return total;
}
"""
ELIXIR = """\
defmodule Shop do
  def price(item) do
    item |> net() |> add_tax()
  end

  def cost(item) do
    item |> net() |> add_tax()
  end
end
"""


def _ask(project: Path, place: str, *options: str, home: Path, text: str | None = None) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, "complete", place, "--json", *options, *(["--stdin"] if text is not None else [])],
        cwd=project,
        env=environment(home),
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "code", "begun", "rest"),
    [
        ("shop.py", PYTHON, "def tax(item):\n    total = ", "item.net + item.tax"),
        ("shop.ts", TYPESCRIPT, "function tax(item: Item): number {\n  const total = ", "item.net + item.tax;"),
        ("shop.ex", ELIXIR, "defmodule Tax do\n  def tax(item) do\n    item |> ", "net() |> add_tax()"),
    ],
)
def test_a_line_is_finished_as_the_project_would(tmp_path: Path, name: str, code: str, begun: str, rest: str) -> None:
    project = write_tree(tmp_path / "project", {name: code, f"new_{name}": begun})
    line, column = begun.count("\n") + 1, len(begun.rpartition("\n")[2]) + 1
    found = _ask(project, f"new_{name}:{line}:{column}", home=tmp_path / "home")
    assert found["candidates"][0]["text"] == rest


def test_a_second_call_reads_what_was_kept_and_what_changed(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "project", {"a.py": PYTHON, "b.py": "x = 1\n"})
    home = tmp_path / "home"
    begun = "def tax(item):\n    total = "
    assert _ask(project, "b.py:2:13", home=home, text=begun)["candidates"][0]["text"] == "item.net + item.tax"
    kept = sorted(path.name for path in (home / "ngram").rglob("*") if path.is_file())
    write_tree(project, {"a.py": PYTHON.replace("item.tax", "item.duty")})
    assert _ask(project, "b.py:2:13", home=home, text=begun)["candidates"][0]["text"] == "item.net + item.duty"
    assert kept == ["python.model"]


def test_nothing_is_written_into_the_project(tmp_path: Path) -> None:
    project = write_tree(tmp_path / "project", {"a.py": PYTHON})
    _ask(project, "a.py:2:13", "--cut", home=tmp_path / "home")
    assert [path.name for path in project.rglob("*")] == ["a.py"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = duck("complete", "missing.py:1:1", home=tmp_path / "home", cwd=tmp_path)
    assert done.returncode == 2
    assert "missing.py" in done.stderr
