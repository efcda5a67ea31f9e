"""Trains the completion's mixer on cases of `benchmarks.mixer_cases` and writes the arrays that ship.

    python -m benchmarks.mixer_training CASES [--out mixer.npz] [--check NAME …] [--epochs 4] [--seed 0]

Projects named with `--check` are not trained on; after each epoch the share of their cases is printed that the network
gets right. Adam on the cross entropy over each case's candidates, in plain numpy: three to ten minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.mixer_cases import MARKS
from rubber_duck.ngram.lexicon import NAME
from rubber_duck.ngram.mixer import FIRST_WORD, FORMAT

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

HIDDEN: Final = (128, 64)
VECTOR: Final = 32
BATCH: Final = 512
RATE: Final = 2e-3
LINE_END_CODE: Final = FIRST_WORD + MARKS.index("<line end>")
FORGOTTEN: Final = 0.03
"""The share of words that are taken for unknown ones while training, so that languages with other words work too."""


@dataclass(frozen=True)
class Cases:
    """Cases one after the other: `rows` and `codes` by candidate, the others by case; `starts` where each begins.

    `asked`: how many names, line ends and other tokens were asked for, of which some were no candidates.
    """

    rows: NDArray[np.float16]
    codes: Numbers
    sizes: Numbers
    starts: Numbers
    answers: Numbers
    around: Numbers
    context: Floats
    kinds: Numbers
    asked: Numbers

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Cases:
        """The cases of several files."""
        found: dict[str, list[np.ndarray]] = {}
        for path in paths:
            with np.load(path) as arrays:
                for name in arrays.files:
                    found.setdefault(name, []).append(arrays[name])
        joined = {name: np.concatenate(each) for name, each in found.items()}
        sizes = joined["sizes"].astype(np.int64)
        return cls(
            joined["rows"],
            joined["codes"].astype(np.int64),
            sizes,
            np.cumsum(sizes) - sizes,
            joined["answers"].astype(np.int64),
            joined["around"].astype(np.int64),
            joined["context"].astype(np.float32),
            joined["kinds"].astype(np.int64),
            joined["asked"].sum(axis=0),
        )

    def batch(self, chosen: Numbers) -> Batch:
        """Those cases together."""
        sizes = self.sizes[chosen]
        starts = np.cumsum(sizes) - sizes
        owner = np.repeat(np.arange(len(chosen)), sizes)
        at = self.starts[chosen][owner] + np.arange(len(owner)) - starts[owner]
        return Batch(
            self.rows[at].astype(np.float32),
            self.codes[at],
            self.context[chosen],
            self.around[chosen],
            owner,
            starts,
            starts + self.answers[chosen],
        )


@dataclass(frozen=True)
class Batch:
    """Some cases: `owner` is each candidate's case, `starts` each case's first candidate, `right` the answers'."""

    rows: Floats
    codes: Numbers
    context: Floats
    around: Numbers
    owner: Numbers
    starts: Numbers
    right: Numbers


