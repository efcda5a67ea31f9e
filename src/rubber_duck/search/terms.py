"""From the words of a query to the terms that are ranked: each in every form, what it is made of, what goes with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rubber_duck.code.language import languages
from rubber_duck.search.associations import Related
from rubber_duck.search.query import Query, Word
from rubber_duck.search.shelf import Range, Reader
from rubber_duck.search.stem import stem
from rubber_duck.search.words import folded_case, is_compound, words_of
from rubber_duck.storage.fulltext import Word as IndexedWord

EVERYWHERE: Final[Range] = (0, 1 << 62)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for: the `numbers` of all words that count as it.

    - `shown`: as it stands in the query, or the stem that was added. `source`: the term because of which it was added.
    - `weight`: 1 for what was asked. `idf`: how rare it is; `chunks`: how many hold it, at the most.
    - `is_name`: it is a whole token of the query, so that what is called like that is what was asked for.
      `is_beginning`: so is what begins like that.
    """

    shown: str
    stems: tuple[str, ...]
    numbers: tuple[int, ...]
    idf: float
    chunks: int
    weight: float = 1.0
    is_name: bool = False
    is_beginning: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Dotted:
    """A name such as `Model.save`: its parts, and the numbers of its last part and of the one before."""

    parts: tuple[str, ...]
    last: tuple[int, ...]
    before: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What to rank by. `unknown` are words of the query that stand nowhere. `exact` are the numbers of identifiers: a
    chunk that declares one comes before all that use it. `names` are they as the query has them, `dotted` those that
    say what is around them."""

    terms: tuple[Term, ...]
    unknown: tuple[str, ...] = ()
    exact: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    dotted: tuple[Dotted, ...] = ()

    @property
    def asked(self) -> tuple[Term, ...]:
        """Those that stand in the query."""
        return tuple(term for term in self.terms if not term.source)


def find_terms(reader: Reader, query: Query, related: Related) -> Terms:
    """The terms for the words of a query."""
    spoken = _spoken(query)
    stems = {stem(part) for word in spoken for part in (*words_of(word.token), folded_case(word.token))}
    finder = _Finder(reader, reader.words(stems))
    is_silent = not any(words_of(word.token) for word in spoken)
    around = {part for name in query.dotted for part in name[:-1]}
    last = {name[-1] for name in query.dotted}
    asked: dict[str, Term] = {}
    unknown: list[str] = []
    exact: set[int] = set()
    names: set[str] = set()
    for word in spoken:
        found = finder.terms(word, or_silent=is_silent or word.token in last)
        if not any(term.is_name for term in found) and not word.is_prefix and (is_silent or words_of(word.token)):
            unknown.append(word.token)
        is_meant = len(spoken) == 1 or (is_identifier(word.token) and word.token not in around) or word.token in last
        for term in found:
            asked.setdefault(term.shown, term)
            if term.is_name and is_meant:
                exact.update(finder.exactly(folded_case(word.token)))
                names.add(word.token)
    dotted = tuple(
        Dotted(name, finder.exactly(folded_case(name[-1])), finder.exactly(folded_case(name[-2])))
        for name in query.dotted
    )
    ranked = (*asked.values(), *finder.related(asked, related))
    return Terms(ranked, tuple(dict.fromkeys(unknown)), frozenset(exact), frozenset(names), dotted)


def is_identifier(token: str) -> bool:
    """Whether a token of a query looks like a name in code and not like a word."""
    return is_compound(token) or "_" in token or (token[:1].isupper() and not token.isupper() and len(token) > 3)


def idf(all_chunks: int, chunks: int) -> float:
    """How much it tells that a chunk holds a word which `chunks` of `all_chunks` hold; never below zero."""
    return math.log(1 + max(0.0, all_chunks - chunks + 0.5) / (chunks + 0.5))


def _spoken(query: Query) -> list[Word]:
    """Without the names of languages, as long as others remain: they say where to look, and not for what."""
    named = languages.discover().keys() - {part.lower() for name in query.dotted for part in name}
    return [word for word in query.words if word.token.lower() not in named] or list(query.words)


class _Finder:
    """Finds the numbers of words; `known` are those of the query, by stem."""

    def __init__(self, reader: Reader, known: Mapping[str, tuple[IndexedWord, ...]]) -> None:
        self._reader = reader
        self._known = known

    def terms(self, word: Word, *, or_silent: bool) -> list[Term]:
        """The terms of one word: the whole where the index has it, else its parts; a silent one only if asked for."""
        folded = folded_case(word.token)
        if word.is_prefix:
            found = self._term(f"{folded}*", (), self._reader.fitting(f"{folded}*"))
            return [replace(term, is_beginning=True) for term in found]
        parts = words_of(word.token)
        whole = self._term(folded, (stem(folded),), self.exactly(folded), is_name=True)
        if whole and ((not parts and or_silent) or len(parts) > 1):
            return whole  # its parts would only bring what it is not
        found = []
        for part in parts:
            found += self._term(part, (stem(part),), self._forms(stem(part)), is_name=part == folded)
        return found

    def exactly(self, text: str) -> tuple[int, ...]:
        """The number of this very word, if the index has it."""
        return tuple(each.number for each in self._known.get(stem(text), ()) if each.text == text)

    def related(self, asked: Mapping[str, Term], related: Related) -> list[Term]:
        """Terms that were not asked for, but go with those that were; what goes with several counts for each."""
        sources: dict[str, list[tuple[Term, float]]] = {}
        own = {each for term in asked.values() for each in term.stems}
        for term in asked.values():
            for other, weight in related.get(term.stems[0], ()) if term.stems else ():
                if other not in own:
                    sources.setdefault(other, []).append((term, weight))
        self._known = self._reader.words(sources)
        return [
            replace(
                term,
                shown=min((each.text for each in self._known[other]), key=len),
                weight=sum(weight * min(term.idf, source.idf) for source, weight in found) / max(term.idf, 1e-9),
                source=max(found, key=lambda each: each[1] * each[0].idf)[0].shown,
            )
            for other, found in sources.items()
            for term in self._term(other, (other,), self._forms(other))
        ]

    def _term(
        self, shown: str, stems: tuple[str, ...], numbers: tuple[int, ...], *, is_name: bool = False
    ) -> list[Term]:
        """A list of the term, or of nothing when no word counts as it."""
        if not numbers:
            return []
        total = self._reader.state.chunks
        chunks = min(total, self._reader.count_any(numbers, EVERYWHERE))
        return [Term(shown, stems, numbers, idf(total, chunks), chunks, is_name=is_name)] if chunks else []

    def _forms(self, common: str) -> tuple[int, ...]:
        return tuple(each.number for each in self._known.get(common, ()))
