"""What must hold of a hit: which files and chunks the index says it can be in, before any file is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import re2

from rubber_duck.code.language import detect, languages
from rubber_duck.errors import InvalidInput, UnknownName
from rubber_duck.search.chunk import MAX_CHUNKS
from rubber_duck.search.fields import name_word
from rubber_duck.search.kinds import text_language, text_languages
from rubber_duck.search.patterns import Literal, Matcher, OneOf, Required, required
from rubber_duck.search.query import Condition, Filter, Pattern, Phrase, Query
from rubber_duck.search.record import EMPTY, Numbers, chunk_numbers
from rubber_duck.search.shelf import Loaded, Range, Reader, union
from rubber_duck.search.stem import stem
from rubber_duck.search.words import LONG, SILENT, TOKEN, folded_case, is_indexed, words_of
from rubber_duck.storage.fulltext import SHORTEST

MOST_SUBSTRINGS: Final = 1_000
"""When a text is part of more words than this, it says nothing about which files can match."""

MOST_NAMES: Final = 200
"""When a text is part of more words than this, it is not asked which of them are declared, and where."""

_GLOB: Final = re.compile(r"[*?]")
_NO_WORD: Final = re.compile(r"[^\w*]+")
"""What is in names but in none of their words, as in `valid?`; a `?` may stand for it."""

_PREFIX: Final = 2


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where hits can be: `files` and `chunks` are ascending numbers, None where everything is allowed; `refused` are
    chunks that are not."""

    files: Numbers | None = None
    chunks: Numbers | None = None
    refused: Numbers = field(default_factory=lambda: EMPTY)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is said about where hits can be."""
        return self.files is None and self.chunks is None

    def within(self, chunks: Numbers) -> Numbers:
        """Those of the ascending chunks that are allowed."""
        if self.chunks is not None:
            chunks = np.intersect1d(chunks, self.chunks, assume_unique=True)
        if self.files is not None:
            chunks = chunks[np.isin(chunks // MAX_CHUNKS, self.files)]
        if len(self.refused):
            chunks = np.setdiff1d(chunks, self.refused, assume_unique=True)
        return chunks


def allowed(reader: Reader, query: Query, within: Range) -> Allowed:
    """What the index says about paths, languages, symbols, phrases and patterns. Raises UnknownName for a language."""
    files = _files(reader, query)
    chunks: Numbers | None = None
    for phrase in query.phrases:
        if not phrase.is_negative:
            chunks = _both(chunks, _phrase(reader, phrase, within))
    for condition in query.of(Filter.SYMBOL):
        if not condition.is_negative:
            chunks = _both(chunks, _declaring(reader, condition.value, within))
    for pattern in query.patterns:
        if not pattern.is_negative:
            files = _both(files, _could_match(reader, required(pattern.source), within))
    return Allowed(files, chunks, union([_spoken(reader, token, within) for token in query.excluded]))


def declaring_files(reader: Reader, query: Query, within: Range) -> frozenset[int]:
    """The files that declare something with a word in its name which a phrase or a pattern must match."""
    texts = [phrase.text for phrase in query.phrases if not phrase.is_negative]
    texts += [text for each in query.patterns if not each.is_negative for text in _literals(required(each.source))]
    tokens = {folded_case(token) for text in texts for token in TOKEN.findall(text)}
    found: set[int] = set()
    for token in sorted(token for token in tokens if len(token) >= SHORTEST):
        numbers = reader.containing(token, MOST_NAMES + 1)
        if len(numbers) <= MOST_NAMES:
            found.update((union([reader.declaring(each, within) for each in numbers]) // MAX_CHUNKS).tolist())
    return frozenset(found)


def is_symbol(condition: Condition, file: Loaded, at: int) -> bool:
    """Whether a chunk that declares the last name of a `symbol:` is, or holds, what is meant by the whole of it."""
    value = condition.value
    last = value.rpartition(".")[2]
    own = file.record.names[at]
    names = [file.record.around[at] + own]
    if not _is_glob(last) and name_word(own) != name_word(last):
        names = [f"{names[0]}.{last}"]  # one of the names that have no chunk of their own
    pattern = r"(?:^|\.|::|#)" + _globbed(value, ".*") + "$"
    matcher = Matcher(Pattern(pattern, any_case=value == value.lower()), value)
    return any(any(matcher.spans(name.encode("utf-8", "replace"))) for name in names)


def _files(reader: Reader, query: Query) -> Numbers | None:
    """The numbers of the files that `path:` and `lang:` allow; None when they say nothing."""
    tests = [(_path_test(each), each.is_negative) for each in query.of(Filter.PATH)]
    spoken = [(_language(each.value), each.is_negative) for each in query.of(Filter.LANG)]
    if not tests and not spoken:
        return None
    wanted = {language for language, is_negative in spoken if not is_negative}
    refused = {language for language, is_negative in spoken if is_negative}
    found = [
        number
        for number, path, language in reader.paths()
        if (not wanted or language in wanted)
        and language not in refused
        and all(any(test.spans(path.encode("utf-8", "replace"))) != is_negative for test, is_negative in tests)
    ]
    return np.array(sorted(found), np.int64)


def _path_test(condition: Condition) -> Matcher:
    """With `*` or `?` the value is the whole path (`**` also crosses folders), without it is any part of it."""
    value = condition.value
    pattern = f"^(?:.*/)?{_globbed(value, '[^/]*')}$" if _is_glob(value) else re2.escape(value)
    return Matcher(Pattern(pattern, any_case=True), value)


def _language(value: str) -> str:
    """The language that is called so, or whose files end so. Raises UnknownName."""
    known = {*languages.discover(), *text_languages()}
    name = value.lower()
    found = name if name in known else detect(f"x.{name}", None) or text_language(f"x.{name}")
    if found is None:
        raise UnknownName.among("language", value, known)
    return found


def _declaring(reader: Reader, value: str, within: Range) -> Numbers:
    """The chunks that declare something called like the last name of `value`."""
    last = folded_case(value.rpartition(".")[2])
    if not _is_glob(last):
        word = name_word(last)
        words = reader.words({stem(word)}).get(stem(word), ())
        return union([reader.declaring(each.number, within) for each in words if each.text == word])
    longest = max(_GLOB.split(last), key=len)
    if len(longest) >= SHORTEST or len(_GLOB.split(last)[0]) >= _PREFIX:
        fitting = reader.fitting(_NO_WORD.sub("*", last))
        return reader.declaring_any(fitting, within)
    if not longest and "." in value:
        return _beside(reader, _declaring(reader, value.rpartition(".")[0], within))
    raise InvalidInput(f"symbol:{value} says too little: give {SHORTEST} letters in a row beside the `*`")


def _beside(reader: Reader, chunks: Numbers) -> Numbers:
    """All chunks of the files in which these are."""
    files = reader.files(np.unique(chunks // MAX_CHUNKS).tolist())
    return union([np.sort(chunk_numbers(number, file.record.slots)) for number, file in files.items()])


def _phrase(reader: Reader, phrase: Phrase, within: Range) -> Numbers | None:
    """The chunks that can hold the phrase; None when the index cannot say."""
    return _literal(reader, " ".join(phrase.text.split()), within, by_file=False)


def _could_match(reader: Reader, what: Required, within: Range) -> Numbers | None:
    """The files that hold what is required; None when nothing is, or too much would have to be looked up."""
    if isinstance(what, Literal):
        return _literal(reader, what.text, within, by_file=True)
    found = [_could_match(reader, each, within) for each in what.of]
    known = [each for each in found if each is not None]
    if isinstance(what, OneOf):
        return union(known) if len(known) == len(found) else None
    files: Numbers | None = None
    for each in known:
        files = _both(files, each)
    return files


def _literals(what: Required) -> Iterator[str]:
    """Every text in it, whether all of them or one is required."""
    if isinstance(what, Literal):
        yield what.text
        return
    for each in what.of:
        yield from _literals(each)


def _literal(reader: Reader, text: str, within: Range, *, by_file: bool) -> Numbers | None:
    """The chunks, or files, that hold every token of `text`; the first and the last may be parts of longer ones."""
    found: Numbers | None = None
    for token in TOKEN.finditer(text):
        is_whole = token.start() > 0 and token.end() < len(text)
        chunks = _holding(reader, token[0], is_whole, within)
        if chunks is not None:
            found = _both(found, np.unique(chunks // MAX_CHUNKS) if by_file else chunks)
    return found


def _holding(reader: Reader, token: str, is_whole: bool, within: Range) -> Numbers | None:
    """The chunks that hold a token, or one that it is part of unless it `is_whole`; None when the index cannot say."""
    folded = folded_case(token)
    if is_whole:
        if not is_indexed(token):
            return None
        words = reader.words({stem(folded)}).get(stem(folded), ())
        return union([reader.holding(each.number, within) for each in words if each.text == folded])
    if len(folded) < SHORTEST or any(folded in silent for silent in SILENT):
        return None
    numbers = reader.containing(folded, MOST_SUBSTRINGS + 1)
    if len(numbers) > MOST_SUBSTRINGS:
        return None
    numbers += [each.number for each in reader.words({LONG}).get(LONG, ())]
    return union([reader.holding(number, within) for number in numbers])


def _spoken(reader: Reader, token: str, within: Range) -> Numbers:
    """The chunks that hold a word in whatever form, or an identifier."""
    parts = words_of(token)
    wanted = parts[-1] if parts else folded_case(token)
    words = reader.words({stem(wanted)}).get(stem(wanted), ())
    return union([reader.holding(each.number, within) for each in words if len(parts) < 2 or each.text == wanted])


def _both(first: Numbers | None, second: Numbers | None) -> Numbers | None:
    if first is None or second is None:
        return second if first is None else first
    return np.intersect1d(first, second, assume_unique=True)


def _is_glob(value: str) -> bool:
    return _GLOB.search(value) is not None


def _globbed(value: str, star: str) -> str:
    """The value as an expression: `*` is `star`, `**` everything, `?` one character."""
    parts = re.split(r"(\*\*/?|\*|\?)", value)
    meanings = {"**": ".*", "**/": "(?:.*/)?", "*": star, "?": "[^/]"}
    return "".join(meanings.get(part) or re2.escape(part) for part in parts)
