"""What a worker process does with one file of a project: read it, cut it into chunks, count their words."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from rubber_duck import fault
from rubber_duck.code.code import open_source
from rubber_duck.code.decoding import decode
from rubber_duck.code.extract import extractor
from rubber_duck.code.grammar import Grammar, grammar
from rubber_duck.code.language import language as language_called
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.code.symbols import FileSymbols
from rubber_duck.code.walk import Visit, merge, table, walk
from rubber_duck.errors import DuckError, LimitExceeded
from rubber_duck.search.chunk import MAX_CHUNKS, Chunk
from rubber_duck.search.definitions import cut_code
from rubber_duck.search.draft import draft
from rubber_duck.search.fields import count_words
from rubber_duck.search.kinds import is_generated, is_prose
from rubber_duck.search.windows import cut_prose, cut_text
from rubber_duck.search.words import Words, counted
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import looks_binary

TASK: Final = "rubber_duck.search.worker:open_task"

Spans = Sequence[tuple[int, int]]


class IndexItem(msgspec.Struct, frozen=True, array_like=True):
    """One file to index: the root and the path as file system bytes, and its language.

    `has_grammar` says whether it is one that `code` parses.
    """

    root: bytes
    path: bytes
    language: str
    has_grammar: bool
    limit_bytes: int


class IndexedFile(msgspec.Struct, frozen=True, array_like=True):
    """What became of it. `problem` says why nothing, or not all, is indexed; the draft is empty then, or coarse."""

    content_hash: str
    size_bytes: int
    problem: str
    is_generated: bool
    vocabulary: tuple[str, ...]
    content: bytes


item_encoder: Final = msgspec.msgpack.Encoder()
result_decoder: Final = msgspec.msgpack.Decoder(IndexedFile)
_item_decoder: Final = msgspec.msgpack.Decoder(IndexItem)
_words: Final = Words()
_desks = threading.local()


def open_task(initial: bytes) -> Callable[[bytes], bytes]:
    """The function that a worker calls for each item."""
    del initial
    fault.arm_from_environment()

    def task(encoded: bytes) -> bytes:
        return item_encoder.encode(index_item(_item_decoder.decode(encoded)))

    return task


def index_item(item: IndexItem) -> IndexedFile:
    """Read one file and cut it; what keeps it from being read becomes its problem."""
    fault.point("search.worker")
    path = os.fsdecode(item.path)
    try:
        content = _root(item.root).open_bytes(path, item.limit_bytes)
    except DuckError as error:
        return IndexedFile("", 0, error.message, False, (), b"")
    content_hash = hashlib.blake2b(content, digest_size=16).hexdigest()
    if looks_binary(content):
        return IndexedFile(content_hash, len(content), "it is not text: it holds NUL bytes", False, (), b"")
    text, chunks, prose, problem = _cut(path, content, item)
    if len(chunks) > MAX_CHUNKS:
        problem = f"it has {len(chunks):,} pieces, of which the first {MAX_CHUNKS:,} are found"
        chunks = chunks[:MAX_CHUNKS]
    counts = [count_words(text, chunk, prose, _words) for chunk in chunks]
    if counts:  # so that a file is also found by the words of its path, wherever else they stand
        counts[0].codes.update((word, 0) for word in counted(path, _words) if word not in counts[0].codes)
    written = draft(chunks, counts)
    generated = is_generated(path, content)
    return IndexedFile(content_hash, len(content), problem, generated, written.vocabulary, written.content)


def _cut(path: str, content: bytes, item: IndexItem) -> tuple[bytes, list[Chunk], Spans, str]:
    """The text as UTF-8, its chunks, its spans of prose, and what went wrong."""
    if not item.has_grammar:
        text = decode(content, item.language).content
        return text, cut_prose(text) if is_prose(item.language) else cut_text(text), (), ""
    try:
        file = open_source(path, content, item.language)
        found, prose = _desk(file.grammar.language, file.dialect).walk(file)
    except LimitExceeded as error:
        text = decode(content, language_called(item.language).family).content
        return text, cut_text(text), (), f"cut without looking at its syntax: {error.message}"
    return file.content, cut_code(file, found, prose), prose, ""


class _Desk:
    """The tables for one dialect: those of its symbols and those of its prose, for one walk."""

    def __init__(self, of: Grammar) -> None:
        self._extractor = extractor(of.language, of.dialect)
        self._content = b""
        self._prose: list[tuple[int, int]] = []
        patterns = language_called(of.language).prose
        visits = [(kind, self._visit(pattern)) for kind, pattern in patterns.items()]
        self._enter = merge(self._extractor.enter, table(of, visits))

    def walk(self, file: SourceFile) -> tuple[FileSymbols, Spans]:
        """The symbols of `file`, and where its comments and documentation stand."""
        self._prose = []
        self._content = file.content
        self._extractor.begin(file)
        walk(file, self._enter, self._extractor.leave)
        return self._extractor.finish(), self._prose

    def _visit(self, pattern: bytes) -> Visit:
        matches = re.compile(pattern).match

        def visit(node: Node) -> None:
            span = node.start_byte, node.end_byte
            if matches(self._content[span[0] : span[1]]) and not (self._prose and self._prose[-1][1] > span[0]):
                self._prose.append(span)

        return visit


def _desk(language: str, dialect: str) -> _Desk:
    """The thread's own desk: two files may not lie on one at the same time."""
    held: dict[str, _Desk] | None = getattr(_desks, "held", None)
    if held is None:
        held = _desks.held = {}
    if dialect not in held:
        held[dialect] = _Desk(grammar(language, dialect))
    return held[dialect]


@lru_cache(maxsize=8)
def _root(path: bytes) -> Root:
    return Root(os.fsdecode(path))
