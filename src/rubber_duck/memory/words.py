"""The words by which memories are found: lower case, names split at humps, no endings, no common ones."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_HUMPS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_COMMON: Final = frozenset(
    """
    a about after all also am an and any are as at be because been before being but by can could did do does doing
    done for from get gets got had has have having he her here hers him his how i if in into is it its just know let
    like may me might more most much my no nor not now of off on once only or other our ours out over own please re
    same she should so some such than that the their theirs them then there these they this those through to too
    under until up us very was we were what when where which while who whom whose why will with would yes you your
    yours tell remember remind again ok okay thanks thank hi hello well really think want need say said ask asked
    something anything
    """.split()  # noqa: SIM905  # it is read as a text
)


def terms_of(text: str) -> tuple[str, ...]:
    """The words of `text` in their order, as they are found by; a name with humps also as a whole."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group().replace("’", "'").removesuffix("'s")
        lowered = word.lower()
        if lowered not in _COMMON:
            found.append(stem(lowered))
        parts = _HUMPS.findall(word)
        if len(parts) > 1:
            found += [stem(part.lower()) for part in parts if len(part) > 1 and part.lower() not in _COMMON]
    return tuple(found)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its plural, tense or adverb: `deploys`, `deployed` and `deploying` are `deploy`."""
    if len(word) <= 3 or not word.isascii() or any(each.isdigit() for each in word):
        return word
    for ending, put in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
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
