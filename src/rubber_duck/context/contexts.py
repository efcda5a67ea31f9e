"""Keeps what was built: it is told again as long as nothing of the project, the ask or the reader has changed."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from rubber_duck import telemetry
from rubber_duck.analysis.extraction import Facts
from rubber_duck.code.codec import decode
from rubber_duck.code.graph import GraphFile, resolve
from rubber_duck.code.symbols import FileSymbols
from rubber_duck.context.context import Context, build
from rubber_duck.context.kept import open_kept, space_of
from rubber_duck.context.packing import render
from rubber_duck.context.picture import Picture
from rubber_duck.context.sources import Ask, Sources
from rubber_duck.context.strategy import strategies
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Right, Scope
from rubber_duck.search.hits import Hit
from rubber_duck.settings import IndexSettings, Settings
from rubber_duck.storage.cache import Cache
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.stamp import Stamp

MOST_PICTURES: Final = 2
MOST_CONTEXTS: Final = 64
"""How many projects, and how many contexts of all of them, are kept in memory."""

_MOST_READ: Final = 100

HISTORY_NS: Final = 300 * 1_000_000_000
"""So long the history is not asked again."""

_STAMP: Final = b"stamp"
_PACKAGES: Final = ("rubber_duck.context", "rubber_duck.search", "rubber_duck.code")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_decoder: Final = msgspec.msgpack.Decoder(Context)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told of which project, and what belongs to it. The scope is narrowed to that project."""

    scope: Scope
    root: Root
    index: IndexSettings

    @property
    def space(self) -> str:
        """The space of the disposable cache that holds what was told of this project."""
        return space_of(self.scope)

    @property
    def key(self) -> bytes:
        """What no two readers share who may be told different things. Raises InvalidInput without a project."""
        rights = " ".join(sorted(self.scope.rights))
        who = (_program(), self.scope.actor.id, rights, self.space, os.fsencode(self.root.path).hex())
        return _digest(msgspec.msgpack.encode((who, self.index)))


@dataclass(frozen=True, slots=True)
class Access:
    """The ways to a project's facts and to its index; used only when something must be built.

    `read` gets path → content hash of what is known already. `find` gets a question and the most hits to give.
    `changed_at` tells when the history says that files were changed, in nanoseconds since 1970; of a fresh clone the
    file system does not know. What is found in an index that may be behind (`is_current` is false) is not kept.
    """

    read: Callable[[Mapping[str, str]], Awaitable[Facts]]
    find: Callable[[str, int], Awaitable[Sequence[Hit]]]
    changed_at: Callable[[], Awaitable[Mapping[str, int]]]
    is_current: bool = True


@dataclass(slots=True)
class _Held:
    """What is known of a project; `hand` holds the lines of the files that were told of it lately."""

    stamp: Stamp
    hashes: Mapping[str, str]
    picture: Picture
    changed_at: Mapping[str, int]
    asked_ns: int
    hand: Sources | None = None


class Contexts:
    """Builds contexts and keeps them. Safe for tasks of one event loop.

    What is kept is found only by who asks, with the same rights, of the same project in the same folder, and only as
    long as every file of it looks as it did. `now_ns` is not asked: stamps carry the moment of their scan.
    """

    def __init__(self, kept: Cache) -> None:
        self._cache = kept
        self._pictures: OrderedDict[bytes, _Held] = OrderedDict()
        self._stamps: OrderedDict[bytes, Stamp] = OrderedDict()
        self._built: OrderedDict[bytes, Context] = OrderedDict()
        self._locks: OrderedDict[bytes, asyncio.Lock] = OrderedDict()

    async def build(self, reader: Reader, ask: Ask, access: Access, *, strategy: str = "") -> Context:
        """The context for `ask`, built only when it is not known. Raises as `context.build`, and Denied."""
        reader.scope.require(Right.FILE_READ)
        key = await asyncio.to_thread(lambda: reader.key)  # the first time it reads this program
        async with self._locks.setdefault(key, asyncio.Lock()):
            stamp = await asyncio.to_thread(self._standing, reader, key)
            if stamp is not None:
                known = self._known(reader, _answer_key(key, stamp, ask, strategy))
                if known is not None:
                    telemetry.count("context.cache_hits")
                    return replace(known, is_cached=True)
            held = self._pictures.get(key)
            if held is None or held.stamp is not stamp:
                held = await self._pictured(reader, key, access)
            with telemetry.span("context.build"):
                sources = Sources(reader.root, held.picture, access.find)
                built = await build(ask, sources, strategy=strategy)
            if access.is_current:
                self._keep(reader, _answer_key(key, held.stamp, ask, strategy), held.stamp, built)
        return built

    async def at_hand(self, reader: Reader, ask: Ask, *, strategy: str) -> Context | None:
        """What can be told without looking at the project again: for a place, from what is known of it in memory.

        None when nothing is. Nothing of files that have changed since is told; a file that came since is not known.
        Raises as `context.build`, and Denied.
        """
        reader.scope.require(Right.FILE_READ)
        held = self._pictures.get(reader.key) if self._pictures else None
        if held is None:
            return None
        key = _answer_key(reader.key, held.stamp, ask, f"{strategy}, at hand")
        built = self._built.get(key)
        if built is None:
            if held.hand is None or held.hand.count > _MOST_READ:
                held.hand = Sources(reader.root, held.picture, _nothing)
            built = await build(ask, held.hand, strategy=strategy)
            _put(self._built, key, built, MOST_CONTEXTS)
        paths = {each.snippet.path for each in built.packed.chosen}
        same = await asyncio.to_thread(held.stamp.unchanged, reader.root, paths)
        chosen = tuple(each for each in built.packed.chosen if each.snippet.path in same)
        return replace(built, packed=replace(built.packed, chosen=chosen, text=render(chosen)))

    def _standing(self, reader: Reader, key: bytes) -> Stamp | None:
        """The stamp of the project as it is now, if it is known; None when something may have changed."""
        stamp = self._stamps.get(key)
        if stamp is None:
            content = self._cache.get_many(reader.space, [_digest(_STAMP + key)]).get(_digest(_STAMP + key))
            try:
                stamp = Stamp.from_bytes(content) if content else None
            except InvalidInput:
                stamp = None
        if stamp is None or not stamp.still_holds(reader.root):
            return None
        _put(self._stamps, key, stamp, MOST_CONTEXTS)
        return stamp

    async def _pictured(self, reader: Reader, key: bytes, access: Access) -> _Held:
        """The picture of the project as it is now; what did not change is taken from the one before."""
        before = self._pictures.get(key)
        facts = await access.read(before.hashes if before is not None else {})
        if before is not None and facts.taken_ns - before.asked_ns < HISTORY_NS:
            changed_at, asked_ns = before.changed_at, before.asked_ns
        else:
            changed_at, asked_ns = await access.changed_at(), facts.taken_ns
        held = await asyncio.to_thread(_held, reader.root, facts, before, (changed_at, asked_ns))
        _put(self._pictures, key, held, MOST_PICTURES)
        _put(self._stamps, key, held.stamp, MOST_CONTEXTS)
        return held

    def _known(self, reader: Reader, key: bytes) -> Context | None:
        known = self._built.get(key)
        if known is None:
            content = self._cache.get_many(reader.space, [key]).get(key)
            try:
                known = _decoder.decode(content) if content else None
            except msgspec.MsgspecError:
                return None
        if known is not None:
            _put(self._built, key, known, MOST_CONTEXTS)
        return known

    def _keep(self, reader: Reader, key: bytes, stamp: Stamp, built: Context) -> None:
        if not stamp.is_settled:
            return
        _put(self._built, key, built, MOST_CONTEXTS)
        try:
            content = msgspec.msgpack.encode(built)
        except UnicodeEncodeError:  # a path that is no UTF-8: kept in memory only
            return
        self._cache.put_many(reader.space, {key: content, _digest(_STAMP + reader.key): stamp.to_bytes()})


