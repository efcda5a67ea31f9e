"""The words by which memories are found: lower case, names split at humps, no endings, no common ones.

Writing without spaces is found by pairs of its characters; accents do not count.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_HUMPS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_RUN: Final = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
"""Thai, Japanese and Chinese: written without spaces."""

_KEPT: Final = 6
"""So many letters of a word whose endings change."""

_ELIDED: Final = re.compile(r"(?:l|d|s|j|m|t|n|c|qu|un|dell|nell|all|sull)['’](?=\w{2})", re.IGNORECASE)
_COMMON: Final = frozenset(
    """
    a about after all also am an and any are as at be because been before being but by can could did do does doing
    done for from get gets got had has have having he her here hers him his how i if in into is it its just know let
    like may me might more most much my no nor not now of off on once only or other our ours out over own please re
    same she should so some such than that the their theirs them then there these they this those through to too
    under until up us very was we were what when where which while who whom whose why will with would yes you your
    yours tell remember remind again ok okay thanks thank hi hello well really think want need say said ask asked
    something anything
    der das den dem des ein eine einen einem einer und oder ist sind wird werden wurde nicht von vom zu zum zur
    im ins auf bei nach seit fur uber wer wie wo wann warum welche welcher welches ich du er wir ihr mein unser unsere
    le la les un une et ou est sont du de au aux pour avec sur dans chez qui que quoi quand comment quel quelle quels je
    tu il elle nous vous ils elles mon notre ce cette ces se
    el los las una y o es del al por para con en sobre quien como donde cuando cual cuales que lo su sus mi nuestro
    che di della il lo gli con per sono chi dove quando quale
    da na em com para um uma quem onde qual
    het een en voor bij wie wat waar wanneer
    и в на не что кто где когда как с по к от до за из у о об это он она они мы вы я его ее их наш для или а но
    w i z na do od to jest sa kto gdzie kiedy jak co ktory ktora sie nasz
    """.split()  # noqa: SIM905  # it is read as a text
)


def terms_of(text: str) -> tuple[str, ...]:
    """The words of `text` in their order, as they are found by; a name with humps also as a whole."""
    found: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text)):
        written = match.group()
        if not written.isascii() and _RUN.search(written):
            found += _unspaced(written)
            continue
        word = _ELIDED.sub("", written.replace("’", "'")).removesuffix("'s")
        lowered = _plain(word)
        if lowered not in _COMMON:
            found.append(stem(lowered))
        parts = _HUMPS.findall(word) if word.isascii() else ()
        if len(parts) > 1:
            found += [stem(_plain(part)) for part in parts if len(part) > 1 and _plain(part) not in _COMMON]
    return tuple(found)


def _unspaced(written: str) -> list[str]:
    """Pairs of characters where there are no spaces, and the words between."""
    found: list[str] = []
    at = 0
    for run in _RUN.finditer(written):
        found += terms_of(written[at : run.start()])
        characters = run.group()
        found += [f"{one}{other}" for one, other in pairwise(characters)] or [characters]
        at = run.end()
    return found + list(terms_of(written[at:]))


def _plain(word: str) -> str:
    """In lower case and without accents."""
    if word.isascii():
        return word.lower()
    bare = "".join(each for each in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", bare)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its plural, tense or adverb: `deploys`, `deployed` and `deploying` are `deploy`.

    Of a word in letters of which only the ends change, as in Russian or Greek, the beginning.
    """
    if len(word) > _KEPT and not word.isascii() and word.isalpha():
        return word[:_KEPT] if min(word) > "\u036f" else word
    if len(word) <= 3 or not word.isascii() or any(each.isdigit() for each in word):
        return word
    for ending, put in (("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + put
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed", "ly"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and any(each in "aeiouy" for each in base):
            word = base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    return word.removesuffix("e") if len(word) > 4 else word
