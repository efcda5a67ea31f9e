"""What the disposable cache knows: which content a file had when last seen, and what was found in that content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from rubber_duck.analysis.file_analysis import FileAnalysis, decode, encode
from rubber_duck.storage.cache import Cache
from rubber_duck.workspace.scan import ScannedFile

_SIGHTINGS: Final = "sightings"
_ANALYSES: Final = "analyses"
_FACTS: Final = "facts"
_RUFF_RULES: Final = "ruff_rules"
_WHOLE: Final = "whole"

_RACY_NS: Final = 100_000_000
"""A file changed this shortly before it was seen may change again within the clock's tick: it is read again."""


class Sighting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file as it was seen: if nothing of this changed, neither did its content."""

    size_bytes: int
    mtime_ns: int
    inode: int
    ctime_ns: int
    seen_ns: int
    content_hash: str

    def still_holds(self, file: ScannedFile) -> bool:
        """Whether `file` is certainly what was seen."""
        same = (self.size_bytes, self.mtime_ns, self.inode, self.ctime_ns) == (
            file.size_bytes,
            file.mtime_ns,
            file.inode,
            file.ctime_ns,
        )
        return same and self.ctime_ns < self.seen_ns - _RACY_NS

    @classmethod
    def of(cls, file: ScannedFile, content_hash: str, seen_ns: int) -> Sighting:
        """`file` had that content; `seen_ns` is when the scan began, in nanoseconds since 1970."""
        return cls(file.size_bytes, file.mtime_ns, file.inode, file.ctime_ns, seen_ns, content_hash)


_sightings: Final = msgspec.msgpack.Decoder(dict[bytes, Sighting])


class Known:
    """The cache as the analysis uses it. Everything in it can be made again."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def sightings(self, root: str) -> dict[bytes, Sighting]:
        """What was seen below `root`, by file system path."""
        key = _digest(os.fsencode(root))
        held = self._cache.get_many(_SIGHTINGS, [key]).get(key)
        if held is None:
            return {}
        try:
            return _sightings.decode(held)
        except msgspec.MsgspecError:
            return {}

    def keep_sightings(self, root: str, sightings: Mapping[bytes, Sighting]) -> None:
        """Replace what is known below `root`."""
        self._cache.put_many(_SIGHTINGS, {_digest(os.fsencode(root)): msgspec.msgpack.encode(sightings)})

    def analyses(self, keys: Sequence[bytes]) -> dict[bytes, FileAnalysis]:
        """The analyses that are there, by key."""
        found = {key: decode(value) for key, value in self._cache.get_many(_ANALYSES, keys).items()}
        return {key: value for key, value in found.items() if value is not None}

    def keep_analyses(self, analyses: Mapping[bytes, FileAnalysis]) -> None:
        """Keep analyses by key."""
        self._cache.put_many(_ANALYSES, {key: encode(value) for key, value in analyses.items()})

    def facts(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The facts that are there, by key, as `code.codec` writes them."""
        return self._cache.get_many(_FACTS, keys)

    def worked_out(self, root: str, state: bytes, kind: str, make: Callable[[], bytes]) -> bytes:
        """What `make` gives for all files below `root` together, kept while they are in that state, a digest."""
        key = _digest(os.fsencode(root) + b"\0" + kind.encode())
        held = self._cache.get_many(_WHOLE, [key]).get(key, b"")
        if held.startswith(state):
            return held[len(state) :]
        made = make()
        self._cache.put_many(_WHOLE, {key: state + made})
        return made

    def keep_facts(self, facts: Mapping[bytes, bytes]) -> None:
        """Keep facts by key."""
        self._cache.put_many(_FACTS, facts)

    def prune(self, max_bytes: int) -> None:
        """Let go of the least recently used until the cache is no larger."""
        self._cache.prune(max_bytes)

    def ruff_rules(self, identity: str) -> bytes | None:
        """What the ruff of that identity said of its rules, as JSON."""
        key = _digest(identity.encode())
        return self._cache.get_many(_RUFF_RULES, [key]).get(key)

    def keep_ruff_rules(self, identity: str, rules: bytes) -> None:
        """Keep it."""
        self._cache.put_many(_RUFF_RULES, {_digest(identity.encode()): rules})


def analysis_key(version: str, path: str, content_hash: str) -> bytes:
    """The key of an analysis. The path is part of it: what ruff says depends on names such as `__init__.py`."""
    return _digest(b"\0".join((version.encode(), os.fsencode(path), content_hash.encode())))


def facts_key(program: str, path: str, content_hash: str) -> bytes:
    """The key of a file's facts; the suffix of the path decides the dialect."""
    suffix = os.path.splitext(path)[1]
    return _digest(b"\0".join((program.encode(), os.fsencode(suffix), content_hash.encode())))


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
