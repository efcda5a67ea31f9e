"""Refactorings of Python across files: what is followed, and what is refused because nobody could be sure."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.python.extract import extract_function, extract_variable
from rubber_duck.code.refactoring.python.inline import inline_variable
from rubber_duck.code.refactoring.python.move import move
from rubber_duck.code.refactoring.python.rename import rename
from rubber_duck.code.refactoring.refactored import Spot, Stretch
from rubber_duck.errors import InvalidInput, Refused

POND = {
    "src/pond/__init__.py": "from .duck import Duck as Duck\nfrom .duck import swim\n\n__all__ = ['Duck', 'swim']\n",
    "src/pond/duck.py": (
        "def swim(far, *, fast=False):\n    return far * 2 if fast else far\n\n\n"
        "class Duck:\n    def quack(self) -> 'Duck':\n        return self\n\n    def go(self):\n"
        "        return self.quack()\n"
    ),
    "src/pond/nest.py": (
        "import pond.duck\nfrom pond import swim as paddle\nfrom .duck import Duck, swim\n\n\n"
        "def home(bird: Duck):\n    return swim(1) + pond.duck.swim(far=2) + paddle(3), bird.quack()\n"
    ),
    "tests/test_duck.py": "from pond import duck\n\n\ndef test_swim():\n    assert duck.swim(1, fast=True) == 2\n",
}


def renamed(path: str, line: int, column: int, new: str, files: dict[str, str] | None = None) -> dict[str, str]:
    return dict(rename(files or POND, Spot(path, line, column), new).texts)


def test_a_function_is_renamed_wherever_it_is_imported_reached_and_passed_on() -> None:
    found = renamed("src/pond/duck.py", 1, 5, "paddle_on")
    assert found == {
        "src/pond/__init__.py": POND["src/pond/__init__.py"].replace("swim", "paddle_on"),
        "src/pond/duck.py": POND["src/pond/duck.py"].replace("swim", "paddle_on"),
        "src/pond/nest.py": POND["src/pond/nest.py"].replace("swim", "paddle_on"),
        "tests/test_duck.py": POND["tests/test_duck.py"].replace("duck.swim", "duck.paddle_on"),
    }


def test_it_is_the_same_from_a_use_in_another_file() -> None:
    assert renamed("src/pond/nest.py", 7, 13, "drift") == renamed("src/pond/duck.py", 1, 5, "drift")


def test_renamed_back_every_byte_is_as_it_was() -> None:
    there = {**POND, **renamed("src/pond/duck.py", 5, 7, "Goose")}
    assert "import Goose as Duck" in there["src/pond/__init__.py"]
    assert "-> 'Goose'" in there["src/pond/duck.py"]
    assert {**there, **renamed("src/pond/duck.py", 5, 7, "Duck", there)} == POND


def test_a_parameter_takes_the_calls_that_name_it_along() -> None:
    found = renamed("src/pond/duck.py", 1, 10, "distance")
    assert found["src/pond/duck.py"].startswith("def swim(distance, *, fast=False):\n    return distance * 2")
    assert "pond.duck.swim(distance=2)" in found["src/pond/nest.py"]


def test_a_method_is_renamed_where_an_annotation_says_whose_it_is() -> None:
    found = renamed("src/pond/duck.py", 6, 9, "call_out")
    assert found["src/pond/duck.py"].count("call_out") == 2
    assert "bird.call_out()" in found["src/pond/nest.py"]


def test_texts_and_comments_that_say_the_name_are_told_and_not_changed() -> None:
    files = {
        **POND,
        "src/pond/x.py": '"""How ducks swim."""\n\nWAYS = {"swim": 1}  # swim, not fly\nprint(f"to swim")\n',
    }
    done = rename(files, Spot("src/pond/duck.py", 1, 5), "drift")
    assert "src/pond/x.py" not in done.texts
    assert done.notes == (
        "not changed, look at these: 'swim' also stands in texts at "
        "src/pond/x.py:1, src/pond/x.py:3, src/pond/x.py:3, src/pond/x.py:4",
    )


REFUSED = {
    "a name that is taken in the file": ("src/pond/duck.py", 1, 5, "Duck", {}),
    "a name that is taken where it is imported": ("src/pond/duck.py", 1, 5, "home", {}),
    "a method of something unknown": (
        "src/pond/duck.py", 6, 9, "call_out", {"src/pond/x.py": "def f(bird):\n    bird.quack()\n"},
    ),
    "a class whose parent is from outside": (
        "src/pond/y.py", 4, 9, "work",
        {"src/pond/y.py": "import threading\n\nclass Y(threading.Thread):\n    def run(self): ...\n"},
    ),
    "getattr with the text of the name": (
        "src/pond/duck.py", 1, 5, "drift", {"src/pond/x.py": "from pond import duck\nf = getattr(duck, 'swim')\n"},
    ),
    "getattr with a text that may come to the name": (
        "src/pond/duck.py", 1, 5, "drift",
        {"src/pond/x.py": "from pond import duck\nf = getattr(duck, f'sw{duck.x}')\n"},
    ),
    "getattr with a sum that may come to the name": (
        "src/pond/duck.py", 6, 9, "call_out", {"src/pond/x.py": "def f(b, w):\n    getattr(b, 'qua' + w)()\n"},
    ),
    "a monkeypatch by name": (
        "src/pond/duck.py", 1, 5, "drift",
        {"tests/x.py": "from pond import duck\ndef test_it(m): m.setattr(duck, 'swim', 1)\n"},
    ),
    "a patch of the dotted name": (
        "src/pond/duck.py", 1, 5, "drift", {"tests/x.py": "import mock\nmock.patch('pond.duck.swim')\n"},
    ),
    "an entry point": (
        "src/pond/duck.py", 1, 5, "drift", {"pyproject.toml": "[project.scripts]\nswim = 'pond.duck:swim'\n"},
    ),
    "a star import": ("src/pond/duck.py", 1, 5, "drift", {"src/pond/x.py": "from pond.duck import *\nswim(1)\n"}),
    "a module beside it": ("src/pond/__init__.py", 2, 19, "nest", {}),
    "a call with two stars": (
        "src/pond/duck.py", 1, 10, "distance", {"src/pond/x.py": "from pond import swim\nswim(**{'far': 1})\n"},
    ),
    "a function handed on": (
        "src/pond/duck.py", 1, 10, "distance",
        {"src/pond/x.py": "from functools import partial\nfrom pond import swim\npartial(swim, far=1)\n"},
    ),
    "a fixture": (
        "tests/c.py", 4, 5, "lake", {"tests/c.py": "import pytest\n\n@pytest.fixture\ndef water(): return 1\n"},
    ),
    "a parameter that a decorator may name": (
        "src/pond/z.py", 4, 7, "count", {"src/pond/z.py": "import click\n\n@click.option('--n')\ndef f(n): return n\n"},
    ),
    "a field of a dataclass": (
        "src/pond/z.py", 5, 5, "y",
        {"src/pond/z.py": "from dataclasses import dataclass\n\n@dataclass\nclass P:\n    x: int\n"},
    ),
    "a module handed on as a value": (
        "src/pond/duck.py", 1, 5, "drift",
        {"src/pond/x.py": "from pond import duck\n\n\ndef f(m=duck):\n    return m.swim(1)\n"},
    ),
    "something built in": ("src/pond/x.py", 1, 1, "y", {"src/pond/x.py": "print(1)\n"}),
    "a class body that falls back to it": (
        "src/pond/x.py", 1, 1, "z", {"src/pond/x.py": "y = 1\n\n\nclass X:\n    y += 1\n    print(y)\n"},
    ),
    "a method of a class that makes something else": (
        "src/pond/duck.py", 6, 9, "call_out",
        {"src/pond/x.py": (
            "from pond import Duck\n\nclass Egg:\n    def __new__(cls):\n        return Duck()\n\nEgg().quack()\n"
        )},
    ),
    "a method of a class that decides what it makes": (
        "src/pond/x.py", 2, 9, "y",
        {"src/pond/x.py": "class X:\n    def x(self): ...\n    def __new__(cls): return object.__new__(cls)\n"},
    ),
    "a method of a class with a metaclass": (
        "src/pond/x.py", 5, 9, "y",
        {"src/pond/x.py": "class M(type): ...\n\n\nclass X(metaclass=M):\n    def x(self): ...\n"},
    ),
    "a local that is asked for by its text": (
        "src/pond/x.py", 1, 7, "who", {"src/pond/x.py": "def f(user):\n    return '{user}'.format(**locals())\n"},
    ),
    "a local that a function inside of its function asks for": (
        "src/pond/x.py", 2, 5, "who",
        {"src/pond/x.py": "def f():\n    user = 1\n    def g():\n        return eval('user'), user\n    return g\n"},
    ),
    "a local that is printed with its name": (
        "src/pond/x.py", 2, 5, "sum_", {"src/pond/x.py": "def f():\n    total = 3\n    return f'{total=}'\n"},
    ),
    "a function that is printed with its name": (
        "src/pond/duck.py", 1, 5, "drift", {"src/pond/x.py": "from pond.duck import swim\nprint(f'{swim(1)=}')\n"},
    ),
    "a dunder": ("src/pond/x.py", 2, 9, "y", {"src/pond/x.py": "class X:\n    def __len__(self): return 0\n"}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_is(case: str) -> None:
    path, line, column, new, more = REFUSED[case]
    with pytest.raises(Refused):
        renamed(path, line, column, new, {**POND, **more})


FLOW = """\
def bill(rows, rate):
    total = 0
    for row in rows:
        net = row.price * row.count
        tax = net * rate
        total += net + tax
    return round(total, 2)
