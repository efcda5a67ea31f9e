"""A call graph comes back from its bytes as it was."""

from __future__ import annotations

import pytest

from rubber_duck.code.call_codec import decode, encode
from rubber_duck.code.calls import call_graph
from rubber_duck.code.code import detect, open_source
from rubber_duck.code.edges import CallGraph
from rubber_duck.code.extract import extract
from rubber_duck.code.graph import GraphFile
from rubber_duck.errors import InvalidInput

TEXT = """
TABLE = {"a": quack}


def quack(loud):
    if loud:
        raise ValueError
    return loud and dive()


def dive():
    return 1


class Duck:
    def dive(self):
        return self.go.dive()
"""


def graph() -> CallGraph:
    files = {}
    for path in ("pond/duck.py", "pond/caf\udce9.py"):
        language = detect(path, None)
        assert language is not None
        files[path] = GraphFile(language, extract(open_source(path, TEXT.encode(), language)))
    return call_graph(files, dict.fromkeys(files, TEXT))


def test_definitions_and_edges_come_back_as_they_were() -> None:
    was = graph()
    found = decode(encode(was))
    assert (found.definitions, list(found.edges), found.numbers) == (was.definitions, list(was.edges), was.numbers)
    assert len(found.edges) == 6


@pytest.mark.parametrize("content", [b"", b"\x02quack", b"\x01quack", encode(graph())[:-40]])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(content)
