"""What texts say: their words as numbers, so that thousands of texts can be asked for hundreds of words at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from io import BytesIO
from itertools import chain, pairwise
from zipfile import BadZipFile

import numpy as np

from rubber_duck.errors import InvalidInput
from rubber_duck.impact.weighed import Matrix, Numbers


class Spoken:
    """The words of some texts, in their order."""

    def __init__(self, texts: Sequence[Collection[str]]) -> None:
        numbers: dict[str, int] = {}
        ids = [numbers.setdefault(word, len(numbers)) for word in chain.from_iterable(texts)]
        self._numbers = numbers
        self._ids = np.array(ids, dtype=np.int64)
        self._texts = np.repeat(np.arange(len(texts)), [len(each) for each in texts])
        self._count = len(texts)

    def __len__(self) -> int:
        return self._count

    @classmethod
    def read(cls, content: bytes) -> Spoken:
        """What `written` gave; InvalidInput for other bytes."""
        found = cls(())
        try:
            with np.load(BytesIO(content), allow_pickle=False) as stored:
                words = stored["words"].tobytes().decode("utf-8").split("\n")
                found._numbers = {word: number for number, word in enumerate(words)}
                found._ids = stored["ids"].astype(np.int64)
                found._texts = stored["texts"].astype(np.int64)
                found._count = int(stored["count"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InvalidInput(f"these are no texts by their words: {error}") from error
        return found

    def written(self) -> bytes:
        """As bytes."""
        content = BytesIO()
        words = np.frombuffer("\n".join(self._numbers).encode("utf-8"), dtype=np.uint8)
        ids, texts = self._ids.astype(np.int32), self._texts.astype(np.int32)
        np.savez(content, words=words, ids=ids, texts=texts, count=np.int64(self._count))
        return content.getvalue()

    def texts(self) -> list[frozenset[str]]:
        """The words of each text."""
        words = list(self._numbers)
        ends = np.searchsorted(self._texts, np.arange(self._count + 1)).tolist()
        ids = self._ids.tolist()
        return [frozenset(words[each] for each in ids[first:after]) for first, after in pairwise(ends)]

    def often(self, words: Mapping[str, int]) -> Numbers:
        """In how many texts each word is said, in the places that `words` gives them."""
        columns = self._columns(words)
        return np.bincount(columns[columns >= 0], minlength=len(words))

    def matrix(self, words: Mapping[str, int], rows: Sequence[int] | None = None) -> Matrix:
        """1 where a text (rows; some of them with `rows`) says a word (columns, as `words` gives them), else 0."""
        columns = self._columns(words)
        texts = self._texts
        if rows is not None:
            place = np.full(self._count, -1)
            place[list(rows)] = range(len(rows))
            texts = place[texts]
        found = (columns >= 0) & (texts >= 0)
        matrix = np.zeros((self._count if rows is None else len(rows), len(words)), dtype=np.float32)
        matrix[texts[found], columns[found]] = 1
        return matrix

    def _columns(self, words: Mapping[str, int]) -> Numbers:
        """For each word of each text its column, or -1."""
        column_of = np.full(len(self._numbers) + 1, -1)
        for word, column in words.items():
            number = self._numbers.get(word)
            if number is not None:
                column_of[number] = column
        return column_of[self._ids]


def overlap(asked: Sequence[frozenset[str]], said: Spoken, rows: Sequence[int] | None = None) -> Matrix:
    """For each text (rows) and `asked` (columns): the share of it that is said, rare words counting more.

    0 where nothing is asked. With `rows` only for those texts; how rare a word is, all of them tell.
    """
    numbers = {word: at for at, word in enumerate(sorted(frozenset().union(*asked)))}
    if not numbers:
        return np.zeros((len(said) if rows is None else len(rows), len(asked)), dtype=np.float32)
    rarity = np.array([math.log(1 + len(said) / (1 + often)) for often in said.often(numbers).tolist()])
    wanted = np.zeros((len(asked), len(numbers)), dtype=np.float32)
    for row, each in enumerate(asked):
        wanted[row, _places(each, numbers)] = 1
    wanted *= rarity.astype(np.float32)
    total = wanted.sum(axis=1)
    shared = said.matrix(numbers, rows) @ wanted.T
    shared /= np.where(total > 0, total, 1)
    return shared.astype(np.float32)


def _places(words: Iterable[str], numbers: Mapping[str, int]) -> list[int]:
    return [numbers[word] for word in words]
