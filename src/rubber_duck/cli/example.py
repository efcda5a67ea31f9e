"""A small code base in four languages, with something to find in it: the seed of a development database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rubber_duck.cli.files import PRIVATE
from rubber_duck.errors import Conflict
from rubber_duck.settings.home import make_private_folder
from rubber_duck.workspace.paths import Root

_MARKER: Final = "README.md"
_FILES: Final = {
    _MARKER: "# A pond\n\nAn example made by `duck migrate --seed`. Change it as you like.\n",
    "pond/__init__.py": '"""Ducks on a pond."""\n',
    "pond/duck.py": '''"""One duck."""

import os
import sqlite3


class Duck:
    """A duck with a name."""

    def __init__(self, name: str, friends: list[str] = []) -> None:
        self.name = name
        self.friends = friends

    def quack(self, times: int = 1) -> str:
        """Say quack that many times."""
        return " ".join(["quack"] * times)


def find(connection: sqlite3.Connection, name: str) -> list[tuple[str]]:
    """The ducks of that name."""
    return connection.execute(f"SELECT name FROM ducks WHERE name = '{name}'").fetchall()
''',
    "web/feed.js": """export function feed(duck, bread) {
  if (bread == null) {
    return eval(duck);
  }
  return `${duck} eats ${bread}`;
}
""",
    "web/pond.tsx": """type Props = { names: string[] };

export const Pond = ({ names }: Props) => (
  <ul>
    {names.map((name) => (
      <li key={name}>{name}</li>
    ))}
  </ul>
);
""",
    "lib/pond.ex": """defmodule Pond do
  @moduledoc "Ducks by name."

  def find(name) when is_binary(name), do: String.to_atom(name)

  defp ripple(times), do: Enum.map(1..times, fn n -> n * n end)
end
""",
}


def write_example(folder: Path) -> Path:
    """Write the example where nothing is yet; a folder that holds it already is left as it is.

    Raises Conflict for a folder with something else in it.
    """
    make_private_folder(folder)
    present = {path.name for path in folder.iterdir()}
    if _MARKER in present:
        return folder
    if present:
        raise Conflict(f"'{folder}' holds something else; move it away to get the example there")
    root = Root(folder)
    for name, content in _FILES.items():
        make_private_folder((folder / name).parent)
        root.write_atomic(name, content.encode(), mode=PRIVATE)
    return folder
