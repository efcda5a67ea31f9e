"""How many findings of our own rules are right, by the labels in tests/data: on Django and on other code."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import corpus
from benchmarks.labels import FRESH, OTHERS, SEEN, Found, Label, draw, fingerprint, load, matched
from rubber_duck.analysis.rule import rules

SEED = 20261121


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of one rule's findings: all, those in the sample, and of these the right and the wrong ones."""

    found: int
    sampled: int
    right: int
    wrong: int

    @property
    def unlabelled(self) -> int:
        """Those in the sample that nobody has judged. They count neither as right nor as wrong."""
        return self.sampled - self.right - self.wrong

    @property
    def precision(self) -> float | None:
        """Right ones among those with a label; None where there is no label."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None


def main(arguments: Sequence[str] = ()) -> None:
    """Print each sample's precision, by rule and overall, and alarms per 1,000 lines; `--draw`: what lacks a label."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="another seed draws another sample")
    parser.add_argument(
        "--draw", action="store_true", help="print the sampled findings that have no label, to be judged"
    )
    given = parser.parse_args(arguments)
    for sample in (SEEN, OTHERS, FRESH):
        found: list[Found] = []
        lines = 0
        for code in sample.codes:
            of_code, lines_of_code = findings(code)
            found += of_code
            lines += lines_of_code
        if not lines:
            continue
        drawn = matched(draw(found, sample, given.seed), load(sample))
        if given.draw:
            for each in (each for each, label in drawn.items() if label is None):
                place = {"code": each.code, "path": each.path, "line": each.line, "rule": each.rule}
                verdict = {"fingerprint": each.fingerprint, "right": None, "reason": each.message}
                print(json.dumps(place | verdict, ensure_ascii=False))
        else:
            print(f"{sample.name}: {', '.join(sample.codes)}, seed {given.seed}\n")
            for line in (*_table(found, drawn), *_gone(found, load(sample)), *_totals(found, drawn, lines), ""):
                print(line)


def findings(code: str) -> tuple[list[Found], int]:
    """What `duck analyze` finds there by our own rules, and how many lines it read; nothing if it is absent."""
    folder = corpus.CODE_BASES[code]()
    if folder is None:
        print(f"{code} is absent, so it is not judged: {corpus.WHERE[code]}", file=sys.stderr)
        return [], 0
    known = rules.discover()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        argv = [sys.executable, "-m", "rubber_duck", "analyze", ".", "--format", "json", "--output", str(report)]
        done = subprocess.run(
            argv, cwd=folder, env={"DUCK_HOME": scratch, "PATH": ""}, capture_output=True, check=False
        )
        if done.returncode not in {0, 1}:
            raise SystemExit(done.stderr.decode())
        told = json.loads(report.read_bytes())
    found: list[Found] = []
    for file in told["files"]:
        path = file["path"]
        lines = (folder / told["root"] / path).read_text(encoding="utf-8", errors="replace").split("\n")
        for each in file["findings"]:
            rule, number = each["rule"], each["span"]["start_line"]
            if rule in known:
                marked = fingerprint(rule, path, lines, number)
                found.append(Found(code, path, number, rule, each["message"], marked))
    return found, told["summary"]["lines"]


def tallies(found: Sequence[Found], drawn: Mapping[Found, Label | None]) -> dict[str, Tally]:
    """Each rule's tally, the most frequent rule first."""
    sampled = Counter(each.rule for each in drawn)
    right = Counter(each.rule for each, label in drawn.items() if label is not None and label.right)
    wrong = Counter(each.rule for each, label in drawn.items() if label is not None and not label.right)
    return {
        rule: Tally(count, sampled[rule], right[rule], wrong[rule])
        for rule, count in sorted(Counter(each.rule for each in found).items(), key=lambda item: (-item[1], item[0]))
    }


def _table(found: Sequence[Found], drawn: Mapping[Found, Label | None]) -> Iterator[str]:
    yield f"{'rule':<26}{'found':>7}{'sampled':>9}{'right':>7}{'wrong':>7}{'no label':>10}{'precision':>11}"
    for rule, tally in tallies(found, drawn).items():
        shown = f"{tally.precision:11.2f}" if tally.precision is not None else f"{'not known':>11}"
        counts = f"{tally.found:7}{tally.sampled:9}{tally.right:7}{tally.wrong:7}{tally.unlabelled:10}"
        yield f"{rule:<26}{counts}{shown}"
    yield ""


def _gone(found: Sequence[Found], labels: Sequence[Label]) -> Iterator[str]:
    """Labels whose finding is no longer made: mended if it was wrong, lost if it was right."""
    here = {(each.code, each.rule, each.fingerprint) for each in found}
    gone = [label for label in labels if (label.code, label.rule, label.fingerprint) not in here]
    for label in gone:
        verdict = "right one lost" if label.right else "wrong one mended"
        yield f"{verdict}: {label.rule} at {label.code}/{label.path}:{label.line}"
    yield from [""] if gone else []


def _totals(found: Sequence[Found], drawn: Mapping[Found, Label | None], lines: int) -> Iterator[str]:
    by_rule = tallies(found, drawn)
    right, wrong = (sum(getattr(each, what) for each in by_rule.values()) for what in ("right", "wrong"))
    judged = {rule: tally for rule, tally in by_rule.items() if tally.precision is not None}
    alarms = sum(tally.found for tally in judged.values())
    false = sum(tally.found * (1 - (tally.precision or 0)) for tally in judged.values())
    yield f"{'sampled findings without a label':<44}{len(drawn) - right - wrong:6}   of {len(drawn)}"
    yield f"{'precision of the labelled':<44}{right / max(1, right + wrong):6.2f}   ({right} of {right + wrong})"
    yield f"{'precision if all without a label were wrong':<44}{right / max(1, len(drawn)):6.2f}"
    yield f"{'precision over all, rules weighted by number':<44}{1 - false / max(1, alarms):6.2f}"
    yield f"{'alarms per 1,000 lines':<44}{len(found) / lines * 1000:6.2f}   ({len(found)} in {lines:,} lines)"
    yield f"{'false alarms per 1,000 lines':<44}{false / lines * 1000:6.2f}"


if __name__ == "__main__":
    main(sys.argv[1:])
