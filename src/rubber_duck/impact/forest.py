"""Decision trees that turn evidence into a probability; `benchmarks.impact_training` grows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rubber_duck.impact.weighed import Matrix

FILE: Final = "forest.npz"
"""`names` of what the trees ask, and for each node `feature` (-1: a leaf), `threshold` (up to it: `left`, else `right`)
and `value`; `roots` are the trees, whose values add up to the logarithm of the odds."""

_DEEPEST: Final = 64


class Forest:
    """The trees of one file, as `numpy.savez` wrote it."""

    def __init__(self, content: bytes) -> None:
        with np.load(BytesIO(content), allow_pickle=False) as stored:
            self.names: tuple[str, ...] = tuple(map(str, stored["names"]))
            self._feature: NDArray[np.int16] = stored["feature"]
            self._threshold: NDArray[np.float64] = stored["threshold"]
            self._left: NDArray[np.int32] = stored["left"]
            self._right: NDArray[np.int32] = stored["right"]
            self._value: NDArray[np.float32] = stored["value"]
            self._roots: NDArray[np.int32] = stored["roots"]

    def probability(self, evidence: Mapping[str, Matrix]) -> Matrix:
        """For matrices of one shape, one for each of `names`, the probability at each place, in (0, 1)."""
        shape = evidence[self.names[0]].shape
        columns = np.stack([evidence[name].ravel() for name in self.names], axis=1)
        odds = np.zeros(len(columns), dtype=np.float32)
        every = np.arange(len(columns))
        for root in self._roots:
            at = np.full(len(columns), root, dtype=np.int32)
            for _ in range(_DEEPEST):
                feature = self._feature[at]
                inner = feature >= 0
                if not inner.any():
                    break
                goes_left = columns[every, np.maximum(feature, 0)] <= self._threshold[at]
                at = np.where(inner, np.where(goes_left, self._left[at], self._right[at]), at)
            odds += self._value[at]
        probability: Matrix = (1 / (1 + np.exp(-odds))).reshape(shape).astype(np.float32)
        return probability


@cache
def forest() -> Forest:
    """The one that is shipped."""
    return Forest((files("rubber_duck.impact") / FILE).read_bytes())
