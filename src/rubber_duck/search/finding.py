"""One search: asks the index what can be a hit, in order, reads those files, and stops when there are enough hits."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from rubber_duck.code.language import languages
from rubber_duck.errors import DuckError, NotFound
from rubber_duck.scope import Scope
from rubber_duck.search import store
from rubber_duck.search.chunk import MAX_CHUNKS
from rubber_duck.search.conditions import allowed, declaring_files, is_symbol
from rubber_duck.search.draft import FORMAT
from rubber_duck.search.hits import Found, Hit
from rubber_duck.search.index import IndexState
from rubber_duck.search.meaning import Ask, Embedder, meaning_of
from rubber_duck.search.patterns import Matcher
from rubber_duck.search.precedence import MOST_FILES, MOST_GATHERED, Precedence
from rubber_duck.search.query import Filter, Phrase, Query
from rubber_duck.search.ranking import CANDIDATES, Ranked, choose, fused, in_place, rank
from rubber_duck.search.reading import Texts, Wanted, phrase_pattern
from rubber_duck.search.reasons import reasons, unseen
from rubber_duck.search.record import EMPTY, chunk_numbers
from rubber_duck.search.shelf import FIRST_RANGE, LAST_RANGE, Asked, Loaded, Range, Reader, Shelf
from rubber_duck.search.stem import stem
from rubber_duck.search.terms import EVERYWHERE, Terms, find_terms, is_identifier
from rubber_duck.search.words import TOKEN, folded_case, words_of
from rubber_duck.storage.database import Connection, Database
from rubber_duck.workspace.paths import Root

TIME_S: Final = 10.0
"""Seconds that a search may spend on reading files."""

NEAREST: Final = 100
"""Chunks that are taken from what an embeddings model finds near."""

FILES_AT_ONCE: Final = 64
"""Files whose chunks are asked from the index together, where it cannot say which chunks can be hits."""

_ABOUT_TESTS: Final = frozenset({"test", "spec", "mock", "fixtur", "stub", "assert"})
"""Stems of words that say that tests are meant."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much is found. `tests`: whether tests and generated files stand among the others (True), behind them (None),
    or nowhere (False). `limit_bytes`: larger files are not read."""

    limit: int = 10
    tests: bool | None = None
    with_lines: bool = True
    limit_bytes: int = 20_000_000


NOT_INDEXED: Final = "this project is not indexed yet; run: duck index FOLDER"

MOST_RANKED: Final = 1_000
"""Where no word of the query puts chunks in an order, more than this are looked at file by file."""


@dataclass(frozen=True, slots=True)
class _Selected:
    """What the index says: chunks in order, or, where it cannot tell chunks, the files to look into, in order."""

    terms: Terms
    ranked: Sequence[Ranked] = ()
    files: Sequence[int] | None = None
    refused: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sources:
    """What searches ask. `clock` gives seconds from any point."""

    database: Database
    shelf: Callable[[Scope, IndexState], Shelf]
    clock: Callable[[], float]
    embedder: Embedder | None = None


class Finding:
    """The state of one search."""

    def __init__(self, sources: Sources, scope: Scope, root: Root) -> None:
        self._sources = sources
        self._database = sources.database
        self._clock = sources.clock
        self._scope = scope
        self._root = root
        self._meaning: Asked | None = None
        self._hits: list[Hit] = []
        self._is_complete = True
        self._without_meaning = ""

    async def run(self, query: Query, options: Options) -> Found:
        """The hits; raises InvalidInput, UnknownName or NotFound."""
        deadline = self._clock() + TIME_S
        texts = Texts(self._root, options.limit_bytes)
        judge = _Judge(query, options, texts)
        ranges = _ranges(query, options)
        self._meaning = await self._meant(query)
        asked = await self._asked(query, ranges, options.limit)
        unknown = asked[0].terms.unknown
        if unknown and _has_only_words(query) and len(unknown) == len(query.words):
            inside = _as_phrases(query)  # they may be parts of words
            await self._look(_Judge(inside, options, texts), inside, ranges, deadline)
        if not self._hits:
            for selected in asked:
                await self._add(judge, selected, deadline)
            await self._look(judge, query, ranges[len(asked) :], deadline)
        return Found(tuple(self._hits), unseen(unknown, self._hits), self._is_complete, self._without_meaning)

    async def _meant(self, query: Query) -> Asked | None:
        """What the query means, if a model is there to be asked and it is a question rather than a name."""
        embedder = self._sources.embedder
        parts = {part for name in query.dotted for part in name}
        is_name = all(word.token in parts or is_identifier(word.token) for word in query.words)
        if embedder is None or len(query.words) < 2 or is_name:
            return None
        try:
            vector = await meaning_of(Ask(self._scope, embedder), " ".join(word.token for word in query.words))
        except DuckError as error:
            self._without_meaning = error.message
            return None
        return Asked(embedder.model, vector)

    async def _look(self, judge: _Judge, query: Query, ranges: Sequence[Range], deadline: float) -> None:
        for within in ranges:
            if len(self._hits) < judge.options.limit:
                for selected in await self._asked(query, [within], 0):
                    await self._add(judge, selected, deadline)

    async def _asked(self, query: Query, ranges: Sequence[Range], enough: int) -> list[_Selected]:
        """What the index says about the first range, and about the others as long as there is not `enough`."""
        return await self._database.run(partial(self._select, query=query, ranges=ranges, enough=enough), write=False)

    async def _add(self, judge: _Judge, selected: _Selected, deadline: float) -> None:
        """Add what is selected and holds, until there is enough; what no word ranks is then put in order."""
        before = len(self._hits)
        await self._gather(judge, selected, deadline)
        if judge.precedence is not None:
            fresh = sorted(self._hits[before:], key=judge.precedence.of_hit)
            self._hits[before:] = fresh[: max(0, judge.options.limit - before)]

    async def _gather(self, judge: _Judge, selected: _Selected, deadline: float) -> None:
        if selected.files is None:
            if judge.reads:
                await asyncio.to_thread(self._take, judge, selected.ranked, deadline)
            else:
                self._take(judge, selected.ranked, deadline)
            return
        for start in range(0, len(selected.files), FILES_AT_ONCE):
            numbers = selected.files[start : start + FILES_AT_ONCE]
            files = await self._database.run(partial(self._load, numbers=numbers), write=False)
            found = [each for number in numbers if (each := files.get(number)) is not None]
            await asyncio.to_thread(self._look_into, judge, found, selected.refused, deadline)
            has_looked = len(self._hits) >= judge.options.limit and start + FILES_AT_ONCE >= MOST_FILES
            if len(self._hits) >= judge.enough or has_looked or not self._is_complete:
                return

    def _take(self, judge: _Judge, ranked: Sequence[Ranked], deadline: float) -> None:
        if judge.precedence is not None:
            ranked = sorted(ranked, key=judge.precedence.of_chunk)
        for each in ranked:
            if len(self._hits) >= judge.enough or self._is_late(deadline):
                return
            hit = judge.hit(each)
            if hit is not None:
                self._hits.append(hit)

    def _look_into(self, judge: _Judge, files: Sequence[Loaded], refused: frozenset[int], deadline: float) -> None:
        for file in files:
            if len(self._hits) >= judge.enough or self._is_late(deadline):
                return
            numbers = chunk_numbers(file.number, file.record.slots).tolist()
            fit = [at for at in judge.chunks_of(file) if numbers[at] not in refused]
            self._take(judge, [Ranked(file, at) for at in fit], deadline)

    def _is_late(self, deadline: float) -> bool:
        if self._clock() > deadline:
            self._is_complete = False
        return not self._is_complete

    def _reader(self, connection: Connection) -> Reader:
        state = store.find_index(connection, self._scope)
        if state is None or state.format != FORMAT:
            raise NotFound(NOT_INDEXED)
        return self._sources.shelf(self._scope, state).reader(connection, state)

    def _load(self, connection: Connection, numbers: Sequence[int]) -> dict[int, Loaded]:
        return self._reader(connection).files(numbers)

    def _select(self, connection: Connection, query: Query, ranges: Sequence[Range], enough: int) -> list[_Selected]:
        reader = self._reader(connection)
        terms = find_terms(reader, query, reader.related()) if query.words else Terms(())
        is_little = sum(term.chunks for term in terms.asked) <= CANDIDATES
        if query.words and len(ranges) > 1 and is_little and self._meaning is None:
            everything = _selected(reader, query, terms, EVERYWHERE)  # so few that they are ranked at once
            in_order = sorted(everything.ranked, key=lambda each: each.file.is_last)
            return [_Selected(terms, in_order), *(_Selected(terms) for _ in ranges[1:])]
        if self._meaning is not None and not reader.has_vectors(self._meaning):
            known = store.embedded(connection, reader.state.number)
            self._without_meaning = known.problem or f"the index has no vectors of {self._meaning.model} yet"
        selected: list[_Selected] = []
        for within in ranges:
            near = [] if self._meaning is None else reader.nearest(self._meaning, NEAREST, within)
            selected.append(_selected(reader, query, terms, within, near))
            enough -= len(selected[-1].ranked)
            if enough <= 0 or selected[-1].files is not None:
                break
        return selected


def _selected(reader: Reader, query: Query, terms: Terms, within: Range, near: Sequence[int] = ()) -> _Selected:
    """What the index says about one range; `near` are the chunks that mean what was asked, nearest first."""
    where = allowed(reader, query, within)
    if query.words:
        chosen = choose(reader, terms, within, where)
        rest = EMPTY if where.chunks is None else np.setdiff1d(where.within(where.chunks), chosen)
        if near:
            fit = set(where.within(np.sort(np.array(near, np.int64))).tolist())
            ranked = fused(reader, terms, chosen, [chunk for chunk in near if chunk in fit])
        else:
            ranked = rank(reader, terms, chosen)
        return _Selected(terms, [*ranked, *in_place(reader, rest[:MOST_RANKED])] if len(rest) else ranked)
    where_files = where.files
    if where.chunks is not None:
        chunks = where.within(where.chunks)
        if len(chunks) <= MOST_RANKED:
            return _Selected(terms, in_place(reader, chunks))
        where_files = np.unique(chunks // MAX_CHUNKS)
    known = None if where_files is None else set(where_files.tolist())
    first = declaring_files(reader, query, within)
    code = languages.discover()
    files = [
        (number not in first, language not in code, path, number)
        for number, path, language in reader.paths()
        if within[0] <= number * MAX_CHUNKS < within[1] and (known is None or number in known)
    ]
    return _Selected(terms, files=[number for *_, number in sorted(files)], refused=frozenset(where.refused.tolist()))


class _Judge:
    """Says of a chunk whether it is a hit, and why."""

    def __init__(self, query: Query, options: Options, texts: Texts) -> None:
        """Raises InvalidInput for an expression that RE2 does not take."""
        self.options = options
        self._query = query
        self._texts = texts
        self._required = tuple(_matchers(query, negative=False))
        self._refused = tuple(_matchers(query, negative=True))
        self.precedence = None if query.words else Precedence(query, self._required)
        stems = frozenset(stem(part) for word in query.words for part in words_of(word.token))
        names = frozenset(stem(folded_case(word.token)) for word in query.words)
        symbols = frozenset(
            stem(folded_case(name)) for each in query.of(Filter.SYMBOL) for name in TOKEN.findall(each.value)
        )
        self._wanted = Wanted(stems | names | symbols, self._required, self._refused)

    @property
    def enough(self) -> int:
        """How many hits are gathered: more than are wanted, where the order comes after."""
        return self.options.limit if self.precedence is None else max(self.options.limit, MOST_GATHERED)

    @property
    def reads(self) -> bool:
        """Whether it has to look into files."""
        return bool(self.options.with_lines or self._required or self._refused)

    def chunks_of(self, file: Loaded) -> Sequence[int]:
        """The chunks of a file of which only the path is known to fit; with patterns, those in which they can match."""
        if not self._required:
            return [at for at, chunk in enumerate(file.record.chunks()) if chunk.is_head]
        text = self._texts.of(file)
        if text is None or not text.is_current:
            return []
        for matcher in self._required:
            matches = text.matches(matcher)
            if matches.are_all:
                starts = [chunk.start_byte for chunk in file.record.chunks()]
                return sorted({max(0, bisect_right(starts, start) - 1) for start, _ in matches.spans})
        return range(file.record.size)  # each matches so often that every chunk has to be looked at

    def hit(self, ranked: Ranked) -> Hit | None:
        """The chunk as a hit, or None when it is none."""
        file, at = ranked.file, ranked.at
        for condition in self._query.of(Filter.SYMBOL):
            if is_symbol(condition, file, at) == condition.is_negative:
                return None
        chunk = file.record.chunk(at)
        needs_text = bool(self._required or self._refused)
        text = self._texts.of(file) if needs_text or self.options.with_lines else None
        if text is None and (needs_text or self.options.with_lines):
            return None  # it is gone, or may not be read any more
        is_current = text is None or text.is_current
        if needs_text and text is not None and not (is_current and self._wanted.holds(text, chunk)):
            return None
        lines = self._wanted.lines(text, chunk) if text is not None and is_current and self.options.with_lines else ()
        return Hit(
            path=file.path,
            language=file.language,
            kind=chunk.kind,
            name=chunk.qualified_name,
            start_line=chunk.start_line,
            end_line=chunk.end_line,
            start_byte=chunk.start_byte,
            end_byte=chunk.end_byte,
            score=ranked.score,
            is_last=file.is_last,
            reasons=tuple(reasons(self._query, ranked, text)),
            lines=lines,
            is_outdated=not is_current,
        )


def _matchers(query: Query, *, negative: bool) -> Iterator[Matcher]:
    for pattern in query.patterns:
        if pattern.is_negative == negative:
            yield Matcher(pattern, query.source)
    for phrase in query.phrases:
        if phrase.is_negative == negative:
            yield Matcher(phrase_pattern(phrase), query.source)


def _ranges(query: Query, options: Options) -> list[Range]:
    """Which chunks are looked at, one range after the other until there are enough hits."""
    if options.tests is False:
        return [FIRST_RANGE]
    if options.tests or _is_about_tests(query):
        return [EVERYWHERE]
    return [FIRST_RANGE, LAST_RANGE]


def _is_about_tests(query: Query) -> bool:
    words = {stem(part) for word in query.words for part in words_of(word.token)}
    paths = {
        stem(part) for each in query.of(Filter.PATH) for token in TOKEN.findall(each.value) for part in words_of(token)
    }
    return not _ABOUT_TESTS.isdisjoint(words | paths)


def _has_only_words(query: Query) -> bool:
    return not (query.phrases or query.patterns or query.conditions)


def _as_phrases(query: Query) -> Query:
    """The words as text that must stand there, for words that the index does not have."""
    return replace(query, words=(), dotted=(), phrases=tuple(Phrase(word.token) for word in query.words))
