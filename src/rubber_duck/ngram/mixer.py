"""Weighs the evidence for each candidate: a small network that was trained on other projects and ships as arrays.

Two hidden layers over what counts, skeletons and symbols say of a candidate, over the place, and over the tokens around
it that mean the same in every project of a language (its words, brackets, commonest names), which are learnt vectors.
A forest of boosted trees over the same numbers is no better and a hundred times slower here; see the decision note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rubber_duck.errors import Unavailable
from rubber_duck.ngram.lexicon import KEYWORD, NAME, NUMBER, STRING, SYMBOL

Floats = NDArray[np.float32]

FORMAT: Final = 1
"""The version of the arrays in `mixer.npz`."""

_SHARES: Final = 5
_LOGARITHMIC: Final = 6
_COUNTS: Final = 11
_NOTHING, _LOWER, _CAMEL, _UPPER, _PRIVATE, _SYMBOL, _KEYWORD, _STRING, _NUMBER = range(9)
FIRST_WORD: Final = 16
"""The code of the first word that the network knows; below it stand the kinds of all others."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known before a token is chosen.

    `columns[j][i]` is the j-th number of `candidates[i]`, and `context` are those of the place; what they mean is the
    order in which `evidence` writes them. `words` are the tokens around the place.
    """

    candidates: list[int]
    columns: list[Sequence[float]]
    context: list[float]
    words: tuple[int, ...]


class Mixer:
    """The trained network. `words`: token text → the row of its vectors."""

    def __init__(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        if int(arrays["format"]) != FORMAT:
            raise Unavailable("the arrays of the mixer are of another version of this program: install it again")
        self.words = {word: FIRST_WORD + at for at, word in enumerate(str(arrays["words"]).split("\n"))}
        self._row, self._place, self._bias = (_floats(arrays[name]) for name in ("row", "place", "bias"))
        self._candidate = _floats(arrays["candidate"])
        self._around = _floats(np.einsum("wv,svh->swh", _floats(arrays["vectors"]), _floats(arrays["slots"])))
        self._second, self._second_bias, self._last = (_floats(arrays[name]) for name in ("second", "bias2", "last"))
        self._slots = np.arange(self._around.shape[0])

    @classmethod
    def untrained(cls, words: list[str]) -> Mixer:
        """One that knows words and weighs nothing, to gather the cases on which another is trained."""
        rows = FIRST_WORD + len(words)
        shapes = {"row": (1, 1), "place": (1, 1), "bias": (1,), "candidate": (rows, 1), "vectors": (rows, 1)}
        shapes |= {"slots": (1, 1, 1), "second": (1, 1), "bias2": (1,), "last": (1,)}
        arrays: dict[str, NDArray[np.generic]] = {name: np.zeros(shape) for name, shape in shapes.items()}
        return cls(arrays | {"format": np.array(FORMAT), "words": np.array("\n".join(words))})

    def shares(self, evidence: Evidence, codes: list[int], around: list[int]) -> Floats:
        """How likely each candidate is; they sum to one. `codes` are the candidates', `around` the place's words'."""
        place = np.array(evidence.context, np.float32) @ self._place
        place += self._bias
        place += self._around[self._slots, around].sum(axis=0)
        hidden = expand(evidence.columns) @ self._row
        hidden += self._candidate[codes]
        hidden += place
        np.maximum(hidden, 0, out=hidden)
        hidden = hidden @ self._second
        hidden += self._second_bias
        np.maximum(hidden, 0, out=hidden)
        scores = _floats(hidden @ self._last)
        scores -= scores.max()
        np.exp(scores, out=scores)
        scores /= scores.sum()
        return scores

    def code(self, text: str, kind: int) -> int:
        """The row of a token's vectors: its own, or that of tokens that look like it."""
        found = self.words.get(text)
        return found if found is not None else looks(text, kind)


def looks(text: str, kind: int) -> int:
    """The code of a token that is no word of the network."""
    if kind == NAME and text:
        word = text.lstrip(":@$#")
        if text[0] == "_":
            return _PRIVATE
        if not word[:1].isupper():
            return _LOWER
        return _UPPER if len(word) > 1 and word.upper() == word else _CAMEL
    return {SYMBOL: _SYMBOL, KEYWORD: _KEYWORD, STRING: _STRING, NUMBER: _NUMBER}.get(kind, _NOTHING)


def expand(columns: Sequence[Sequence[float]]) -> Floats:
    """The columns as rows, as the network takes them.

    The first columns, which are shares, and then numbers of places become logarithms. For the shares of scopes there is
    a column more at the end: the distance to the best.
    """
    count = len(columns)
    found = np.empty((count + _SHARES, len(columns[0])), np.float32)
    found[:count] = columns
    shares, places = found[:_LOGARITHMIC], found[_LOGARITHMIC:_COUNTS]
    np.log(shares, out=shares)
    np.log1p(places, out=places)
    np.subtract(found[:_SHARES], found[:_SHARES].max(axis=1, keepdims=True), out=found[count:])
    return found.T


@cache
def mixer() -> Mixer:
    """The network that ships with the program, read once."""
    content = files("rubber_duck.ngram").joinpath("mixer.npz").read_bytes()
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        return Mixer(dict(arrays))


def _floats(array: NDArray[np.generic]) -> Floats:
    return np.ascontiguousarray(array, dtype=np.float32)
