"""The query language: words, "phrases", /regular expressions/, path: lang: symbol:, and - before what must not be.

order by date          words: chunks with more and rarer of them come first
get_queryset  get_*    identifiers, whole or by their beginning
"select related"       this very text, whatever its case and blanks
/def \\w+_view\\(/i      a regular expression (RE2), `i` for any case
path:admin lang:python symbol:Model.save   only in such files, only such definitions
-path:tests -"deprecated"                  not there, not with that
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from rubber_duck.code.language import detect
from rubber_duck.errors import InvalidInput, LimitExceeded, did_you_mean
from rubber_duck.search.words import TOKEN

MAX_CHARACTERS: Final = 4_000
MAX_PARTS: Final = 64


class Filter(StrEnum):
    """What a part of a query with a colon is about."""

    PATH = "path"
    LANG = "lang"
    SYMBOL = "symbol"


_FILTERS: Final = {"path": Filter.PATH, "file": Filter.PATH, "lang": Filter.LANG, "language": Filter.LANG} | {
    "symbol": Filter.SYMBOL,
    "sym": Filter.SYMBOL,
}


@dataclass(frozen=True, slots=True)
class Word:
    """A token to look for; with `is_prefix`, everything that begins with it."""

    token: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """Text that must stand there, or, with `is_negative`, must not."""

    text: str
    is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that must match, or must not. `position` is where it begins in the query."""

    source: str
    any_case: bool = False
    is_negative: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """Files or definitions that are asked for, or excluded. `position` is where it begins in the query."""

    filter: Filter
    value: str
    is_negative: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked. Words rank, everything else must hold. `dotted` are names whose parts are among the words:
    `Model.save`, `a::b`."""

    source: str
    words: tuple[Word, ...] = ()
    dotted: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def of(self, kind: Filter) -> list[Condition]:
        """The conditions of one kind."""
        return [condition for condition in self.conditions if condition.filter is kind]


def parse(source: str) -> Query:
    """The query that `source` says; raises InvalidInput, with the place, or LimitExceeded."""
    if len(source) > MAX_CHARACTERS:
        raise LimitExceeded(
            f"the query has {len(source):,} characters, and at most {MAX_CHARACTERS:,} are looked for; "
            "say what is characteristic of it"
        )
    return _Parser(source.encode("utf-8", "replace").decode()).run()


def dotted_name(written: str) -> tuple[str, ...]:
    """The parts of a name with what is around it, such as `Model.save()`; none where it is no such name."""
    found = _DOTTED.fullmatch(written)
    parts = tuple(TOKEN.findall(found[1])) if found is not None else ()
    return parts if parts and detect(f"x.{parts[-1]}", None) is None else ()  # models.py is a file


def wrong(source: str, position: int, message: str) -> NoReturn:
    """Raise InvalidInput with `message`, the query, and a caret below the place."""
    line = source.count("\n", 0, position)
    text = source.split("\n")[line]
    column = position - (source.rfind("\n", 0, position) + 1)
    first = max(0, column - 60)
    shown = "".join(each if each.isprintable() else " " for each in text[first : first + 100])
    raise InvalidInput(f"{message}\n    {shown}\n    {' ' * (column - first)}^")


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._words: list[Word] = []
        self._dotted: list[tuple[str, ...]] = []
        self._excluded: list[str] = []
        self._phrases: list[Phrase] = []
        self._patterns: list[Pattern] = []
        self._conditions: list[Condition] = []

    def run(self) -> Query:
        source = self._source
        parts = 0
        while self._skip_blanks():
            parts += 1
            if parts > MAX_PARTS:
                raise LimitExceeded(f"the query has more than {MAX_PARTS} parts; leave out what matters least")
            self._part()
        query = Query(
            source,
            tuple(dict.fromkeys(self._words)),
            tuple(dict.fromkeys(self._dotted)),
            tuple(dict.fromkeys(self._excluded)),
            tuple(self._phrases),
            tuple(self._patterns),
            tuple(self._conditions),
        )
        if not (query.words or query.phrases or query.patterns or query.conditions or query.excluded):
            wrong(source, 0, 'the query is empty: write words, an identifier, a "phrase" or a /regular expression/')
        demands: tuple[Phrase | Pattern | Condition, ...] = (*query.phrases, *query.patterns, *query.conditions)
        if not query.words and all(each.is_negative for each in demands):
            wrong(source, 0, "the query only says what must not be there; say also what to look for")
        return query

    def _skip_blanks(self) -> bool:
        while self._at < len(self._source) and (self._source[self._at].isspace() or self._source[self._at] == "\0"):
            self._at += 1
        return self._at < len(self._source)

    def _part(self) -> None:
        begin = self._at
        negative = self._source[begin] == "-" and not _NO_NEGATION.match(self._source, begin)
        if negative:
            self._at += 1
        first = self._source[self._at : self._at + 1]
        if first == '"':
            text = self._quoted('"', "phrase")
            if not TOKEN.search(text):
                wrong(
                    self._source,
                    begin,
                    "a phrase needs a letter or a digit; look for signs with a /regular expression/",
                )
            self._phrases.append(Phrase(text, negative))
        elif first == "/" and self._is_pattern():
            self._pattern(begin, negative)
        else:
            self._plain(begin, negative)

    def _is_pattern(self) -> bool:
        """Whether what begins with a slash is no path such as /usr/lib."""
        end = self._end_of_pattern()
        word = self._source[self._at : self._end_of_word()]
        return end is not None or any(each in word for each in "()[]{}\\|^$*+?")

    def _end_of_pattern(self) -> int | None:
        """The slash that ends the expression: it is followed by `i` or nothing."""
        at = self._at + 1
        source = self._source
        while at < len(source):
            if source[at] == "\\":
                at += 1
            elif source[at] == "/" and _PATTERN_END.match(source, at):
                return at
            at += 1
        return None

    def _pattern(self, begin: int, negative: bool) -> None:
        end = self._end_of_pattern()
        if end is None:
            wrong(self._source, begin, "the regular expression that begins here has no / at its end")
        source = self._source[self._at + 1 : end].replace("\\/", "/")
        if not source:
            wrong(self._source, begin, "the regular expression between these slashes is empty")
        any_case = self._source[end + 1 : end + 2] == "i"
        self._patterns.append(Pattern(source, any_case, negative, begin))
        self._at = end + 1 + any_case

    def _plain(self, begin: int, negative: bool) -> None:
        end = self._end_of_word()
        text = self._source[self._at : end]
        name, colon, value = text.partition(":")
        kind = _FILTERS.get(name.lower()) if colon else None
        if kind is not None:
            self._at += len(name) + 1
            self._condition(kind, begin, negative)
            return
        if colon and value and name.isalpha() and value[0] != ":" and (hint := did_you_mean(name.lower(), _FILTERS)):
            wrong(self._source, begin, f"there is no filter {name + ':'!r}{hint}; filters are path:, lang: and symbol:")
        self._at = end
        is_prefix = text.endswith("*")
        tokens = TOKEN.findall(text)
        if negative:
            self._excluded += tokens
        else:
            self._words += [Word(token, is_prefix and token is tokens[-1]) for token in tokens]
            dotted = dotted_name(text)
            if dotted:
                self._dotted.append(dotted)

    def _condition(self, kind: Filter, begin: int, negative: bool) -> None:
        if self._source[self._at : self._at + 1] == '"':
            value = self._quoted('"', "value")
        else:
            end = self._end_of_word()
            value = self._source[self._at : end]
            self._at = end
        if not value.strip():
            wrong(self._source, begin, f"{kind.value}: needs a value right behind it, such as {_EXAMPLES[kind]}")
        if kind is Filter.SYMBOL:
            value = _CALLED.sub("", value)
        self._conditions.append(Condition(kind, value, negative, begin))

    def _quoted(self, quote: str, what: str) -> str:
        """The text between quotes; the place is then behind them."""
        begin = self._at
        at = begin + 1
        found: list[str] = []
        while at < len(self._source):
            if self._source[at] == "\\" and self._source[at + 1 : at + 2] in (quote, "\\"):
                at += 1
            elif self._source[at] == quote:
                self._at = at + 1
                return "".join(found)
            found.append(self._source[at])
            at += 1
        wrong(self._source, begin, f"the {what} that begins here has no {quote} at its end")

    def _end_of_word(self) -> int:
        at = self._at
        while at < len(self._source) and not self._source[at].isspace():
            at += 1
        return at


_DOTTED: Final = re.compile(r"([^\W\d]\w*(?:(?:\.|::|#)[^\W\d]\w*)+)(?:\(\)|/\d+)?")
"""A name with what is around it; behind it, as people write it, a call or an arity."""

_NO_NEGATION: Final = re.compile(r"-(?:-|\s)")
"""A dash between words, and the two before an option: `--dry-run`."""

_CALLED: Final = re.compile(r"(?<=\w)(?:\(\)|/\d+)$")
_PATTERN_END: Final = re.compile(r"/i?(?=\s|$)")
_EXAMPLES: Final = {Filter.PATH: "path:admin", Filter.LANG: "lang:python", Filter.SYMBOL: "symbol:save"}