class Network:
    """The mixer with what training needs."""

    def __init__(self, cases: Cases, words: int, random: np.random.Generator) -> None:
        first, second = HIDDEN
        rows, context, slots = cases.rows.shape[1], cases.context.shape[1], cases.around.shape[1]

        def drawn(*shape: int, scale: float) -> Floats:
            return (random.standard_normal(shape) * scale).astype(np.float32)

        sample = cases.rows[:: max(1, len(cases.rows) // 500_000)].astype(np.float32)
        self.mean, self.spread = sample.mean(0), sample.std(0) + 1e-2
        self.context_mean, self.context_spread = cases.context.mean(0), cases.context.std(0) + 1e-2
        self.weights = {
            "row": drawn(rows, first, scale=(2 / rows) ** 0.5),
            "place": drawn(context, first, scale=0.3 * (2 / context) ** 0.5),
            "bias": np.zeros(first, np.float32),
            "candidate": drawn(words, first, scale=0.05),
            "vectors": drawn(words, VECTOR, scale=0.3),
            "slots": drawn(slots, VECTOR, first, scale=0.1 * (1 / VECTOR) ** 0.5),
            "second": drawn(first, second, scale=(2 / first) ** 0.5),
            "bias2": np.zeros(second, np.float32),
            "last": drawn(second, scale=0.1),
        }
        self._momentum = {name: np.zeros_like(each) for name, each in self.weights.items()}
        self._square = {name: np.zeros_like(each) for name, each in self.weights.items()}
        self._steps = 0

    def scores(self, batch: Batch) -> tuple[Floats, tuple[Floats, ...]]:
        """The score of each candidate, and what the gradient needs of the way to it."""
        weights = self.weights
        rows = (batch.rows - self.mean) / self.spread
        context = (batch.context - self.context_mean) / self.context_spread
        place = context @ weights["place"] + weights["bias"]
        vectors = weights["vectors"][batch.around]
        place += vectors.reshape(len(vectors), -1) @ weights["slots"].reshape(-1, place.shape[1])
        first = np.maximum(rows @ weights["row"] + weights["candidate"][batch.codes] + place[batch.owner], 0)
        second = np.maximum(first @ weights["second"] + weights["bias2"], 0)
        return second @ weights["last"], (rows, context, vectors, first, second)

    def learn(self, batch: Batch, rate: float) -> float:
        """One step; the sum of the cases' losses before it."""
        scores, (rows, context, vectors, first, second) = self.scores(batch)
        shares = np.exp(scores - np.maximum.reduceat(scores, batch.starts)[batch.owner])
        shares /= np.add.reduceat(shares, batch.starts)[batch.owner]
        loss = float(-np.log(shares[batch.right] + 1e-9).sum())
        shares[batch.right] -= 1
        shares /= len(batch.starts)
        weights = self.weights
        gradient = {"last": second.T @ shares}
        back = shares[:, None] * weights["last"] * (second > 0)
        gradient["second"], gradient["bias2"] = first.T @ back, back.sum(0)
        back = (back @ weights["second"].T) * (first > 0)
        gradient["row"] = rows.T @ back
        gradient["candidate"] = _summed(batch.codes, back, len(weights["candidate"]))
        by_case = np.add.reduceat(back, batch.starts, axis=0)
        gradient["place"], gradient["bias"] = context.T @ by_case, by_case.sum(0)
        gradient["slots"] = (vectors.reshape(len(vectors), -1).T @ by_case).reshape(weights["slots"].shape)
        by_slot = by_case @ weights["slots"].reshape(-1, by_case.shape[1]).T
        gradient["vectors"] = _summed(batch.around.ravel(), by_slot.reshape(-1, VECTOR), len(weights["vectors"]))
        self._step(gradient, rate)
        return loss

    def _step(self, gradient: dict[str, Floats], rate: float) -> None:
        self._steps += 1
        for name, each in gradient.items():
            momentum, square = self._momentum[name], self._square[name]
            momentum += 0.1 * (each - momentum)
            square += 0.002 * (each * each - square)
            fair = (1 - 0.9**self._steps, 1 - 0.998**self._steps)
            self.weights[name] -= rate * (momentum / fair[0]) / (np.sqrt(square / fair[1]) + 1e-8)

    def arrays(self, words: Sequence[str]) -> dict[str, np.ndarray]:
        """What ships: half precision, the scaling of the inputs folded into the weights."""
        weights = dict(self.weights)
        bias = weights["bias"] - (self.mean / self.spread) @ weights["row"]
        bias -= (self.context_mean / self.context_spread) @ weights["place"]
        weights["row"] = weights["row"] / self.spread[:, None]
        weights["place"] = weights["place"] / self.context_spread[:, None]
        weights["bias"] = bias
        small = {name: each.astype(np.float16) for name, each in weights.items()}
        small["bias"] = bias.astype(np.float32)
        return small | {"format": np.array(FORMAT), "words": np.array("\n".join(words))}


def _summed(codes: Numbers, values: Floats, size: int) -> Floats:
    """The sum of the values of each code."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    found = np.zeros((size, values.shape[1]), np.float32)
    found[ordered[starts]] = np.add.reduceat(values[order], starts, axis=0)
    return found


def forgetful(batch: Batch, random: np.random.Generator) -> Batch:
    """The batch with some words taken for unknown tokens of any kind."""
    lost_codes = (batch.codes >= FIRST_WORD) & (random.random(batch.codes.shape) < FORGOTTEN)
    lost_around = (batch.around >= FIRST_WORD) & (random.random(batch.around.shape) < FORGOTTEN)
    return Batch(
        batch.rows,
        np.where(lost_codes, random.integers(1, 7, batch.codes.shape), batch.codes),
        batch.context,
        np.where(lost_around, random.integers(1, 7, batch.around.shape), batch.around),
        batch.owner,
        batch.starts,
        batch.right,
    )


def batches(cases: Cases, random: np.random.Generator) -> Iterator[Batch]:
    """All cases in a random order, the last few left out."""
    order = random.permutation(len(cases.sizes))
    for at in range(0, len(order) - BATCH + 1, BATCH):
        yield cases.batch(order[at : at + BATCH])


def check(network: Network, cases: Cases, name: str) -> None:
    """Print the share that is right: of all tokens, of names, of all with the ends of lines."""
    right: list[np.ndarray] = []
    right_token: list[np.ndarray] = []
    for at in range(0, len(cases.sizes), 4096):
        batch = cases.batch(np.arange(at, min(at + 4096, len(cases.sizes))))
        scores, _ = network.scores(batch)
        best = np.maximum.reduceat(scores, batch.starts)
        right.append(scores[batch.right] >= best)
        ends = batch.codes == LINE_END_CODE
        best = np.maximum.reduceat(np.where(ends, -1e9, scores), batch.starts)
        right_token.append(scores[batch.right] >= best)
    found, found_token = np.concatenate(right), np.concatenate(right_token)
    token = cases.codes[cases.starts + cases.answers] != LINE_END_CODE
    names = cases.kinds == NAME
    asked_names, asked_ends, asked_others = cases.asked.tolist()
    print(
        f"  {name}: {found_token[token].sum() / (asked_names + asked_others):.4f} of tokens, "
        f"{found_token[names].sum() / asked_names:.4f} of names, "
        f"{found.sum() / (asked_names + asked_ends + asked_others):.4f} with line ends",
        flush=True,
    )


def main() -> None:
    """Train, print how well it does after each epoch, write the arrays."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--check", nargs="*", default=[])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    words = (options.cases / "words.txt").read_text().split("\n")
    paths = sorted(options.cases.glob("*.npz"))
    random = np.random.default_rng(options.seed)
    cases = Cases.read([path for path in paths if path.stem not in options.check])
    checked = {name: Cases.read([options.cases / f"{name}.npz"]) for name in options.check}
    network = Network(cases, FIRST_WORD + len(words), random)
    steps = options.epochs * (len(cases.sizes) // BATCH)
    print(f"{len(cases.sizes)} cases, {len(cases.rows)} candidates", flush=True)
    step = 0
    for epoch in range(options.epochs):
        loss = 0.0
        for batch in batches(cases, random):
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            loss += network.learn(forgetful(batch, random), rate)
            step += 1
        print(f"epoch {epoch + 1}: loss {loss / len(cases.sizes):.4f}", flush=True)
        for name, each in checked.items():
            check(network, each, name)
    if options.out:
        np.savez_compressed(options.out, allow_pickle=False, **network.arrays(words))
        print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
