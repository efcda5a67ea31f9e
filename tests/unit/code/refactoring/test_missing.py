"""Imports that a text lacks are found where the project leaves no doubt which."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.missing import with_imports

PYTHON = {
    "src/pond/duck.py": "def swim(): ...\n",
    "src/pond/goose.py": "def honk(): ...\n",
    "src/pond/swan.py": "def honk(): ...\n",
    "a.py": "import numpy as np\nfrom lake import Water as W\nnp, W\n",
    "b.py": "import numpy as np\nfrom . import near\n",
}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("swim()\n", ("from pond.duck import swim",)),
        ("np.x, W\n", ("from lake import Water as W", "import numpy as np")),
        ("json.x, Path, Any\n", ("from pathlib import Path", "from typing import Any", "import json")),
        ("honk()\n", ()),  # of two places
        ("nobody()\n", ()),
        ("from x import *\nswim()\n", ()),
        ("def swim(): ...\nswim()\n", ()),
        ("def f(swim): return swim\n", ()),
        ("swim(\n", ()),
        ("print(len(__file__))\n", ()),
    ],
)
def test_in_python(text: str, lines: tuple[str, ...]) -> None:
    after, found = with_imports({**PYTHON, "new.py": text}, "new.py", "")
    assert (sorted(found), sorted(after.split("\n"))) == (sorted(lines), sorted([*lines, *text.split("\n")]))


def test_they_stand_behind_documentation_and_other_imports() -> None:
    text = '"""Doc."""\nfrom __future__ import annotations\n\nimport os\n\nos, json\n'
    after, _ = with_imports({"a.py": text}, "a.py", "")
    assert after == text.replace("import os\n", "import os\nimport json\n")


def test_no_import_makes_a_circle() -> None:
    files = {"duck.py": "import lake\n\n\ndef swim(): ...\n", "lake.py": "import new\n", "new.py": "swim()\n"}
    assert with_imports(files, "new.py", "") == ("swim()\n", ())


def test_what_lacked_an_import_before_is_left_alone() -> None:
    assert with_imports({**PYTHON, "new.py": "swim()\n\n"}, "new.py", "swim()\n") == ("swim()\n\n", ())


SCRIPT = {
    "src/duck.ts": "export function swim() {}\nexport class Duck {}\nfunction own() {}\n",
    "src/goose.ts": "export const honk = 1\n",
    "src/swan/index.ts": "export const honk = 2\nexport const glide = 3\n",
}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("swim()\n", "import { swim } from './duck'"),
        ("const x: Duck = 1;\n", "import { Duck } from './duck';"),
        ("import a from './b.js';\nglide(a)\n", "import { glide } from './swan/index.js';"),
        ('import a from "b"\nglide(a)\n', 'import { glide } from "./swan"'),
        ("honk()\n", ""),
        ("own()\n", ""),
        ("function f(swim) { swim() }\n", ""),
        ("x.swim()\n", ""),
    ],
)
def test_in_typescript(text: str, line: str) -> None:
    after, found = with_imports({**SCRIPT, "src/new.ts": text}, "src/new.ts", "")
    assert found == ((line,) if line else ())
    assert line in after
