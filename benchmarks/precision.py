"""How many findings of our own rules on Django are right, by the labels in tests/data/django_findings.jsonl."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import corpus
from rubber_duck.analysis.rule import rules

LABELS = Path(__file__).resolve().parent.parent / "tests" / "data" / "django_findings.jsonl"
SAMPLE, SEED, MOST_PER_RULE = 100, 20261121, 26


@dataclass(frozen=True, slots=True)
class Found:
    """A finding by its place; `line` is 1-based."""

    path: str
    line: int
    rule: str
    message: str

    @property
    def key(self) -> tuple[str, int, str]:
        """What a label is matched by."""
        return (self.path, self.line, self.rule)


def main(arguments: Sequence[str] = ()) -> None:
    """Print precision overall and by rule, and alarms per 1,000 lines; `--draw` prints a sample to label instead."""
    found, lines = findings(corpus.django())
    if "--draw" in arguments:
        for each in draw(found):
            place = {"path": each.path, "line": each.line, "rule": each.rule}
            print(json.dumps(place | {"right": None, "reason": each.message}, ensure_ascii=False))
        return
    labels = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    _print(found, labels, lines)


def findings(folder: Path) -> tuple[list[Found], int]:
    """What `duck analyze` finds there by our own rules, and how many lines it read."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        argv = [sys.executable, "-m", "rubber_duck", "analyze", ".", "--format", "json", "--output", report]
        done = subprocess.run(
            argv, cwd=folder, env={"DUCK_HOME": scratch, "PATH": ""}, capture_output=True, check=False
        )
        if done.returncode not in {0, 1}:
            raise SystemExit(done.stderr.decode())
        told = json.loads(report.read_bytes())
    known = rules.discover()
    found = [
        Found(file["path"], each["span"]["start_line"], each["rule"], each["message"])
        for file in told["files"]
        for each in file["findings"]
        if each["rule"] in known
    ]
    return sorted(found, key=lambda each: each.key), told["summary"]["lines"]


def draw(found: Iterable[Found]) -> list[Found]:
    """SAMPLE findings: all of the rare rules, at most MOST_PER_RULE of each other rule, the same every time."""
    chance = random.Random(SEED)
    by_rule: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        by_rule[each.rule].append(each)
    chosen: list[Found] = []
    for _, of_rule in sorted(by_rule.items(), key=lambda item: (len(item[1]), item[0])):
        most = min(MOST_PER_RULE, SAMPLE - len(chosen))
        chosen += of_rule if len(of_rule) <= most else chance.sample(of_rule, most)
    return sorted(chosen, key=lambda each: (each.rule, each.path, each.line))


def _print(found: list[Found], labels: list[dict[str, object]], lines: int) -> None:
    here = {each.key for each in found}
    totals, right, judged = Counter(each.rule for each in found), Counter[str](), Counter[str]()
    for label in labels:
        if (label["path"], label["line"], label["rule"]) in here:
            judged[str(label["rule"])] += 1
            right[str(label["rule"])] += bool(label["right"])
    print(f"{'rule':<26}{'found':>7}{'labelled':>10}{'right':>7}{'precision':>11}")
    for rule, count in totals.most_common():
        shown = f"{right[rule] / judged[rule]:11.2f}" if judged[rule] else f"{'not known':>11}"
        print(f"{rule:<26}{count:7}{judged[rule]:10}{right[rule]:7}{shown}")
    for line in _totals(totals, right, judged, lines):
        print(line)
    gone = len(labels) - judged.total()
    if gone:
        print(f"{gone} labelled findings are no longer reported")


def _totals(totals: Counter[str], right: Counter[str], judged: Counter[str], lines: int) -> Iterator[str]:
    expected = sum(count * right[rule] / judged[rule] for rule, count in totals.items() if judged[rule])
    known = sum(count for rule, count in totals.items() if judged[rule])
    yield ""
    precision = right.total() / max(1, judged.total())
    yield f"precision of the sample{precision:31.2f}   ({right.total()} of {judged.total()})"
    yield f"precision over all, rules weighted by number{expected / max(1, known):10.2f}"
    yield f"alarms per 1,000 lines{totals.total() / lines * 1000:32.2f}   ({totals.total()} in {lines:,} lines)"
    yield f"false alarms per 1,000 lines{(known - expected) / lines * 1000:26.2f}"


if __name__ == "__main__":
    main(sys.argv[1:])
