"""Three small code bases with something to find in each: the seeds of a development database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rubber_duck.cli.files import PRIVATE
from rubber_duck.errors import Conflict
from rubber_duck.settings.home import make_private_folder
from rubber_duck.workspace.paths import Root

_MARKER: Final = "README.md"
_MADE_BY: Final = "An example made by `duck migrate --seed`. Change it as you like.\n"

_POND: Final = {
    _MARKER: f"# A pond\n\nDucks in a database, in Python. {_MADE_BY}",
    "duck.toml": '[[analysis.per_path]]\npath = "tests/"\nignore = ["ruff/S101"]\n',
    "pond/__init__.py": '"""Ducks on a pond."""\n',
    "pond/duck.py": '''"""One duck."""

import os


class Duck:
    """A duck with a name."""

    def __init__(self, name: str, friends: list[str] = []) -> None:
        self.name = name
        self.friends = friends

    def quack(self, times: int = 1) -> str:
        """Say quack that many times."""
        return " ".join(["quack"] * times)
''',
    "pond/store.py": '''"""Ducks that are kept."""

import sqlite3

from pond.duck import Duck


def find(connection: sqlite3.Connection, name: str) -> list[Duck]:
    """The ducks of that name."""
    rows = connection.execute(f"SELECT name FROM ducks WHERE name = '{name}'").fetchall()
    return [Duck(each) for (each,) in rows]


def count(connection: sqlite3.Connection) -> int | None:
    """How many there are."""
    try:
        return connection.execute("SELECT count(*) FROM ducks").fetchone()[0]
    except Exception:
        pass
''',
    "pond/report.py": '''"""What is told of the pond."""

from pond.duck import Duck
from pond.store import count, find

__all__ = ["count", "find", "tell"]


def tell(duck: Duck, formula: str) -> str:
    """A line about a duck; `formula` comes from our own settings."""
    times = eval(formula)  # duck: ignore[unsafe-eval] -- only the people who run the pond can write it
    return f"{duck.name} says {duck.quack(times)}"
''',
    "tests/test_duck.py": '''"""A duck can quack."""

from pond.duck import Duck


def test_a_duck_quacks_twice() -> None:
    assert Duck("Donald").quack(2) == "quack quack"
''',
}

_FEEDER: Final = {
    _MARKER: f"# A feeder\n\nA page for feeding ducks, in TypeScript and JavaScript. {_MADE_BY}",
    ".duckignore": "vendor/\n",
    "vendor/bread.js": "export const bread = eval('1');\n",
    "src/feed.ts": """import { Pond } from "./pond";

export interface Meal {
  duck: string;
  grams: number;
}

export function feed(meal: Meal): string {
  if (meal.grams > 100) {
    return `${meal.duck} eats`;
  } else {
    return `${meal.duck} eats`;
  }
}

export const all = (meals: Meal[]): string[] => meals.map(feed);

export { Pond };
""",
    "src/pond.tsx": """type Props = { names: string[]; note: string };

export const Pond = ({ names, note }: Props) => (
  <section>
    <p dangerouslySetInnerHTML={{ __html: note }} />
    <ul>
      {names.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  </section>
);
""",
    "src/weigh.js": """export async function weigh(duck, formula) {
  const grams = eval(formula);
  if (duck.grams = grams) {
    return duck;
  }
  return null;
}
""",
}

_FLOCK: Final = {
    _MARKER: f"# A flock\n\nDucks that fly together, in Elixir. {_MADE_BY}",
    "lib/flock.ex": """defmodule Flock do
  @moduledoc "Ducks that fly together."

  alias Flock.Bird

  @doc "The bird of a request."
  def lead(params), do: %Bird{name: String.to_atom(params["name"])}

  def order(birds) do
    unless Enum.empty?(birds) do
      Enum.sort_by(birds, & &1.name)
    else
      []
    end
  end

  defp spread(times), do: Enum.map(1..times, fn n -> n * n end)
end
""",
    "lib/flock/bird.ex": """defmodule Flock.Bird do
  @moduledoc "One of them."

  defstruct name: nil, speed: 0

  @spec faster?(%__MODULE__{}, %__MODULE__{}) :: boolean()
  def faster?(one, other), do: one.speed > other.speed
end
""",
    "mix.exs": """defmodule Flock.MixProject do
  use Mix.Project

  def project, do: [app: :flock, version: "0.1.0", elixir: "~> 1.14"]
end
""",
}

EXAMPLES: Final[Mapping[str, Mapping[str, str]]] = {"pond": _POND, "feeder": _FEEDER, "flock": _FLOCK}
"""Name → path → content."""


def write_examples(folder: Path) -> list[Path]:
    """Write the examples into `folder`, where they are not yet, and return their roots.

    One that is there already is left as it is, changes and all. Raises Conflict for a folder of that name with
    something else in it; nothing is written then.
    """
    roots = [folder / name for name in EXAMPLES]
    missing = [root for root in roots if not _is_there(root)]
    for root in missing:
        make_private_folder(root)
        for path, content in EXAMPLES[root.name].items():
            make_private_folder((root / path).parent)
            Root(root).write_atomic(path, content.encode(), mode=PRIVATE)
    return roots


def _is_there(root: Path) -> bool:
    present = {path.name for path in root.iterdir()} if root.is_dir() else set()
    if present and _MARKER not in present:
        raise Conflict(f"'{root}' holds something else; move it away to get the example there")
    return bool(present)
