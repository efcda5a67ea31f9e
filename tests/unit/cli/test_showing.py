"""The commands that tell of files and rules show the answers well."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.unit.cli.calling import Script, call


def test_an_outline_is_a_tree_with_lines() -> None:
    inner = {"kind": "method", "name": "b", "head": "def b(self)", "start_line": 2, "end_line": 3, "doc": "Do b."}
    outer = {"kind": "class", "name": "A", "head": "A", "start_line": 1, "end_line": 12, "children": [inner]}
    answer = {
        "path": "x.py",
        "language": "python",
        "lines": 12,
        "entries": [outer],
        "problems": [{"line": 9, "message": "unexpected `)`"}],
        "refused": [],
    }
    outcome = call("outline", "x.py", "--docs", script=Script(answer))
    assert outcome.out == " 1-12  class A\n 2-3     def b(self)\n             Do b.\n"
    assert outcome.err == "x.py:9: unexpected `)`\n"
    empty = call("outline", "x.py", script=Script(answer | {"entries": [], "problems": []}))
    assert (empty.code, empty.out, empty.err) == (0, "", "x.py defines nothing\n")


def test_an_outline_shows_decorators_and_specs_on_the_same_line() -> None:
    entry = {"kind": "method", "name": "f", "head": "def f(a)", "start_line": 1, "end_line": 1}
    decorated = entry | {"decorators": ["property", "app.route('/x', methods=['GET'])", 'deprecated "use g"']}
    specified = entry | {"spec": "f(integer) :: term"}
    answer = {
        "path": "x",
        "language": "x",
        "lines": 1,
        "entries": [decorated, specified],
        "problems": [],
        "refused": [],
    }
    assert call("outline", "x", script=Script(answer)).out == (
        "1    @property @app.route(…) @deprecated … def f(a)\n1    def f(a)  (integer) :: term\n"
    )


IMPORTS: dict[str, Any] = {
    "is_file": True,
    "files": [
        {
            "path": "a.py",
            "imports": [{"path": "b.py", "line": 3}],
            "imported_by": [{"path": "b.py", "line": 7}, {"path": "c.py", "line": 1}],
            "outside": ["os"],
        }
    ],
    "circles": [["a.py", "b.py"]],
}


def test_the_imports_of_a_file_are_shown_with_the_places_that_import_it() -> None:
    script = Script(IMPORTS)
    assert (
        call("imports", "a.py", script=script).out
        == """\
a.py

imports
  b.py

from outside
  os

imported by
  b.py:7
  c.py:1

in a circle with
  b.py
"""
    )
    assert script.asked == [("imports", {"path": "a.py", "directory": os.getcwd()})]
    assert json.loads(call("imports", "a.py", "--json", script=script).out) == IMPORTS


def test_the_imports_of_a_folder_are_ranked() -> None:
    def file(path: str, *importers: int) -> dict[str, Any]:
        imported_by = [{"path": f"{number}.py", "line": 1} for number in importers]
        return {"path": path, "imports": [], "imported_by": imported_by, "outside": ["os", path]}

    circles = [["a.py", "b.py"], ["c.py", "d.py", "e.py"]]
    answer = {"is_file": False, "files": [file("a.py"), file("b.py", 1), file("c.py", 1, 2)], "circles": circles}
    assert (
        call("imports", ".", "--limit", "1", script=Script(answer)).out
        == """\
3 files, no imports within the project

most imported
  2  c.py
  and 1 more

from outside, by files
  3  os
  and 3 more

circle of 3 files
  c.py
  d.py
  e.py

and 1 more circle
"""
    )
    none = call("imports", "empty", script=Script(answer | {"files": []}))
    assert (none.code, none.out, none.err) == (0, "", "empty holds no file in a language that RubberDuck knows\n")


def test_a_rule_is_shown_with_its_examples() -> None:
    rule = {
        "name": "bad-quack",
        "kind": "style",
        "severity": "low",
        "confidence": "high",
        "summary": "A quack is bad.",
        "languages": ["python"],
        "titles": ["Python"],
        "cwe": 7,
        "documentation": "A quack is bad.\n\nIt is `loud`.",
        "bad": [{"language": "python", "title": "Python", "code": "quack()"}],
        "good": [{"language": "python", "title": "Python", "code": "hush()"}],
        "options": {"max": 3, "words": ["a"], "loud": True, "name": "x"},
    }
    assert (
        call("rules", "bad-quack", script=Script({"rules": [rule]})).out
        == """\
bad-quack low
style · high confidence · Python · CWE-7

  A quack is bad.

  It is loud.

Reported (Python)
    quack()

Fine (Python)
    hush()

Options, with their defaults
    [analysis.rules.bad-quack]
    max = 3
    words = ["a"]
    loud = true
    name = "x"

Silence it in one place with a comment: duck: ignore[bad-quack] -- the reason
"""
    )


def test_rules_are_listed_with_what_they_find_below() -> None:
    about = {"kind": "style", "severity": "low", "confidence": "high", "languages": []}
    both = about | {"name": "bad-quack", "titles": ["Elixir", "Python"], "summary": "A quack is bad. " + "Very. " * 5}
    one = about | {"name": "hush", "kind": "security", "severity": "critical", "titles": ["Python"], "summary": "No."}
    assert (
        call("rules", script=Script({"rules": [both, one]}), COLUMNS="40").out
        == """\
Security
  hush       critical  Python
    No.

Style
  bad-quack  low       every language
    A quack is bad. Very. Very. Very.
    Very. Very.

2 rules of our own, and a selection of ruff's (`ruff/F401` …).
One in full: `duck rules NAME`.
"""
    )


def test_machines_get_json() -> None:
    for name in ("rules", "engines"):
        assert json.loads(call(name, "--json", script=Script({"a": "ü"})).out) == {"a": "ü"}
        strange = call(name, "--json", script=Script({"a": "\x9b\u202e\x7f", "b": "\udcff"})).out
        assert strange == '{\n  "a": "\\u009b\\u202e\\u007f",\n  "b": "\\\\xff"\n}\n'
