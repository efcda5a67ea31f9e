"""The contexts of the text that is being written: the nearest scope, which can be extended and cut back at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rubber_duck.ngram.index import Level
from rubber_duck.ngram.vocabulary import LINE_END, OUT_3, SAME

ORDER: Final = 6
"""The longest context, in tokens."""

_LATEST: Final = 48
_FACTOR: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 62) - 1


class RecentContexts:
    """Where each context of up to ORDER tokens was seen in one sequence, the latest last.

    Most contexts are seen once: their only place stands there without a list, which takes half of the memory.
    """

    def __init__(self) -> None:
        self._places: dict[int, int | list[int]] = {}

    def add(self, tokens: Sequence[int]) -> None:
        """Note that the end of `tokens` is the context of a token which will stand at its length."""
        places = self._places
        size = len(tokens)
        key = 0
        for back in range(1, min(ORDER, size) + 1):
            key = ((key + tokens[size - back]) * _FACTOR + back) & _MASK
            found = places.get(key)
            if found is None:
                places[key] = size
            elif isinstance(found, int):
                places[key] = [found, size]
            else:
                found.append(size)

    def cut(self, tokens: Sequence[int], size: int) -> None:
        """Forget what was noted of `tokens` from the place `size` on."""
        places = self._places
        for end in range(len(tokens) - 1, size - 1, -1):
            key = 0
            for back in range(1, min(ORDER, end) + 1):
                key = ((key + tokens[end - back]) * _FACTOR + back) & _MASK
                found = places[key]
                if isinstance(found, int) or len(found) == 1:
                    del places[key]
                else:
                    found.pop()

    def after(self, tokens: Sequence[int]) -> list[Level]:
        """What followed the end of `tokens` lately, one level for each length that tells more, the shortest first."""
        levels: list[Level] = []
        places = self._places
        size = len(tokens)
        key = last = 0
        for back in range(1, min(ORDER, size) + 1):
            key = ((key + tokens[size - back]) * _FACTOR + back) & _MASK
            found = places.get(key)
            if found is None:
                break
            seen = (found,) if isinstance(found, int) else found
            if len(seen) == last:
                levels[-1] = levels[-1]._replace(order=back)
                continue
            last = len(seen)
            counts: dict[int, int] = {}
            for at in seen[-_LATEST:]:
                token = tokens[at]
                if SAME <= token <= OUT_3:
                    token = LINE_END
                counts[token] = counts.get(token, 0) + 1
            levels.append(Level(back, min(last, _LATEST), len(counts), counts))
        return levels
