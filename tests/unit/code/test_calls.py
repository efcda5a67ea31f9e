"""Which definition calls which: names are followed as the language does, and guards are read from the layout."""

from __future__ import annotations

import pytest

from rubber_duck.code.calls import call_graph
from rubber_duck.code.code import detect, open_source
from rubber_duck.code.edges import CallEdge, CallGraph, CallKind
from rubber_duck.code.extract import extract
from rubber_duck.code.graph import GraphFile
from rubber_duck.code.guards import Guard, guards
from rubber_duck.code.likeness import resembles


def graph(files: dict[str, str]) -> CallGraph:
    return call_graph({path: _read(path, text) for path, text in files.items()}, files)


def _read(path: str, text: str) -> GraphFile:
    language = detect(path, None)
    assert language is not None
    return GraphFile(language, extract(open_source(path, text.encode(), language)))


def called(found: CallGraph, path: str, name: str) -> dict[str, int]:
    """Path and name of what a definition leads to, with the number of choices."""
    return {
        f"{target.path}:{target.name}": edge.choices
        for edge in found.edges
        if edge.source == found.numbers[path, name]
        for target in [found.definitions[edge.target]]
    }


def test_a_name_leads_where_scopes_and_imports_say() -> None:
    files = {
        "p/__init__.py": "from p.a import work as work\n",
        "p/a.py": "def work():\n    def inner():\n        pass\n    inner()\n",
        "p/b.py": "import p\nfrom p import work as w\n\n\ndef one():\n    w()\n\n\ndef two():\n    p.work()\n",
        "q.py": "def work():\n    pass\n",
    }
    found = graph(files)
    assert called(found, "p/b.py", "one") == {"p/a.py:work": 1}
    assert called(found, "p/b.py", "two") == {"p/__init__.py:": 1, "p/a.py:work": 1}
    assert called(found, "p/a.py", "work") == {"p/a.py:work.inner": 1}


@pytest.mark.parametrize(
    "body",
    [
        "def go(duck: Duck):\n    duck.move()\n",
        "def go():\n    duck = Duck()\n    duck.move()\n",
        "def go():\n    with Duck() as duck:\n        duck.move()\n",
        "def make() -> Duck:\n    return Duck()\n\n\ndef go():\n    duck = make()\n    duck.move()\n",
    ],
)
def test_a_method_is_found_by_the_class_that_is_written_there(body: str) -> None:
    classes = "class Animal:\n    def move(self):\n        pass\n\n\nclass Duck(Animal):\n    pass\n\n\n"
    files = {"a.py": classes + body, "b.py": "class Car:\n    def move(self):\n        pass\n"}
    assert called(graph(files), "a.py", "go")["a.py:Animal.move"] == 1
    assert "b.py:Car.move" not in called(graph(files), "a.py", "go")


def test_self_leads_to_the_own_class_and_to_those_below_it_and_super_upwards() -> None:
    text = (
        "class A:\n    def run(self):\n        self.step()\n\n    def step(self):\n        pass\n\n\n"
        "class B(A):\n    def step(self):\n        super().step()\n"
    )
    found = graph({"a.py": text})
    assert called(found, "a.py", "A.run") == {"a.py:A.step": 2, "a.py:B.step": 2}
    assert called(found, "a.py", "B.step") == {"a.py:A.step": 1}


def test_a_method_of_who_knows_what_is_each_of_that_name() -> None:
    classes = "".join(f"class C{at}:\n    def move(self):\n        pass\n\n\n" for at in range(3))
    assert called(graph({"a.py": classes + "def go(x):\n    x.move()\n"}), "a.py", "go") == {
        "a.py:C0.move": 3,
        "a.py:C1.move": 3,
        "a.py:C2.move": 3,
    }


def test_a_fixture_is_called_by_whoever_asks_for_it_the_nearest_first() -> None:
    fixture = "import pytest\n\n\n@pytest.fixture\ndef pond():\n    return 1\n"
    files = {
        "conftest.py": fixture,
        "tests/conftest.py": fixture,
        "tests/test_a.py": "def test_a(pond):\n    pass\n",
    }
    found = graph(files)
    assert [edge for edge in found.edges if edge.kind is CallKind.FIXTURE] == [
        CallEdge(
            found.numbers["tests/test_a.py", "test_a"], found.numbers["tests/conftest.py", "pond"], 1, CallKind.FIXTURE
        )
    ]


def test_the_guards_of_a_line_are_the_conditions_it_stands_below() -> None:
    text = (
        "def go(x):\n    if x is None:\n        return\n    for each in x:\n        try:\n            if each:\n"
        "                a()\n            else:\n                b()\n        except ValueError:\n            c()\n"
    )
    found = guards(text.split("\n"))
    assert [found[at] for at in (6, 8, 10)] == [
        Guard(1, 0, 1, 1, ("each:",)),
        Guard(1, 0, 1, 1, ("each:",)),
        Guard(0, 1, 1, 1, ("ValueError:",)),
    ]


def test_a_head_of_several_lines_guards_what_is_below_it() -> None:
    text = "def go(x):\n    if (\n        x\n    ):\n        a()\n    b()\n"
    found = guards(text.split("\n"))
    assert [found[at].branches for at in (4, 5)] == [1, 0]


@pytest.mark.parametrize(
    ("variable", "class_name", "expected"),
    [("runner", "CliRunner", True), ("ctx", "Context", True), ("cmd", "Command", True), ("x", "Xylophone", False)],
)
def test_a_variable_called_like_a_class_is_likely_of_it(variable: str, class_name: str, expected: bool) -> None:
    assert resembles(variable, class_name) is expected
