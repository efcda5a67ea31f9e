"""What a definition is about: the words of its name and of its callers' names and conditions, fading with distance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from rubber_duck.impact.spoken import Spoken
from rubber_duck.impact.weighed import Matrix, Weighed
from rubber_duck.impact.wording import own_name, words

FADING: Final = 0.6
CONDITION: Final = 0.7
HOPS: Final = 5
_INNERMOST: Final = 2


class Topics:
    """The topics of a project's definitions, each worked out when it is asked for."""

    def __init__(self, graph: Weighed) -> None:
        self._graph = graph
        self._callers: dict[int, list[tuple[int, int, float]]] = {}
        self._own: dict[int, dict[str, float]] = {}
        self._known: dict[tuple[int, int], dict[str, float]] = {}

    def of(self, number: int, hops: int = HOPS) -> dict[str, float]:
        """Word → how much the definition is about it; what callers are about counts `FADING` as much."""
        known = self._known.get((number, hops))
        if known is not None:
            return known
        found: defaultdict[str, float] = defaultdict(float, self._near(number))
        callers = self._called_by(number) if hops else ()
        total = sum(weight for _, _, weight in callers)
        for source, _, weight in callers:
            for word, value in self.of(source, hops - 1).items():
                found[word] += FADING * value * weight / total
        self._known[number, hops] = dict(found)
        return self._known[number, hops]

    def _near(self, number: int) -> dict[str, float]:
        """The words of its own name and of the conditions below which it is called."""
        known = self._own.get(number)
        if known is not None:
            return known
        definition = self._graph.definitions[number]
        name = words(own_name(definition)) | words(definition.owner)
        found: defaultdict[str, float] = defaultdict(float, {word: 1 / len(name) for word in name})
        callers = self._called_by(number)
        total = sum(weight for _, _, weight in callers)
        for _, guard, weight in callers:
            said = [word for each in self._graph.guards[guard].conditions[-_INNERMOST:] for word in words(each)]
            for word in said:
                found[word] += CONDITION * weight / total / len(said)
        self._own[number] = dict(found)
        return self._own[number]

    def _called_by(self, number: int) -> list[tuple[int, int, float]]:
        """What of the product calls a definition: its number, the guard's number, how likely it does."""
        known = self._callers.get(number)
        if known is None:
            graph = self._graph
            edges = graph.into([number])
            edges = edges[graph.is_product[graph.sources[edges]]]
            weights = graph.guarded[edges] * graph.sure[edges]
            columns = (graph.sources[edges], graph.guard_numbers[edges], weights)
            known = self._callers[number] = list(zip(*(each.tolist() for each in columns), strict=True))
        return known


def alike(topics: Sequence[dict[str, float]], said: Spoken) -> Matrix:
    """For each text (rows) and topic (columns): the share of the topic that is said, rare words counting more."""
    numbers = {word: at for at, word in enumerate(sorted({word for each in topics for word in each}))}
    spoken = said.matrix(numbers)
    rarity = np.log(1 + len(said) / (1 + spoken.sum(axis=0)))
    asked = np.zeros((len(topics), len(numbers)), dtype=np.float32)
    for row, topic in enumerate(topics):
        for word, value in topic.items():
            asked[row, numbers[word]] = value
    asked *= rarity
    asked /= np.maximum(asked.sum(axis=1, keepdims=True), 1e-6)
    matrix: Matrix = (spoken @ asked.T).astype(np.float32)
    return matrix
