"""What the completion is measured beside: a plain cached n-gram of our own making, and jedi."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ORDER: Final = 5
_TOP: Final = 40
_CACHE_HALF: Final = 1.0

Counts = dict[int, int]


class PlainNgram:
    """Counts of what followed each of up to ORDER tokens, in the project and, as a cache, in the file so far.

    Witten and Bell's interpolation from the longest context down, at each length the cache's share mixed with the
    project's (Tu, Su, Devanbu: On the Localness of Software, 2014). A context that was seen once is a bare number.
    """

    def __init__(self) -> None:
        self._after: list[dict[int, int | Counts]] = [{} for _ in range(ORDER)]
        self._cache: list[dict[int, Counts]] = []
        self._file: list[int] = []

    def learn(self, tokens: Sequence[int]) -> None:
        """Count one file."""
        for order, table in enumerate(self._after, 1):
            for key, token in zip(_keys(tokens, order), tokens[order:], strict=False):
                known = table.get(key)
                if known is None:
                    table[key] = token
                elif isinstance(known, int):
                    table[key] = {known: 2} if known == token else {known: 1, token: 1}
                else:
                    known[token] = known.get(token, 0) + 1

    def begin(self, start: int) -> None:
        """Forget the last file."""
        self._cache = [defaultdict(dict) for _ in range(ORDER)]
        self._file = [start]

    def add(self, token: int) -> None:
        """The file goes on with `token`."""
        for order in range(1, min(ORDER, len(self._file)) + 1):
            counts = self._cache[order - 1][hash(tuple(self._file[-order:]))]
            counts[token] = counts.get(token, 0) + 1
        self._file.append(token)

    def guess(self) -> int:
        """The likeliest next token, -1 when nothing is known."""
        found: list[tuple[Counts, Counts]] = []
        for order in range(1, min(ORDER, len(self._file)) + 1):
            key = hash(tuple(self._file[-order:]))
            known = self._after[order - 1].get(key)
            cached = self._cache[order - 1].get(key)
            if known is None and not cached:
                break
            whole: Counts = {known: 1} if isinstance(known, int) else known or {}
            found.append((whole, cached or {}))
        scores: dict[int, float] = defaultdict(float)
        weight = 1.0
        for whole, cached in reversed(found):
            project, file = sum(whole.values()), sum(cached.values())
            distinct = len(whole) + len(cached)
            sure = (project + file) / (project + file + distinct)
            share = file / (file + _CACHE_HALF) if whole else 1.0
            best = sorted(whole, key=whole.__getitem__, reverse=True)[:_TOP] if len(whole) > 4 * _TOP else whole
            for token in best:
                scores[token] += weight * sure * (1 - share) * whole[token] / project
            for token, times in cached.items():
                scores[token] += weight * sure * share * times / file
            weight *= 1 - sure
        return max(scores, key=scores.__getitem__) if scores else -1


def _keys(tokens: Sequence[int], order: int) -> list[int]:
    return [hash(each) for each in zip(*(tokens[at:] for at in range(order)), strict=False)]


def jedi_after_dot(root: Path, path: str, text: str, offset: int) -> tuple[list[str], float]:
    """The names jedi offers at `offset` of the file, in its order, and the seconds it took."""
    import jedi  # noqa: PLC0415  # only where it is compared

    before = text[:offset]
    line = before.count("\n") + 1
    column = offset - (before.rfind("\n") + 1)
    started = time.perf_counter()
    script = jedi.Script(before, path=root / path, project=jedi.Project(root, added_sys_path=[str(root)]))
    names = [each.name for each in script.complete(line, column)]
    return names, time.perf_counter() - started
