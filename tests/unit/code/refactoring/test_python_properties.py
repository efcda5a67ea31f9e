"""Whatever is refactored in whatever program: it is refused, or the program says what it said before."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from rubber_duck.code.refactoring.python.extract import extract_function, extract_variable
from rubber_duck.code.refactoring.python.inline import inline_variable
from rubber_duck.code.refactoring.python.rename import rename
from rubber_duck.code.refactoring.refactored import Spot, Stretch
from rubber_duck.errors import InvalidInput, Refused
from tests.unit.code.refactoring.programs import NAMES, outcome, programs

EXAMPLES = settings(max_examples=30, deadline=None)


@EXAMPLES
@given(programs(), st.data())
def test_a_renamed_program_does_what_it_did_and_the_way_back_gives_the_same_bytes(
    text: str, data: st.DataObject
) -> None:
    names = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and node.id in NAMES and "f'" not in text.splitlines()[node.lineno - 1]
    ]
    assume(names)
    node = data.draw(st.sampled_from(names))
    new = data.draw(st.sampled_from((*NAMES, "fresh", "say", "call", "len")))
    spot = Spot("p.py", node.lineno, node.col_offset + 1)
    note(f"{text}\n{spot} -> {new}")
    try:
        done = rename({"p.py": text}, spot, new)
    except (Refused, InvalidInput):
        return
    after = done.texts["p.py"]
    note(after)
    assert outcome(after) == outcome(text)
    if new == "fresh":
        longer = len(new) - len(node.id)
        found = [each.start() for each in re.finditer(r"\bfresh\b", after.splitlines()[node.lineno - 1])]
        column = next(at for number, at in enumerate(found) if at - number * longer == node.col_offset)
        assert rename({"p.py": after}, Spot("p.py", node.lineno, column + 1), node.id).texts == {"p.py": text}


@EXAMPLES
@given(programs(), st.data())
def test_what_is_extracted_does_what_it_did(text: str, data: st.DataObject) -> None:
    lines = text.count("\n")
    if data.draw(st.booleans()):
        first = data.draw(st.integers(1, lines))
        stretch = Stretch("p.py", first, min(lines, first + data.draw(st.integers(0, 4))))
        extract = extract_function
    else:
        nodes = [
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.expr) and "f'" not in text.splitlines()[node.lineno - 1]
        ]
        node = data.draw(st.sampled_from(nodes))
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        stretch = Stretch("p.py", node.lineno, node.end_lineno, node.col_offset + 1, node.end_col_offset + 1)
        extract = data.draw(st.sampled_from((extract_function, extract_variable)))
    note(f"{text}\n{extract.__name__} {stretch}")
    try:
        done = extract({"p.py": text}, stretch, "fresh")
    except (Refused, InvalidInput):
        return
    note(done.texts["p.py"])
    assert outcome(done.texts["p.py"]) == outcome(text)


@EXAMPLES
@given(programs(), st.data())
def test_what_is_inlined_does_what_it_did(text: str, data: st.DataObject) -> None:
    nodes = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in NAMES
    ]
    node = data.draw(st.sampled_from(nodes))
    spot = Spot("p.py", node.lineno, node.col_offset + 1)
    note(f"{text}\n{spot}")
    try:
        done = inline_variable({"p.py": text}, spot)
    except (Refused, InvalidInput):
        return
    note(done.texts["p.py"])
    assert outcome(done.texts["p.py"]) == outcome(text)


@pytest.mark.parametrize(
    "text", ["x = (\n", "x" * 10 + "=" + "(" * 5_000 + ")" * 5_000, "x = " + "-" * 100_000 + "1\n"]
)
def test_what_does_not_parse_or_is_nested_too_deeply_is_refused(text: str) -> None:
    from rubber_duck.errors import DuckError  # noqa: PLC0415  # only here

    with pytest.raises(DuckError):
        rename({"p.py": text}, Spot("p.py", 1, 1), "y")
