"""Words: what a text is indexed by. Identifiers count as a whole and by their parts.

A token is a run of letters, digits and underscores. `getUserID` gives `get`, `user`, `id` and `getuserid`; `SIZE` gives
`size`. Case is folded. Chinese, Japanese and Korean text, which has no blanks, is cut into overlapping pairs.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Final

TOKEN: Final = re.compile(r"\w+")

LONG: Final = "…"
"""The word that stands for every token which is not indexed itself: longer than `MAX_WORD`, or a long number."""

MAX_WORD: Final = 64
MAX_DIGITS: Final = 8

_ENGLISH: Final = """
the an of this that these those be is are was were been it its as at by in on to with from or and not no so than then
there here how do does did can could should would will shall may might must has have had you we they he she our your
their my me us when what which where who why but into also about any all some such only using use way
"""
_KEYWORDS: Final = "def self return if else elif for import class function const let var end defp"

SILENT: Final = frozenset(_ENGLISH.split() + _KEYWORDS.split())
"""Words that are neither indexed nor looked for: they stand in so many places that they tell nothing. In the name of a
definition they do: `is_empty`, `to_json`."""

_PART: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_FOREIGN_PART: Final = re.compile(r"[0-9]+|[^\W0-9_]+")
_HUMP: Final = re.compile("(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


class Words(dict[str, tuple[str, ...]]):
    """Token → the words it is indexed by, each worked out once. A worker has one; it forgets all when it is full.

    The last word is the whole token where that is more than its parts.
    """

    LIMIT: Final = 400_000

    def __missing__(self, token: str) -> tuple[str, ...]:
        if len(self) >= self.LIMIT:
            self.clear()
        found = self[token] = words_of(token)
        return found


@lru_cache(maxsize=4_096)  # one search asks several times for the words of its query
def words_of(token: str, silent: frozenset[str] = SILENT) -> tuple[str, ...]:
    """The words that one token is indexed by; none for a `silent` word or a single character."""
    folded = folded_case(token)
    if len(token) == 1:
        return (folded,) if _UNSPACED.match(token) else ()
    if folded in silent:
        return ()
    if token.isdigit():
        return (folded,) if len(token) <= MAX_DIGITS else (LONG,)
    parts = _parts(token)
    found = [part for part in dict.fromkeys(parts) if 1 < len(part) <= MAX_WORD and part not in silent]
    if parts != [folded]:
        found.append(folded if len(folded) <= MAX_WORD else LONG)
    elif len(folded) > MAX_WORD:
        return (LONG,)
    return tuple(dict.fromkeys(found))


def is_indexed(token: str) -> bool:
    """Whether a text that holds `token` between other characters is found by `token` itself, in lower case."""
    return folded_case(token) in words_of(token)


def folded_case(text: str) -> str:
    """Lower case as the index has it; the long s, which regular expressions take for an s, becomes one."""
    return text.lower().replace("ſ", "s")


def is_compound(token: str) -> bool:
    """Whether the token has several parts: `get_user`, `getUser`, `utf8`."""
    return len(_parts(token)) > 1


def counted(text: str, words: Words) -> dict[str, int]:
    """How often each word stands in `text`."""
    found: dict[str, int] = {}
    for token, times in Counter(TOKEN.findall(text)).items():
        for word in words[token]:
            found[word] = found.get(word, 0) + times
    return found


@lru_cache(maxsize=50_000)
def words_of_name(name: str) -> tuple[str, ...]:
    """The words that the name of a definition is indexed by, in order."""
    return tuple(word for token in TOKEN.findall(name) for word in words_of(token, frozenset()))


def _parts(token: str) -> list[str]:
    if token.isascii():
        return [folded_case(part) for part in _PART.findall(token)]
    parts: list[str] = []
    for piece in _FOREIGN_PART.findall(token):
        parts += [part for hump in _HUMP.split(piece) for part in _pairs(folded_case(hump))]
    return parts


def _pairs(piece: str) -> list[str]:
    """Text without blanks as overlapping pairs of characters; anything else as it is."""
    if not _UNSPACED.search(piece):
        return [piece]
    parts: list[str] = []
    last = 0
    for run in _UNSPACED.finditer(piece):
        parts += [piece[last : run.start()]] if run.start() > last else []
        text = run[0]
        parts += [text] if len(text) == 1 else [text[at : at + 2] for at in range(len(text) - 1)]
        last = run.end()
    return parts + ([piece[last:]] if last < len(piece) else [])
