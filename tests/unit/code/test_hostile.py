"""Input that was written to break a parser: every language, nothing but LimitExceeded, and soon."""

from __future__ import annotations

import contextlib
import inspect
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.code import parse as parsing
from rubber_duck.code.code import TextEdit, detect, open_source, reparse
from rubber_duck.code.codec import decode, encode
from rubber_duck.code.extract import extract
from rubber_duck.code.outline import outline, render
from rubber_duck.code.parse import parse
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.errors import LimitExceeded
from tests.unit.code.samples import SAMPLES

DEEP = {
    "brackets": b"(" * 100_000,
    "closed brackets": b"[" * 50_000 + b"]" * 50_000,
    "braces": b"{" * 100_000,
    "a long sum": b"x = a" + b" + a" * 20_000,
    "a long chain": b"a" + b".b()" * 20_000,
    "operators": b"-" * 100_000 + b"1",
    "interpolation": b'f"{' * 10_000,
    "templates": b"`${" * 10_000,
    "Elixir interpolation": b'"#{' * 10_000,
    "blocks": b"def f do " * 10_000,
    "functions": b"a=>" * 20_000,
    "elements": b"<a>" * 20_000,
    "generics": b"a<" * 20_000,
}
ODD = {
    "quotes": b'"' * 50_001,
    "NUL bytes": b"\x00" * 50_000,
    "NUL bytes in code": b"def f():\n\x00 x\x00\n" * 2_000,
    "lone surrogates": b'x = "\xed\xa0\x80"\n' * 2_000,
    "many names on one line that is not ASCII": b"x = [" + "é, ".encode() * 100_000 + b"]",
    "white space in a docstring": b'def f():\n    """a' + b" " * 400_000 + b'b"""\n',
    "definitions far from a comment": b"/** a */;" + b"function f(){}\n" * 20_000,
    "noise": random.Random(1).randbytes(50_000),
    "one long name": b"a" * 500_000,
    "line ends": b"\r\n\r\n\n\r" * 20_000,
    "two tokens in one word": "x = é»ü\u2028ñ.é «ö» \n".encode() * 500,
    "separators of Unicode": "x = 1\u2028y = 2\x0c\x85\n".encode() * 1_000,
    "a byte order mark alone": b"\xef\xbb\xbf",
    "nothing": b"",
    "half a character": "é".encode()[:1],
}


def opened(path: str, content: bytes) -> SourceFile:
    language = detect(path, None)
    assert language is not None
    return open_source(path, content, language)


def examined(path: str, content: bytes) -> None:
    """Everything this slice does with a file."""
    file = opened(path, content)
    found = extract(file)
    assert decode(encode(found)) == found
    render(outline(found))
    for reference in found.references:
        assert reference.line >= 1
        assert reference.column >= 1
    for symbol in found.symbols:
        assert symbol.parent is None or found.symbols[symbol.parent].start_byte <= symbol.start_byte
        assert 1 <= symbol.start_line <= symbol.line <= symbol.end_line <= len(file.line_starts)
        assert symbol.start_byte <= symbol.end_byte <= len(file.content)


@pytest.mark.parametrize("path", SAMPLES)
@pytest.mark.parametrize("case", [*DEEP, *ODD])
def test_hostile_input_is_read_or_refused_by_a_limit(path: str, case: str) -> None:
    with contextlib.suppress(LimitExceeded):  # either is right; any other error is not
        examined(path, (DEEP | ODD)[case])


@pytest.mark.parametrize("path", SAMPLES)
def test_a_hundred_thousand_brackets_are_refused(path: str) -> None:
    with pytest.raises(LimitExceeded):
        examined(path, b"x = " + b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize("path", SAMPLES)
def test_a_file_cut_off_anywhere_is_read(path: str) -> None:
    content = SAMPLES[path].encode()
    for length in range(0, len(content), 7):
        examined(path, content[:length])


@pytest.mark.parametrize("path", SAMPLES)
def test_a_healthy_sample_has_no_problem(path: str) -> None:
    assert opened(path, SAMPLES[path].encode()).problems == ()


@settings(max_examples=60, deadline=None)
@given(path=st.sampled_from(sorted(SAMPLES)), data=st.data())
def test_mutated_code_raises_nothing(path: str, data: st.DataObject) -> None:
    content = bytearray(SAMPLES[path].encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 12))
        content[at : at + length] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"(", b'"', b"do ", b"{", b"\n"])
        )
    examined(path, bytes(content))


@settings(max_examples=60, deadline=None)
@given(path=st.sampled_from(sorted(SAMPLES)), text=st.text(alphabet="aé(){}[]<>=:;,.'\"`#@|&\\\n do", max_size=80))
def test_text_of_any_shape_raises_nothing(path: str, text: str) -> None:
    examined(path, text.encode())


@settings(max_examples=80, deadline=None)
@given(path=st.sampled_from(sorted(SAMPLES)), data=st.data())
def test_an_incremental_parse_equals_a_fresh_one(path: str, data: st.DataObject) -> None:
    file = opened(path, SAMPLES[path].encode())
    edits: list[TextEdit] = []
    size = len(file.content)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, size))
        end = data.draw(st.integers(start, min(size, start + 20)))
        text = data.draw(st.sampled_from([b"", b"x", b"\n", b"(", b"a = 1\n", b"  ", b'"', b"end", b"# c\n"]))
        edits.append(TextEdit(start, end, text))
        size += len(text) - (end - start)
    again = reparse(file, edits)
    fresh = opened(path, again.content)
    assert shape(again.tree.root_node) == shape(fresh.tree.root_node)
    assert again.problems == fresh.problems


def shape(root: Node) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    stack = [root]
    while stack:
        node = stack.pop()
        found.append((node.type, node.start_byte, node.end_byte))
        stack.extend(node.children)
    return found


def test_a_parse_that_takes_too_long_is_stopped_and_leaves_the_parser_usable() -> None:
    ticks = iter(range(10_000_000))
    with pytest.raises(LimitExceeded, match="too long"):
        parse(b"x = 1\n" * 50_000, "python", "python", timeout_s=3, clock=lambda: float(next(ticks)))
    assert parse(b"y = 2\n", "python", "python").tree.root_node.end_byte == 6


def test_the_time_that_others_have_the_processor_for_is_not_counted() -> None:
    clocks = [inspect.signature(reader).parameters["clock"].default for reader in (parse, parsing.reparse)]
    before_s = [clock() for clock in clocks]
    other = threading.Thread(target=lambda: [parse(b"x = 1\n" * 50_000, "python", "python") for _ in range(8)])
    other.start()
    other.join()
    assert [clock() - before < 0.1 for clock, before in zip(clocks, before_s, strict=True)] == [True, True]


def test_a_huge_line_is_read_or_refused_in_time() -> None:
    content = b"x = [" + b"1, " * 7_000_000 + b"]\n"
    with pytest.raises(LimitExceeded, match="too long"):
        open_source("a.py", content, "python", timeout_s=0.2)
