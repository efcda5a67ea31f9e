"""No file makes the rules slow: what they read beside the walk is bounded, whatever the file looks like."""

from __future__ import annotations

import pytest

from rubber_duck.analysis.reading.allowance import NODES_PER_FILE, may_read
from rubber_duck.analysis.rule import rules
from rubber_duck.code.code import open_source
from tests.unit.analysis.rules.walking import hits

CASES = {
    "loops over one parameter": ("python", "def f(x, y):\n" + "    for x in y: pass\n" * 4_000 + "    return x\n"),
    "returns in a deep block": ("javascript", "function f() {" + "{" * 400 + "return 1;" * 8_000 + "}" * 400 + "}"),
    "functions in functions": ("javascript", "function f() { if (a) {} " * 200 + "x = 1;" * 8_000 + "}" * 200),
    "names given from each other": ("python", "def f():\n    a = a + a + b\n    b = a + a\n    c.execute(a)\n" * 500),
    "unlike branches in branches": ("javascript", "if (a) {" * 300 + "x()" + "} else { y() }" * 300),
    "long sums": ("python", ("c.execute(" + " + ".join(["a"] * 200) + ")\n") * 100),
}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_looked_at_within_the_time_limit_of_a_test(case: str) -> None:
    language, code = CASES[case]
    for name in rules.discover():
        hits(name, language, code)


def test_the_allowance_of_a_file_is_used_up_once() -> None:
    file = open_source("a.py", b"x = 1\n", "python")
    assert may_read(file, NODES_PER_FILE)
    assert not may_read(file)
    assert may_read(open_source("b.py", b"x = 1\n", "python"))
