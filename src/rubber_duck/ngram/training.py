"""Makes a project's model from its files, in one pass over their text."""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final
from zlib import crc32

import numpy as np

from rubber_duck.ngram.index import ContextIndex
from rubber_duck.ngram.lexicon import Lexicon
from rubber_duck.ngram.mixer import Mixer, mixer
from rubber_duck.ngram.model import UNSEEN, FileEntry, ProjectModel, Sighting
from rubber_duck.ngram.relations import Relations
from rubber_duck.ngram.spacing import SAMPLE_BYTES, Spacing
from rubber_duck.ngram.vocabulary import START, Ids, Reader, compact, layout

_EVERY: Final = 8
_AT_FIRST: Final = 50_000

Relate = Callable[[str, bytes, Callable[[str], int | None]], Relations]
"""What the symbols of (path, content) say, in the numbers that the function gives names."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file to learn from."""

    path: str
    content_hash: str
    content: bytes
    sighting: Sighting = UNSEEN


def train(
    lexicon: Lexicon, sources: Iterable[SourceText], relate: Relate, *, using: Mixer | None = None
) -> ProjectModel:
    """The model of `sources`, which are read one after the other and not kept."""
    reader = Reader(lexicon)
    texts: list[Ids] = []
    known: list[tuple[SourceText, Relations]] = []
    sample: list[str] = []
    sampled = 0
    for source in sources:
        text = decoded(source.content)
        texts.append(reader.read(text))
        is_chosen = sampled < _AT_FIRST or crc32(source.path.encode("utf-8", "replace")) % _EVERY == 0
        if is_chosen and sampled < SAMPLE_BYTES:
            sample.append(text)
            sampled += len(text)
        known.append((replace(source, content=b""), relate(source.path, source.content, reader.number)))
    vocabulary, numbers = compact(reader, texts)
    del reader
    entries: list[FileEntry] = []
    at = 0
    for position, (source, triples) in enumerate(known):
        raw = texts[position]
        raw = np.where(raw > 0, numbers[np.maximum(raw, 0)], raw)
        texts[position] = np.concatenate((np.array([START], np.int32), layout(raw, lexicon.indent)[0]))
        end = at + len(texts[position])
        relations = renumbered(triples, numbers)
        entries.append(FileEntry(source.path, source.content_hash, at, end, relations, source.sighting))
        at = end
    tokens = np.concatenate(texts) if texts else np.array([START], np.int32)
    texts.clear()
    spacing = Spacing.learned(lexicon, sample)
    model = ProjectModel(vocabulary, using or mixer(), spacing, entries, ContextIndex(tokens))
    _give_back()
    return model


def _give_back() -> None:
    """Give the system the memory that only training took: glibc would keep it (malloc_trim, GNU C library manual)."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def renumbered(triples: Relations, numbers: Ids) -> Relations:
    """The relations with other numbers for their names."""
    found = np.array(triples, np.int32).reshape(-1, 3)
    found[:, 1:] = numbers[found[:, 1:]]
    return array("i", found.tobytes())


def decoded(content: bytes) -> str:
    """A file's text, with the end of line that ends a file."""
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    return text if text.endswith("\n") else text + "\n"
