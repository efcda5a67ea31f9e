"""What search is measured beside: ripgrep, which has no index, tantivy and bm25s, over files with identifiers split."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TOKEN = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to compare with: what it can be asked, how often at the most, how long its index took to build."""

    name: str
    kinds: tuple[str, ...]
    build_s: float
    asked: Callable[[str], Awaitable[int]]
    update: Callable[[], None] | None = None
    most: int = 1_000


def peers(files: Sequence[Path], folder: Path) -> list[Peer]:
    """Those that are installed; the others are named."""
    texts = [(str(path), split(path.read_text(errors="replace"))) for path in files]
    found = [make(texts, folder) for make in (_ripgrep, _tantivy, _bm25s)]
    return [peer for peer in found if peer is not None]


def split(text: str) -> str:
    """The text with every identifier as it is and by its parts."""
    words: list[str] = []
    for token in _TOKEN.findall(text):
        parts = _PART.findall(token)
        words += [token, *parts] if len(parts) > 1 else [token]
    return " ".join(words).lower()


def _ripgrep(texts: Sequence[tuple[str, str]], folder: Path) -> Peer | None:
    program = shutil.which("rg")
    if program is None:
        print("ripgrep is not installed: not compared")
        return None

    async def asked(query: str) -> int:
        argv = (program, "--count-matches", "--type", "py", "--", query, str(folder))
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        return len((await process.communicate())[0].splitlines())

    return Peer("ripgrep", ("identifier", "regular expression"), 0.0, asked, most=20)


def _tantivy(texts: Sequence[tuple[str, str]], folder: Path) -> Peer | None:
    try:
        import tantivy  # noqa: PLC0415  # a tool of benchmarks
    except ImportError:
        print("tantivy is not installed: not compared")
        return None
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("path", stored=True, tokenizer_name="raw")
    builder.add_text_field("text", tokenizer_name="whitespace")
    index = tantivy.Index(builder.build())
    started = time.perf_counter()
    writer = index.writer(num_threads=2)
    for path, text in texts:
        writer.add_document(tantivy.Document(path=path, text=text))
    writer.commit()
    index.reload()
    build_s = time.perf_counter() - started

    async def asked(query: str) -> int:
        words = split(query).replace('"', "")
        return len(index.searcher().search(index.parse_query(words, ["text"]), 10).hits)

    def update() -> None:
        path, text = texts[len(texts) // 2]
        writer.delete_documents("path", path)
        writer.add_document(tantivy.Document(path=path, text=text))
        writer.commit()
        index.reload()

    return Peer("tantivy", ("words", "identifier"), build_s, asked, update)


def _bm25s(texts: Sequence[tuple[str, str]], folder: Path) -> Peer | None:
    try:
        import bm25s  # noqa: PLC0415  # a tool of benchmarks
    except ImportError:
        print("bm25s is not installed: not compared")
        return None
    corpus = [text.split() for _, text in texts]
    model = bm25s.BM25()

    def build() -> None:
        model.index(corpus, show_progress=False)

    started = time.perf_counter()
    build()
    build_s = time.perf_counter() - started

    async def asked(query: str) -> int:
        found, _ = model.retrieve([split(query).split()], k=10, show_progress=False)
        return int(found.shape[1])

    return Peer("bm25s", ("words", "identifier"), build_s, asked, build)