"""


def test_statements_become_a_function_that_takes_and_gives_what_they_need() -> None:
    done = extract_function({"p.py": FLOW}, Stretch("p.py", 4, 5), "priced")
    assert done.texts["p.py"] == (
        "def priced(row, rate):\n    net = row.price * row.count\n    tax = net * rate\n    return net, tax\n\n\n"
        + FLOW.replace(
            "        net = row.price * row.count\n        tax = net * rate\n", "        net, tax = priced(row, rate)\n"
        )
    )


def test_an_expression_becomes_a_variable_before_its_statement() -> None:
    done = extract_variable({"p.py": FLOW}, Stretch("p.py", 6, 6, 18, 27), "gross")
    assert "        gross = net + tax\n        total += gross\n" in done.texts["p.py"]


def test_a_variable_that_is_read_at_once_is_inlined() -> None:
    text = "def f(x):\n    y = x.go() + 1\n    return y * 2\n"
    assert (
        inline_variable({"p.py": text}, Spot("p.py", 2, 5)).texts["p.py"] == "def f(x):\n    return (x.go() + 1) * 2\n"
    )


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("def f(x):\n    if x:\n        return 1\n    return 2\n", 2, 3),
        ("def f(x):\n    for y in x:\n        if y:\n            break\n", 3, 4),
        ("def f(x):\n    global z\n    z = x\n", 2, 3),
        ("def f(x):\n    if x:\n        y = 1\n    print(x)\n    return y\n", 4, 5),
        ("class A:\n    def f(self):\n        super().f()\n        print(self)\n", 3, 4),
        ("def f(x):\n    y = 1\n    def g():\n        return y\n    return g\n", 2, 2),
        ("def f(x):\n    print(locals())\n    return x\n", 2, 2),
        ("x = 1\nprint(x)\n", 1, 2),
    ],
)
def test_statements_that_would_mean_something_else_are_not_extracted(text: str, first: int, last: int) -> None:
    with pytest.raises(Refused):
        extract_function({"p.py": text}, Stretch("p.py", first, last), "fresh")


def test_half_a_statement_is_no_selection() -> None:
    with pytest.raises(InvalidInput, match="neither one whole expression nor whole statements"):
        extract_function({"p.py": FLOW}, Stretch("p.py", 4, 4, 9, 15), "fresh")


def test_a_function_moves_and_every_import_follows() -> None:
    files = {
        "a/__init__.py": "",
        "a/one.py": "import os\n\n\ndef here():\n    return os.getcwd()\n\n\ndef two():\n    return here()\n",
        "b.py": "from a.one import here, two\n\nprint(here(), two())\n",
    }
    done = {**files, **move(files, Spot("a/one.py", 4, 5), "a/places.py").texts}
    assert done["a/places.py"] == "import os\n\n\ndef here():\n    return os.getcwd()\n"
    assert "from .places import here\n" in done["a/one.py"]
    assert "def here" not in done["a/one.py"]
    assert done["b.py"] == "from a.one import two\nfrom a.places import here\n\nprint(here(), two())\n"


def test_what_needs_its_own_file_does_not_move() -> None:
    files = {"one.py": "x = 1\n\n\ndef f():\n    return x\n", "two.py": ""}
    with pytest.raises(Refused, match="import each other"):
        move(files, Spot("one.py", 4, 5), "two.py")
