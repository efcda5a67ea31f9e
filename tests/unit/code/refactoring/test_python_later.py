"""What a piece of Python leaves behind: lost values, functions that run later, frames, shadows, names asked for."""

from __future__ import annotations

from typing import Any

import pytest

from rubber_duck.code.refactoring.python.extract import extract_function
from rubber_duck.code.refactoring.python.inline import inline_variable
from rubber_duck.code.refactoring.python.inline_function import inline_function
from rubber_duck.code.refactoring.python.rename import rename
from rubber_duck.code.refactoring.refactored import Spot, Stretch
from rubber_duck.errors import Refused

START = """import inspect, sys, traceback, warnings
from contextlib import suppress
from inspect import stack as calls

LIMIT = 3
log = []


def boom():
    raise ValueError


def caller():
    return inspect.currentframe().f_back.f_code.co_name


def ask():
    return caller()


"""


def program(body: str) -> tuple[str, Stretch]:
    """A program with the lines between << and >> selected, or what stands there in one line."""
    text = START + body
    before, _, rest = text.partition("<<")
    inside, _, after = rest.partition(">>")
    first, last = before.count("\n") + 1, before.count("\n") + 1 + inside.count("\n")
    if before.rpartition("\n")[2].strip() or after.partition("\n")[0].strip():
        column = len(before.rpartition("\n")[2]) + 1
        return before + inside + after, Stretch("p.py", first, last, column, column + len(inside))
    return before + inside + after, Stretch("p.py", first, last)


def outcome(text: str) -> object:
    """What `main` of a program gives, and what it logged."""
    world: dict[str, Any] = {}  # Any: a program's names
    exec(compile(text, "p.py", "exec"), world)  # the program is ours
    return world["main"](), world["log"], world["LIMIT"]


LOST = {
    "an except that goes on": """def main():
    x = 0
    try:
        <<x = 1
        boom()>>
    except ValueError:
        pass
    return x
""",
    "a finally that looks": """def main():
    x = 0
    with suppress(ValueError):
        try:
            <<x = 1
            boom()>>
        finally:
            log.append(x)
""",
    "a with that swallows": """def main():
    x = 0
    with suppress(ValueError):
        <<x = 1
        boom()>>
    return x
""",
    "a handler with a finally behind it": """def main():
    x = 0
    with suppress(ValueError):
        try:
            boom()
        except ValueError:
            <<x = 2
            boom()>>
        finally:
            log.append(x)
""",
    "the next round": """def main():
    n = 0
    while n < 3:
        try:
            <<n += 1
            boom()>>
        except ValueError:
            log.append("again")
    return n
""",
    "an unpacking that fails behind its first": """def main():
    x = 0
    with suppress(TypeError):
        <<x, (y, z) = 1, 2>>
    return x
""",
    "a variable of the file": """def main():
    global LIMIT
    <<LIMIT = 5
    x = LIMIT>>
    return x
""",
    "a variable of the function around": """def main():
    n = 1
    def bump():
        nonlocal n
        <<n = n + 1>>
    bump()
    return n
""",
    "a function made in a loop": """def main():
    made = []
    for i in range(3):
        <<made.append(lambda: i)>>
    return [each() for each in made]
""",
    "a generator made in a loop": """def main():
    made = []
    for i in range(3):
        <<made.append((i * k for k in range(2)))>>
    return [list(each) for each in made]
""",
    "a function made in a comprehension": """def main():
    return [each() for each in [<<lambda: i>> for i in range(3)]]
""",
    "a function that reads what an except forgets": """def main():
    try:
        boom()
    except ValueError as error:
        <<say = lambda: str(error)>>
    with suppress(NameError):
        return say()
""",
    "a frame": "def main():\n    <<x = inspect.currentframe().f_code.co_name>>\n    return x\n",
    "a frame of sys": "def main():\n    <<x = sys._getframe().f_code.co_name>>\n    return x\n",
    "the calls by another name": "def main():\n    <<x = calls()[0].function>>\n    return x\n",
    "a traceback": "def main():\n    <<x = traceback.extract_stack()[-1].name>>\n    return x\n",
    "a function of the file that looks at frames": "def main():\n    <<x = ask()>>\n    return x\n",
    "a warning for who calls": "def main():\n    <<warnings.warn('old', stacklevel=2)>>\n",
}


@pytest.mark.parametrize("body", LOST.values(), ids=LOST.keys())
def test_what_would_be_lost_or_seen_is_refused(body: str) -> None:
    text, stretch = program(body)
    compile(text, "p.py", "exec")
    with pytest.raises(Refused, match=r"keep its old|variable of this function|read later|looks at|not sure|several"):
        extract_function({"p.py": text}, stretch, "fresh")


