"""A text without its own names: which name stands where is told by how lately it was written.

`self.port = port` and `self.name = name` have the same skeleton, so what was learnt from one predicts the other: after
it stands the name that was written last. Words of the language, and the few names that are everywhere, stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rubber_duck.ngram.lexicon import NAME
from rubber_duck.ngram.vocabulary import FIRST_NEW, FIRST_RANK, FIRST_TEXT, RANKS, Vocabulary

PLAIN_NAMES: Final = 48
"""So many of a project's commonest names are kept as they are; in a small project one for each PLAIN_TOKENS tokens."""

PLAIN_TOKENS: Final = 1000

LATEST: Final = 40
"""So many of the latest names are remembered in all; the first RANKS of them by their rank."""


def shape(name: str) -> int:
    """The number by which a name that was not written lately stands: how it looks."""
    first = name[:1]
    if first in ":@":
        return FIRST_NEW + (8 if first == ":" else 9)
    if name.endswith(":"):
        return FIRST_NEW + 10
    word = name.lstrip("_$#")
    looks = 0
    if word[:1].isupper():
        looks = 2 if len(word) > 1 and word.upper() == word else 1
    return FIRST_NEW + looks + (3 if first == "_" else 0)


def signs(vocabulary: Vocabulary, plain: Iterable[int], known: Sequence[int] = ()) -> list[int]:
    """The sign in a skeleton of each number: itself, or the shape of a name. `known` signs come first as they are."""
    found = list(known)
    kinds, texts = vocabulary.kinds, vocabulary.texts
    kept = set(plain)
    found.extend(
        shape(texts[number]) if kinds[number] == NAME and number not in kept else number
        for number in range(len(found), len(texts))
    )
    return found


def skeleton(tokens: Iterable[int], signs_of: Sequence[int]) -> list[int]:
    """The signs of a whole file."""
    latest: list[int] = []
    found: list[int] = []
    for number in tokens:
        sign = signs_of[number]
        if FIRST_NEW <= sign < FIRST_TEXT:
            sign = remember(latest, number, sign)
        found.append(sign)
    return found


def remember(latest: list[int], name: int, sign: int) -> int:
    """Put `name` first among the latest names. The sign it had: its rank if that was below RANKS, else `sign`."""
    if name in latest:
        rank = latest.index(name)
        if rank:
            del latest[rank]
            latest.insert(0, name)
        return FIRST_RANK + rank if rank < RANKS else sign
    latest.insert(0, name)
    if len(latest) > LATEST:
        latest.pop()
    return sign


def named(sign: int, latest: Sequence[int]) -> int | None:
    """The token that `sign` stands for now; None for a name that would be a new one."""
    if sign >= FIRST_TEXT or sign < FIRST_RANK:
        return sign
    rank = sign - FIRST_RANK
    return latest[rank] if rank < RANKS and rank < len(latest) else None