@asynccontextmanager
async def open_contexts(settings: Settings) -> AsyncIterator[Contexts]:
    """Contexts with their cache in the home folder."""
    kept = open_kept(settings)
    try:
        yield Contexts(kept)
    finally:
        kept.close()


async def _nothing(question: str, most: int) -> Sequence[Hit]:
    """No search: it would look at the project."""
    return ()


def _held(root: Root, facts: Facts, before: _Held | None, history: tuple[Mapping[str, int], int]) -> _Held:
    changed_at, asked_ns = history
    saved_since = {file.path for file in facts.scan.files if file.mtime_ns > asked_ns}
    lasting = {path: at for path, at in changed_at.items() if path not in saved_since}
    picture = picture_of(facts, {} if before is None else before.picture.facts, lasting)
    return _Held(Stamp.of(root, facts.scan, facts.taken_ns), facts.hashes, picture, lasting, asked_ns)


def picture_of(
    facts: Facts,
    held: Mapping[str, FileSymbols] = MappingProxyType({}),
    changed_at: Mapping[str, int] = MappingProxyType({}),
) -> Picture:
    """The picture of a project from what was read of it; `held` are the facts that were known and so not read again.

    `changed_at` knows better than the file system when files were changed, in nanoseconds since 1970.
    """
    symbols = {path: held[path] for path in facts.held if path in held}
    symbols |= {path: decode(content) for path, content in facts.facts.items()}
    languages = {file.path: file.language or "" for file in facts.scan.files}
    graph = resolve({path: GraphFile(languages[path], found) for path, found in symbols.items()})
    imports: dict[str, list[str]] = {}
    for edge in graph.edges:
        imports.setdefault(edge.source, []).append(edge.target)
    changed_ns = {file.path: changed_at.get(file.path, file.mtime_ns) for file in facts.scan.files}
    return Picture(symbols, imports, changed_ns, facts.scan.left_out)


def _answer_key(key: bytes, stamp: Stamp, ask: Ask, strategy: str) -> bytes:
    return _digest(msgspec.msgpack.encode((key, stamp.digest, _safe(ask), strategy)))


def _safe(ask: Ask) -> tuple[object, ...]:
    path, query = (os.fsencode(ask.path), ask.query.encode("utf-8", "surrogatepass"))
    return path, query, ask.line, ask.column, ask.budget_tokens, ask.before_tokens, ask.after_tokens, ask.is_alone


@cache
def _program() -> str:
    """A digest of the source of what decides what is told: these packages, and strategies of other distributions."""
    digest = hashlib.blake2b(digest_size=16)
    for package in _PACKAGES:
        found = importlib.util.find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(path.read_bytes())
    for strategy in strategies.discover().values():
        if not strategy.__module__.startswith(_PACKAGES):
            origin = getattr(importlib.util.find_spec(strategy.__module__), "origin", None)
            digest.update(Path(origin).read_bytes() if origin else strategy.__qualname__.encode())
    return digest.hexdigest()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _put(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