KEPT = {
    "a loop that gives names of its own": """def main():
    <<for i in range(3):
        j = i + 1
        with suppress(ValueError) as k:
            log.append((i, j, k))>>
""",
    "a value given last in a try": """def main():
    x = 0
    try:
        <<y = [1]
        x = y[3]>>
    except IndexError:
        pass
    return x
""",
    "a value that only the same block reads": """def main():
    try:
        <<x = 1
        log.append(x)>>
        boom()
        log.append(x)
    except ValueError:
        return 4
""",
    "a counter of a loop": """def main():
    n = 0
    for _ in range(3):
        <<n += 1
        log.append(n)>>
""",
    "a value kept for the next round": """def main():
    last = 0
    for i in range(3):
        <<if i == 1:
            last = 5
        log.append(last)>>
""",
    "a whole loop that makes functions": """def main():
    made = []
    <<for i in range(3):
        made.append(lambda: i)>>
    return [each() for each in made]
""",
    "a default that is read at once": """def main():
    made = []
    for i in range(3):
        <<made.append(lambda i=i: i)>>
    return [each() for each in made]
""",
    "a warning of its own": "def main():\n    <<warnings.warn('old', stacklevel=1)>>\n",
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT.keys())
@pytest.mark.filterwarnings("ignore:old")
def test_what_is_kept_does_the_same(body: str) -> None:
    text, stretch = program(body)
    after = extract_function({"p.py": text}, stretch, "fresh").texts["p.py"]
    assert "fresh(" in after.partition("def main")[2]
    assert outcome(after) == outcome(text)


def test_a_function_that_looks_at_its_caller_is_not_inlined() -> None:
    text = f"{START}def tell():\n    return ask()\n\n\ndef main():\n    return tell()\n"
    with pytest.raises(Refused, match="looks at the function"):
        inline_function({"p.py": text}, Spot("p.py", text[: text.index("def tell")].count("\n") + 1, 5))


@pytest.mark.parametrize(
    "rest",
    [
        "    def h(p):\n        return x + p\n    return h(10)\n",
        "    return [x for p in range(3)]\n",
        "    return {p: x for p in range(3)}\n",
        "    return (lambda p: x)(5)\n",
        "    class C:\n        p = 3\n        y = x\n    return C.y\n",
        "    def h():\n        global p\n        return x\n    return h()\n",
        "    def h():\n        p = 2\n        def i():\n            return x + p\n        return i()\n    return h()\n",
    ],
)
def test_a_variable_is_not_inlined_where_its_value_is_shadowed(rest: str) -> None:
    text = f"p = 7\ndef g(p):\n    x = p\n{rest}"
    with pytest.raises(Refused):
        inline_variable({"p.py": text}, Spot("p.py", 3, 5))


def test_a_variable_of_the_file_that_a_text_may_change_is_not_firm() -> None:
    text = "n = 1\ndef put():\n    globals()['n'] = 2\ndef main():\n    x = n\n    put()\n    return x\n"
    with pytest.raises(Refused, match="something may happen"):
        inline_variable({"p.py": text}, Spot("p.py", 5, 5))
    fixed = text.replace("globals()['n'] = 2", "return 2")
    assert "return n" in inline_variable({"p.py": fixed}, Spot("p.py", 5, 5)).texts["p.py"]


POND = "def on_swim():\n    return 1\n"
ASKS = {
    "a part is written out": "def main(key):\n    return globals()['on_' + key]()\n",
    "it is filled in": "def main(key):\n    return globals()['on_%s' % key]()\n",
    "any name may be asked": "def main(key):\n    return globals().get(key)\n",
    "all are looked through": "TABLE = {key: each for key, each in vars().items()}\n",
    "the file itself": "import sys\ndef main(key):\n    return getattr(sys.modules[__name__], key)\n",
    "code may say it": "def main(said):\n    exec(said, globals())\n",
}


@pytest.mark.parametrize("rest", ASKS.values(), ids=ASKS.keys())
def test_a_name_that_its_file_asks_for_by_a_text_is_not_renamed(rest: str) -> None:
    with pytest.raises(Refused, match="by the text of its name"):
        rename({"pond.py": POND + rest}, Spot("pond.py", 1, 5), "on_dive")


@pytest.mark.parametrize(
    "rest",
    ["getattr(pond, KEY)()", "pond.__dict__[KEY]()", "vars(pond)", "dir(pond)", "KEY in vars(pond)"],
)
def test_a_name_that_another_file_asks_for_by_a_text_is_not_renamed(rest: str) -> None:
    files = {"pond.py": POND, "nest.py": f"import pond\nKEY = input()\nprint({rest})\n"}
    with pytest.raises(Refused, match=r"by the text of its name at nest\.py:3"):
        rename(files, Spot("pond.py", 1, 5), "on_dive")


def test_other_names_may_be_asked_for() -> None:
    files = {
        "pond.py": POND + "def main(key):\n    return globals()['off_' + key], 'far' in globals()\n",
        "nest.py": "import pond\nimport os\nprint(getattr(os, input()), vars(pond)['main'])\n",
    }
    done = rename(files, Spot("pond.py", 1, 5), "on_dive")
    assert done.texts == {"pond.py": files["pond.py"].replace("on_swim", "on_dive")}


def test_members_that_may_be_asked_for_are_noted() -> None:
    text = (
        "class Duck:\n    def __init__(self):\n        self.size = 1\n    def all(self):\n        return vars(self)\n"
    )
    done = rename({"pond.py": text + "    size = 2\n"}, Spot("pond.py", 6, 5), "width")
    assert "members are asked for by their names at pond.py:5: look there" in done.notes
