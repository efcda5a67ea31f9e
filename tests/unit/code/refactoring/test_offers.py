"""Which names a file offers, and which other files take them, in the four languages."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.offers import Taking, offered, takings

PYTHON = {
    "pond/__init__.py": "from .duck import swim\n",
    "pond/duck.py": "import os\n\nFAR = 1\n\n\ndef swim():\n    inner = 1\n\n\nclass Duck:\n    wings = 2\n",
    "nest.py": "import pond.duck\n\nprint(pond.duck.FAR)\n",
    "lake.py": "from pond import duck as d\n\nprint(d.Duck())\n",
    "other.py": "swim = 1\nprint(swim)\n",
}
SCRIPT = {
    "duck.ts": "export function swim() {}\nfunction own() {}\nexport default class Duck {}\n",
    "nest.ts": "import Bird, { swim } from './duck'\nswim(new Bird())\n",
    "pass.ts": "export { swim } from './duck'\n",
}
ELIXIR = {
    "duck.ex": "defmodule Pond.Duck do\n  def swim(x), do: own(x)\n  defp own(x), do: x\nend\n",
    "nest.ex": "defmodule Nest do\n  alias Pond.Duck\n  def go, do: Duck.swim(1)\n  def no, do: Goose.swim(1)\nend\n",
}


def test_what_a_file_offers() -> None:
    assert offered("pond/duck.py", PYTHON["pond/duck.py"]) == {"os", "FAR", "swim", "Duck"}
    assert offered("pond/__init__.py", PYTHON["pond/__init__.py"]) == {"swim"}
    assert offered("duck.ts", SCRIPT["duck.ts"]) == {"swim", "default"}
    assert offered("duck.ex", ELIXIR["duck.ex"]) == {"swim"}
    assert offered("notes.txt", "swim") == frozenset()


@pytest.mark.parametrize(
    ("texts", "of", "names", "expected"),
    [
        (PYTHON, "pond/duck.py", {"swim"}, [Taking("pond/__init__.py", 1, "swim")]),
        (PYTHON, "pond/duck.py", {"FAR"}, [Taking("nest.py", 3, "FAR")]),
        (PYTHON, "pond/duck.py", {"Duck"}, [Taking("lake.py", 3, "Duck")]),
        (PYTHON, "pond/__init__.py", {"swim"}, []),
        (SCRIPT, "duck.ts", {"swim"}, [Taking("nest.ts", 1, "swim"), Taking("pass.ts", 1, "swim")]),
        (SCRIPT, "duck.ts", {"default"}, [Taking("nest.ts", 1, "default")]),
        (ELIXIR, "duck.ex", {"swim"}, [Taking("nest.ex", 3, "swim")]),
    ],
)
def test_who_takes_what(texts: dict[str, str], of: str, names: set[str], expected: list[Taking]) -> None:
    assert takings(texts, of, names) == expected
