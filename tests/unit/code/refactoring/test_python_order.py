"""In which order Python evaluates: what is extracted or inlined may not pass what it sees, or what sees it."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.python.extract import extract_function, extract_variable
from rubber_duck.code.refactoring.python.inline import inline_variable
from rubber_duck.code.refactoring.refactored import Refactored, Spot, Stretch
from rubber_duck.errors import InvalidInput, Refused

FILE = """import os
import contextlib

LIMIT = 3
count = 0


def bump():
    global count
    count += 1
    return count


class Pond:
    def swap(self):
        self.dive = bump

    async def go(self, other, items):
        held = 0
        mine = other

        def later():
            nonlocal held
            held += 1

        HERE


class Swan(BASE): pass
"""


def place(text: str, chosen: str) -> Stretch:
    at = text.index(chosen, text.index("held += 1") if "held += 1" in text else 0)
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
    return Stretch("p.py", line, line, column, column + len(chosen))


def extracted(line: str, chosen: str) -> str:
    text = FILE.replace("HERE", line).replace("BASE", "object")
    done: Refactored = extract_variable({"p.py": text}, place(text, chosen), "fresh")
    return done.texts["p.py"]


PASSES = {
    "a call past a parameter": ("print(other, bump())", "bump()"),
    "a call past a local": ("print(mine, bump())", "bump()"),
    "a call past a constant of the file": ("print(LIMIT, bump())", "bump()"),
    "a call past something built in": ("print(str, bump())", "bump()"),
    "a call past a method": ("other.call(bump())", "bump()"),
    "a call past a function of a module": ("os.path.join(bump())", "bump()"),
    "a call past a name of a keyword": ("dict(count=bump())", "bump()"),
    "a call behind which something is called": ("print(bump(), other.x())", "bump()"),
    "a read past a read": ("print(other.x, self.y)", "self.y"),
    "a number past a call": ("print(bump(), 17)", "17"),
    "a value, past where it goes": ("other.x[0] = bump()", "bump()"),
    "what is awaited": ("print(mine, await other)", "await other"),
    "the condition of a choice": ("print(other.x if self.y else bump())", "self.y"),
    "the first of with": ("with other.x() as held_open, bump(): pass", "other.x()"),
}


@pytest.mark.parametrize(("line", "chosen"), PASSES.values(), ids=PASSES.keys())
def test_what_nobody_can_tell_is_made(line: str, chosen: str) -> None:
    if line.endswith(": pass"):
        line = line.replace(": pass", ":\n            pass")
    assert f"        fresh = {chosen}\n        {line.replace(chosen, 'fresh', 1)}" in extracted(line, chosen)


REFUSED = {
    "a call past an attribute": ("print(self.x + self.swim())", "self.swim()"),
    "a call past an element": ("print(items[0], items.pop())", "items.pop()"),
    "a call past a name that a function gives a value": ("print(count + bump())", "bump()"),
    "a call past a name that a function inside gives a value": ("print(held, later())", "later()"),
    "a call past a method that is replaced": ("other.dive(bump())", "bump()"),
    "a call past a method of an attribute": ("self.x.call(bump())", "bump()"),
    "a call past a sum": ("print(mine + 1, bump())", "bump()"),
    "a call past a name that nobody defines": ("print(nobody, bump())", "bump()"),
    "a call past a comprehension": ("print([x for x in items], bump())", "bump()"),
    "a comprehension past an attribute": ("print(self.x, [x for x in items])", "[x for x in items]"),
    "an attribute past a comprehension": ("print([x for x in items], self.x)", "self.x"),
    "an attribute past what is unpacked": ("print(*items, self.x)", "self.x"),
    "an attribute past what is unpacked by name": ("dict(**items, a=self.x)", "self.x"),
    "a call past what is added to": ("self.x += self.swim()", "self.swim()"),
    "an await past an attribute": ("print(self.x, await other)", "await other"),
    "where a value goes": ("items[self.x] = bump()", "self.x"),
    "where a value goes, before a read": ("items[bump()] = self.x", "bump()"),
    "where an annotated value goes": ("items[self.x]: int = bump()", "self.x"),
    "where a loop puts its values": ("for items[self.x] in bump():\n            pass", "self.x"),
    "where with puts what it entered": ("with bump() as items[self.x]:\n            pass", "self.x"),
    "the second of with": ("with mine as here, contextlib.closing(self.x):\n            pass", "self.x"),
    "an exception that is awaited": ("try:\n            pass\n        except self.x:\n            pass", "self.x"),
    "a body on the line of its head": ("if mine: print(self.x)", "self.x"),
    "what is deleted second": ("del (mine, items[self.x])", "self.x"),
    "a text by itself": ("'why'", "'why'"),
    "something with a star": ("print([*items])", "*items"),
}


@pytest.mark.parametrize(("line", "chosen"), REFUSED.values(), ids=REFUSED.keys())
def test_what_somebody_could_tell_is_refused(line: str, chosen: str) -> None:
    with pytest.raises((Refused, InvalidInput)):
        extracted(line, chosen)


IN_CLASSES = {
    "in the body of a class it would be an attribute": ("class A:\n    x = [1 + 2]\n", "1 + 2"),
    "on the line of a class": ("class A: x = [1 + 2]\n", "1 + 2"),
    "a parent that names a parameter of the class": ("class A[T](list[T]):\n    pass\n", "list[T]"),
}


@pytest.mark.parametrize(("text", "chosen"), IN_CLASSES.values(), ids=IN_CLASSES.keys())
def test_classes_keep_what_they_have(text: str, chosen: str) -> None:
    with pytest.raises((Refused, InvalidInput)):
        extract_variable({"p.py": text}, place(text, chosen), "fresh")


def test_a_function_takes_no_value_that_may_change_while_it_runs() -> None:
    text = FILE.replace("HERE", "print(later() or held)").replace("BASE", "object")
    with pytest.raises(Refused, match="'held'"):
        extract_function({"p.py": text}, place(text, "later() or held"), "fresh")


def inlined(body: str, head: str = "def f(a, items):") -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    text = f"LIMIT = 3\n\n\n{head}\n{lines}"
    at = next(number for number, line in enumerate(text.split("\n"), 1) if line.strip().startswith("it = "))
    column = text.split("\n")[at - 1].index("it") + 1
    done = inline_variable({"p.py": text}, Spot("p.py", at, column))
    return "\n".join(line[4:] for line in done.texts["p.py"].split("\n")[4:]).rstrip("\n")


INLINED = {
    "a parameter, several times": ("it = a\nprint(it)\nreturn it", "print(a)\nreturn a"),
    "a constant of the file": ("it = LIMIT\nprint(it)\nreturn it", "print(LIMIT)\nreturn LIMIT"),
    "a call into the next statement": ("it = a.x()\nreturn it + 1", "return a.x() + 1"),
    "a call past a statement that gives a local": (
        "it = a.x()\nother = 3\nreturn it + other",
        "other = 3\nreturn a.x() + other",
    ),
    "a read past a statement that only reads": (
        "it = a.x\nother = items[0]\nreturn it + other",
        "other = items[0]\nreturn a.x + other",
    ),
    "a call past a parameter": ("it = a.x()\nprint(items, it)", "print(items, a.x())"),
}


@pytest.mark.parametrize(("body", "after"), INLINED.values(), ids=INLINED.keys())
def test_a_value_is_inlined_where_nobody_can_tell(body: str, after: str) -> None:
    assert inlined(body) == after


KEPT = {
    "a call past an attribute": "it = a.x()\nreturn a.y + it",
    "a call past an element": "it = items.pop()\nreturn items[0] + it",
    "a call into where a value goes": "it = a.x()\nitems[it] = a.y()",
    "a call into an elif": "it = a.x()\nif a:\n    pass\nelif it:\n    pass",
    "a call into the end of a chain of comparisons": "it = a.x()\nreturn 1 < a < it",
    "a call past another": "it = a.x()\nother = a.y()\nreturn it + other",
    "a call past a statement that reads": "it = a.x()\nother = a.y\nreturn it + other",
    "a read past a call": "it = a.x\nother = a.y()\nreturn it + other",
    "a read past a place that is given a value": "it = a.x\na.x = 3\nreturn it",
    "a read past a name that it reads": "it = a.x\na = 3\nreturn it",
    "a name that a loop gives values": "for i in items:\n    if i:\n        it = i\n    print(it)",
    "a name that is given again": "b = 1\nit = b\nb = 2\nreturn it",
    "a name that is deleted": "it = a\ndel a\nreturn it",
    "a call past a local, in a try": "try:\n    it = a.x()\n    other = 3\n    print(it)\nfinally:\n    print(other)",
    "an exception": "try:\n    pass\nexcept E as b:\n    it = b\n    items.append(it)\nprint(it)",
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT.keys())
def test_a_value_stays_where_somebody_could_tell(body: str) -> None:
    with pytest.raises(Refused):
        inlined(body)
