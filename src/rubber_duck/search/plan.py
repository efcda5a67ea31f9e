"""What indexing has to do: the files of a scan beside those of the index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.language import languages
from rubber_duck.search.index import KnownFile
from rubber_duck.search.kinds import is_lock, text_language
from rubber_duck.workspace.scan import Scan, ScannedFile

_DECIDING: Final = frozenset({".gitignore", ".duckignore", "duck.toml"})

NO_KNOWN_KIND: Final = "of_no_known_kind"
"""Why a file is not indexed whose name does not tell that it is a text which people write and search."""

LOCK_FILES: Final = "lock_files"
"""Why a file is not indexed in which a program has written down versions."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A file to read. `known` is what the index has of its path."""

    file: ScannedFile
    language: str
    known: KnownFile | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`left_out` counts what is not indexed, by reason. `unchanged` are files of which nothing changed, not even the
    time of their last change."""

    pending: tuple[Pending, ...]
    removed: tuple[KnownFile, ...]
    unchanged: int
    left_out: dict[str, int]


RETRY_NS: Final = 600 * 10**9
"""A file that could not be read at all is tried again after this long, although nothing of it has changed."""


def unindexed(file: ScannedFile, *, with_text: bool) -> str:
    """Why a file of the project is not indexed; empty for one that is."""
    if file.language or (with_text and text_language(file.path)):
        return ""
    return LOCK_FILES if is_lock(file.path) else NO_KNOWN_KIND


def plan(scan: Scan, known: Sequence[KnownFile], now_ns: int, *, with_text: bool) -> Plan:
    """Compare, at `now_ns` since 1970. Without `with_text` only languages that have a grammar are indexed."""
    by_path = {file.path: file for file in known}
    pending: list[Pending] = []
    left_out = Counter({str(reason): count for reason, count in scan.left_out_counts().items()})
    unchanged = 0
    for file in scan.files:
        language = file.language or (text_language(file.path) if with_text else None)
        if language is None:
            left_out[unindexed(file, with_text=with_text)] += 1
            continue
        held = by_path.pop(file.path, None)
        is_same = held is not None and held.language == language and held.sighting.still_holds(file)
        if is_same and held is not None and (held.content_hash or now_ns - held.sighting.seen_ns < RETRY_NS):
            unchanged += 1
        else:
            pending.append(Pending(file, language, held))
    return Plan(tuple(pending), tuple(by_path.values()), unchanged, dict(left_out))


def has_grammar(language: str) -> bool:
    """Whether files of the language are parsed."""
    return language in languages.discover()


def decides_on_files(path: str) -> bool:
    """Whether what stands in the file decides which other files belong to the project."""
    return path.rpartition("/")[2] in _DECIDING
