"""All contexts of a sequence of tokens in one sorted array, which says what followed each of them before.

The positions of the sequence are sorted by the tokens that stand before them, the nearest first, so the places that
share a context of any length lie side by side (a suffix array of the reversed text; Manber and Myers, 1993). Eight
tokens are told apart; three sorts make that, because ranks of twice the length follow from pairs of ranks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rubber_duck.ngram.vocabulary import LINE_END, OUT_3, SAME, START, Ids

ORDER: Final = 8
"""The longest context that is looked for, in tokens."""

LEFT: Final = 0.02
"""What longer contexts must leave to shorter ones for these to be asked."""

_COUNTED: Final = 40
SAMPLED: Final = 512
_KEPT: Final = 32
_REMEMBERED: Final = 2048
_RANGES: Final = 16384
_CHUNK: Final = 1 << 17


class Level(NamedTuple):
    """What followed the latest `order` tokens: `total` times, `distinct` different tokens.

    `counts` has the commonest ones. Ends of lines count as one token, LINE_END.
    """

    order: int
    total: int
    distinct: int
    counts: dict[int, int]


class ContextIndex:
    """The sorted contexts of `tokens`, files one after the other, each begun by START.

    Of the places of a context that has more, `sampled` are counted.
    """

    def __init__(self, tokens: Ids, positions: Ids | None = None, *, sampled: int = SAMPLED) -> None:
        self.tokens = tokens
        self._sampled = sampled
        self.positions = sort_contexts(tokens) if positions is None else positions
        before = counted(tokens)  # as a context each token stands as often, but for the last one
        if len(tokens):
            before[tokens[-1]] -= 1
            before[START] += 1
        self._starts = [0, *np.cumsum(before).tolist()]
        self._token = tokens.data  # memoryviews: an element costs a third of what it costs in an array
        self._position = self.positions.data
        self._remembered: dict[tuple[int, int], tuple[int, int, dict[int, int]]] = {}
        self._ranges_known: dict[tuple[int, int, int], tuple[int, int]] = {}
        self._gone: bytearray | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def forget(self, start: int, end: int) -> None:
        """No longer count what stands at the positions [start, end)."""
        if self._gone is None:
            self._gone = bytearray(len(self.tokens))
        self._gone[start:end] = b"\1" * (end - start)
        self._remembered.clear()

    def after(self, context: Sequence[int], hidden: tuple[int, int] = (0, 0)) -> list[Level]:
        """What followed the end of `context` (the latest token last), one level for each length that tells more.

        The shortest comes first. A longer context that was seen at the very same places adds nothing and is left out,
        and so are shorter ones that the longer ones leave less than LEFT to say. The positions [hidden[0], hidden[1])
        do not count where few places match: the file that is open is there as it was saved.
        """
        levels: list[Level] = []
        left = 1.0
        for order, low, high in reversed(self._ranges(context)):
            total, distinct, counts = self._counts(low, high, hidden)
            if total:
                levels.append(Level(order, total, distinct, counts))
                left *= distinct / (total + distinct)
                if left < LEFT:
                    break
        levels.reverse()
        return levels

    def _ranges(self, context: Sequence[int]) -> list[tuple[int, int, int]]:
        """(order, low, high): the positions [low, high) have the latest `order` tokens before them; the shortest first.

        Where a longer context has the very same positions, it stands for the shorter one.
        """
        found: list[tuple[int, int, int]] = []
        token, position = self._token, self._position
        latest = context[-1]
        if latest + 1 >= len(self._starts):
            return found
        low, high = self._starts[latest], self._starts[latest + 1]
        if low == high:
            return found
        found.append((1, low, high))
        for order in range(2, min(len(context), ORDER) + 1):
            wanted = context[-order]
            if high - low == 1:
                at = position[low]
                if at < order or token[at - order] != wanted:
                    break
                found[-1] = (order, low, high)
                continue

            first, last = self._narrowed(low, high, order, wanted)
            if first == last:
                break
            if last - first == high - low:
                found[-1] = (order, low, high)
            else:
                low, high = first, last
                found.append((order, low, high))
        return found

    def _narrowed(self, low: int, high: int, order: int, wanted: int) -> tuple[int, int]:
        """The positions in [low, high), which agree in `order` - 1 tokens, with `wanted` before those."""
        key = (low, high, wanted)
        known = self._ranges_known.get(key)
        if known is None:
            token, position = self._token, self._position

            def before(at: int) -> int:
                return token[at - order] if at >= order else START

            first = bisect_left(position, wanted, low, high, key=before)
            known = first, bisect_right(position, wanted, first, high, key=before)
            if high - low > _COUNTED:
                if len(self._ranges_known) >= _RANGES:
                    self._ranges_known.clear()
                self._ranges_known[key] = known
        return known

    def _counts(self, low: int, high: int, hidden: tuple[int, int]) -> tuple[int, int, dict[int, int]]:
        if high - low <= _COUNTED:
            token, gone = self._token, self._gone
            start, end = hidden
            counts: dict[int, int] = {}
            for at in self._position[low:high]:
                if not (start <= at < end or (gone is not None and gone[at])):
                    found = token[at]
                    if SAME <= found <= OUT_3:
                        found = LINE_END
                    counts[found] = counts.get(found, 0) + 1
            return sum(counts.values()), len(counts), counts
        known = self._remembered.get((low, high))
        if known is None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            known = self._remembered[low, high] = self._summary(low, high)
        return known

    def _summary(self, low: int, high: int) -> tuple[int, int, dict[int, int]]:
        """As `_counts`, of a fair sample where there are very many: their order does not depend on what follows."""
        step = max(1, (high - low) // self._sampled)
        places: Iterable[int] = self._position[low:high:step]
        gone = self._gone
        if gone is not None:
            places = [at for at in places if not gone[at]]
        found = Counter(map(self._token.__getitem__, places))
        ends = sum(found.pop(kind, 0) for kind in range(SAME, OUT_3 + 1))
        if ends:
            found[LINE_END] = ends
        counts = {token: times * step for token, times in found.most_common(_KEPT)}
        return found.total() * step, len(found), counts


def sort_contexts(tokens: Ids) -> Ids:
    """The positions of `tokens` sorted by the ORDER tokens before them, the nearest first; ties in their order."""
    rank = np.empty(len(tokens), np.int32)
    rank[:1] = START
    rank[1:] = tokens[:-1]
    other = np.empty_like(rank)
    for half in (1, 2):
        number = -1
        for chosen, differs in _sorted_pairs(rank, half):
            numbers = np.cumsum(differs, dtype=np.int32)
            numbers += number
            other[chosen] = numbers
            number = int(numbers[-1])
        rank, other = other, rank
    done = 0
    for chosen, _ in _sorted_pairs(rank, 4):
        other[done : done + len(chosen)] = chosen
        done += len(chosen)
    return other


def _sorted_pairs(rank: Ids, half: int) -> Iterator[tuple[Ids, Ids]]:
    """The positions sorted by (own rank, rank of the position `half` before), and where a pair differs from the last.

    They come range by range of the first rank, so that the 64-bit keys of only a part of them are in memory at once.
    """
    for low, high in _ranges(rank):
        chosen = np.flatnonzero((rank >= low) & (rank < high)).astype(np.int32)
        keys = rank[chosen].astype(np.int64) << 32
        keys |= np.where(chosen >= half, rank[np.maximum(chosen - half, 0)], 0)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        differs = np.ones(len(chosen), np.int32)
        np.not_equal(keys[1:], keys[:-1], out=differs[1:], casting="unsafe")
        yield chosen[order], differs


def _ranges(rank: Ids) -> Iterator[tuple[int, int]]:
    """Ranges [low, high) of ranks that hold about _CHUNK positions each, or little more than one rank alone."""
    shift = max(0, int(rank.max(initial=0)).bit_length() - 17)
    totals = np.cumsum(counted(rank, shift))
    low = taken = 0
    while low < len(totals):
        high = max(int(np.searchsorted(totals, taken + _CHUNK, side="right")), low + 1)
        if totals[high - 1] > taken:
            yield low << shift, high << shift
        taken = int(totals[high - 1])
        low = high


def counted(numbers: Ids, shift: int = 0) -> NDArray[np.int64]:
    """How often each number stands there, without its last `shift` bits. By pieces: numpy would copy all as 64 bits."""
    found = np.zeros((int(numbers.max(initial=0)) >> shift) + 1, np.int64)
    for at in range(0, len(numbers), _CHUNK):
        piece = np.bincount(numbers[at : at + _CHUNK] >> shift)
        found[: len(piece)] += piece
    return found
