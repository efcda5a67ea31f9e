"""Verdicts on findings, made by hand: how a sample is drawn, and how a verdict is found again by content."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "data"
THRESHOLDS = frozenset({"complex-function", "deep-nesting"})
"""Rules that count and compare with a limit: easily right, and so many that they would be the bulk of a sample."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in a code base (`"django-5.2.7"`); `line` is 1-based.

    `fingerprint` is made of the content (see the function), so it outlives lines that come and go elsewhere.
    """

    code: str
    path: str
    line: int
    rule: str
    message: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Label:
    """A verdict on one finding and a sentence why."""

    code: str
    path: str
    line: int
    rule: str
    fingerprint: str
    right: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Sample:
    """How a sample is drawn: over which code bases, how many findings, how many of one rule, of thresholds in all."""

    name: str
    codes: tuple[str, ...]
    size: int
    most_per_rule: int
    most_of_thresholds: int

    @property
    def file(self) -> Path:
        """Where its labels lie."""
        return FOLDER / f"{self.name}_findings.jsonl"


SEEN = Sample("django", ("django-5.2.7",), size=100, most_per_rule=26, most_of_thresholds=50)
"""The rules were written and mended with Django at hand."""

OTHERS = Sample(
    "others", ("sphinx-8.2.3", "zod-4.6.7", "elixir-1.14.0"), size=60, most_per_rule=20, most_of_thresholds=20
)
"""Code on which few rules had been tried when its first sample was labelled."""


FRESH = Sample("fresh", ("celery-5.5.3", "scrapy-2.13.3"), size=32, most_per_rule=20, most_of_thresholds=10)
"""Code on which no rule had been tried when its first sample was labelled, after the rules were mended on `OTHERS`."""


def fingerprint(rule: str, path: str, lines: Sequence[str], number: int) -> str:
    """A digest of the rule, the path, and the words of the 1-based line `number`, of two lines above and one below.

    Unlike the fingerprint of reports it does not count like findings: the same words in the same file get one verdict.
    """
    words = [" ".join(line.split()) for line in lines[max(0, number - 3) : number + 1]]
    return blake2b("\0".join((rule, path, *words)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def load(sample: Sample) -> list[Label]:
    """The labels of a sample, in the order of its file."""
    return [Label(**json.loads(line)) for line in sample.file.read_text(encoding="utf-8").splitlines()]


def draw(found: Iterable[Found], sample: Sample, seed: int) -> list[Found]:
    """The findings of a sample: rare rules wholly, at most so many of each, the rest by lot.

    Lots are drawn by a hash of the seed and the finding's fingerprint, so a finding that comes or goes changes only its
    own place in the sample.
    """
    by_rule: dict[str, list[Found]] = defaultdict(list)
    for each in sorted(found, key=lambda each: (_lot(each, seed), each.path, each.line)):
        by_rule[each.rule].append(each)
    thresholds = [of_rule for rule, of_rule in by_rule.items() if rule in THRESHOLDS]
    ordinary = [of_rule for rule, of_rule in by_rule.items() if rule not in THRESHOLDS]
    of_thresholds = _shared(thresholds, sample.most_of_thresholds, sample.most_per_rule)
    chosen = of_thresholds + _shared(ordinary, sample.size - len(of_thresholds), sample.most_per_rule)
    return sorted(chosen, key=lambda each: (each.rule, each.code, each.path, each.line))


def _shared(groups: Iterable[list[Found]], room: int, most: int) -> list[Found]:
    """The first of each group, as many as the others leave; small groups wholly."""
    chosen: list[Found] = []
    waiting = sorted(groups, key=lambda group: (len(group), group[0].rule))
    for place, group in enumerate(waiting):
        chosen += group[: min(most, (room - len(chosen)) // (len(waiting) - place))]
    return chosen


def matched(drawn: Sequence[Found], labels: Iterable[Label]) -> Mapping[Found, Label | None]:
    """Each finding with its label, None where it has none. A label of another rule or code base is never taken."""
    known = {(label.code, label.rule, label.fingerprint): label for label in labels}
    return {each: known.get((each.code, each.rule, each.fingerprint)) for each in drawn}


def _lot(found: Found, seed: int) -> bytes:
    return blake2b(f"{seed} {found.code} {found.fingerprint}".encode(), digest_size=8).digest()
