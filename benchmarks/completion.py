"""The next token and the rest of the line, predicted in files held out of training, beside a plain n-gram and jedi.

    python -m benchmarks.completion [--files N] [--only NAME …]

The protocol: files whose relative path has a first md5 byte below 20 are held out. Tokens are lexical, without
comments, layout and ends of lines; strings outside the 200 commonest of the other files, and numbers outside the 30
commonest, are one class each. One pass in file order; the file so far is known, which for ours includes where its lines
end (a cursor stands on a line). A line is right if all of its tokens are. `strictly`: the end of the line has to be
predicted too, and competes with the tokens everywhere. Each column is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.completion_peers import PlainNgram, jedi_after_dot
from benchmarks.corpus import CODE_BASES, WHERE
from benchmarks.mixer_cases import FAMILIES, is_held_out, paths, sources
from rubber_duck.ngram.draft import Draft
from rubber_duck.ngram.families import lexicon
from rubber_duck.ngram.lexicon import NAME
from rubber_duck.ngram.mixer import mixer
from rubber_duck.ngram.model import ProjectModel
from rubber_duck.ngram.prediction import guesses, lines
from rubber_duck.ngram.primer import primer
from rubber_duck.ngram.project import read_file
from rubber_duck.ngram.reading import relate_with
from rubber_duck.ngram.session import Session
from rubber_duck.ngram.suggestion import Cursor, suggestions
from rubber_duck.ngram.training import SourceText, decoded, train
from rubber_duck.ngram.vocabulary import FIRST_TEXT, LINE_END, OUT_3, SAME, FileReader

MEASURED: Final = {"django-5.2.7": "python", "zod-4.6.7": "typescript", "elixir-1.14.0": "elixir"}
LINES_TIMED: Final = 1500
UPDATES: Final = 60
DOTS: Final = 300
SEED: Final = 1


@dataclass
class Score:
    """What one predictor did; times in milliseconds unless a name says otherwise."""

    tokens: int = 0
    right: int = 0
    names: int = 0
    right_names: int = 0
    lines: int = 0
    right_lines: int = 0
    strict_tokens: int = 0
    strict_right: int = 0
    strict_lines: int = 0
    train_s: float = 0.0
    peak_mb: float = 0.0
    token_ms: float = 0.0
    line_ms: list[float] = field(default_factory=list)
    offer_ms: list[float] = field(default_factory=list)
    update_ms: list[float] = field(default_factory=list)
    notes: dict[str, float] = field(default_factory=dict)


def trained(folder: Path, language: str) -> tuple[ProjectModel, list[tuple[str, Path]]]:
    """The model of what is not held out, and the rest."""
    words = lexicon(FAMILIES[language])
    assert words is not None
    files = paths(folder, language)
    learnt = [each for each in files if not is_held_out(each[0])]
    model = train(words, sources(learnt), relate_with(language), using=mixer())
    model.speak(primer(words.family))
    return model, [each for each in files if is_held_out(each[0])]


def ours(folder: Path, language: str, files: int) -> Score:
    """Train, predict every token, time lines, offers and updates."""
    score = Score()
    started = time.process_time()
    model, held = trained(folder, language)
    score.train_s = time.process_time() - started
    score.peak_mb = _peak_mb()
    spent = 0.0
    for name, path in held[:files]:
        draft = Draft(model, name)
        tokens, columns = draft.reader.tokens(decoded(path.read_bytes()))
        line: list[tuple[bool, bool]] = []
        for token, column in zip(tokens.tolist(), columns.tolist(), strict=True):
            is_end = SAME <= token <= OUT_3
            started = time.process_time()
            if not is_end or draft.structure.line:
                _judge(score, draft, token, line, is_end=is_end)
            draft.push(token, column)
            spent += time.process_time() - started
            if is_end:
                _end_line(score, line)
        if line:
            _end_line(score, [*line, (True, False)])
    score.token_ms = spent / max(1, score.tokens) * 1000
    score.notes["peak while predicting, MB"] = _peak_mb()
    _time_lines(score, model, held, language)
    _time_updates(score, model, folder, language)
    return score


def _judge(score: Score, draft: Draft, token: int, line: list[tuple[bool, bool]], *, is_end: bool) -> None:
    found = guesses(draft)
    wanted = LINE_END if is_end else token
    strictly = bool(found) and found[0].token == wanted
    score.strict_tokens += 1
    score.strict_right += strictly
    if is_end:
        line.append((True, strictly))
        return
    if found and found[0].token == LINE_END:  # which is known not to be so
        found = guesses(draft, ends=False)
    best = found[0].token if found else -1
    score.tokens += 1
    score.right += best == token
    if draft.reader.kind(token) == NAME:
        score.names += 1
        score.right_names += best == token
    line.append((best == token, strictly))


def _end_line(score: Score, line: list[tuple[bool, bool]]) -> None:
    if line:
        score.lines += 1
        score.right_lines += all(right for right, _ in line)
        score.strict_lines += all(strictly for _, strictly in line)
    line.clear()


def _time_lines(score: Score, model: ProjectModel, held: Sequence[tuple[str, Path]], language: str) -> None:
    """The first line of the line's prediction, and what a person is offered, at some line starts, as one types."""
    chosen = random.Random(SEED)
    for name, path in chosen.sample(list(held), min(len(held), 25)):
        text = decoded(path.read_bytes())
        session = Session(model, name)
        starts = [at + 1 for at in range(len(text) - 1) if text[at] == "\n" and text[at + 1] not in "\n"]
        for at in sorted(chosen.sample(starts, min(len(starts), LINES_TIMED // 25))):
            cursor_at = at + len(text[at:]) - len(text[at:].lstrip(" "))
            prefix, suffix = text[:cursor_at], text[cursor_at:].partition("\n")[2]
            session.move(prefix)
            started = time.thread_time()
            lines(session.draft, count=1)
            score.line_ms.append((time.thread_time() - started) * 1000)
            cursor = Cursor(name, language, prefix, "\n" + suffix)
            started = time.thread_time()
            suggestions(session, cursor, count=3)
            score.offer_ms.append((time.thread_time() - started) * 1000)


def _time_updates(score: Score, model: ProjectModel, folder: Path, language: str) -> None:
    """One file after the other is counted anew, a line longer."""
    chosen = random.Random(SEED).sample(sorted(model.files), min(UPDATES, len(model.files)))
    for path in chosen:
        content = (folder / path).read_bytes() + b"\n"
        started = time.process_time()
        model.change([read_file(model, SourceText(path, "", content), language)])
        score.update_ms.append((time.process_time() - started) * 1000)


def plain(folder: Path, language: str, files: int) -> Score:
    """The same tokens, predicted by a plain cached n-gram that sees no ends of lines."""
    model, held = trained(folder, language)
    score = Score()
    base_mb = _peak_mb()
    peer = PlainNgram()
    started = time.process_time()
    for entry in model.files.values():
        tokens = model.tokens_of(entry)
        peer.learn([0, *tokens[(tokens < SAME) | (tokens > OUT_3)].tolist()])
    score.train_s = time.process_time() - started
    score.peak_mb = _peak_mb() - base_mb
    spent = 0.0
    for _, path in held[:files]:
        reader = FileReader(model.vocabulary)
        tokens, _ = reader.tokens(decoded(path.read_bytes()))
        peer.begin(0)
        line: list[tuple[bool, bool]] = []
        for token in tokens.tolist():
            if SAME <= token <= OUT_3:
                _end_line(score, line)
                continue
            started = time.process_time()
            right = peer.guess() == token
            peer.add(token)
            spent += time.process_time() - started
            score.tokens += 1
            score.right += right
            if reader.kind(token) == NAME:
                score.names += 1
                score.right_names += right
            line.append((right, False))
        _end_line(score, line)
    score.token_ms = spent / max(1, score.tokens) * 1000
    return score


def dots(folder: Path, language: str, files: int) -> Score:
    """Names after a dot: ours and jedi's recall among the first one, five and all, and how long each took."""
    model, held = trained(folder, language)
    score = Score()
    found: list[tuple[int, int]] = []
    jedi_ms: list[float] = []
    for name, path, text, offset, wanted in _after_dots(held[:files]):
        session = Session(model, name)
        session.move(text[:offset])
        started = time.thread_time()
        ranked = [
            session.draft.reader.text(guess.token) for guess in guesses(session.draft) if guess.token >= FIRST_TEXT
        ]
        score.line_ms.append((time.thread_time() - started) * 1000)
        theirs, seconds = jedi_after_dot(folder, name, text, offset)
        jedi_ms.append(seconds * 1000)
        found.append((_rank(ranked, wanted), _rank(theirs, wanted)))
        del path
    places = max(1, len(found))
    for who, at in (("ours", 0), ("jedi", 1)):
        for limit, label in ((1, "first"), (5, "first five"), (10**6, "any")):
            score.notes[f"{who}, {label}"] = sum(pair[at] <= limit for pair in found) / places
    score.notes |= {"jedi p50 ms": _percentile(jedi_ms, 50), "jedi p90 ms": _percentile(jedi_ms, 90)}
    score.tokens = len(found)
    return score


def _after_dots(held: Sequence[tuple[str, Path]]) -> Iterator[tuple[str, Path, str, int, str]]:
    """Some places behind a dot, with the name that stands there."""
    words = lexicon("python")
    assert words is not None
    places: list[tuple[str, Path, str, int, str]] = []
    for name, path in held:
        text = decoded(path.read_bytes())
        before = ""
        for match in words.pattern.finditer(text):
            if before == "." and match[0].isidentifier():
                places.append((name, path, text, match.start(), match[0]))
            before = match[0]
    yield from random.Random(SEED).sample(places, min(DOTS, len(places)))


def _rank(names: Sequence[str], wanted: str) -> int:
    return names.index(wanted) + 1 if wanted in names else 10**9


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else 0.0


KINDS: Final = {"ours": ours, "plain": plain, "dots": dots}


def _measured(kind: str, name: str, files: int) -> Score:
    """One kind of measurement in a process of its own, so that memory is its alone."""
    command = [sys.executable, "-m", "benchmarks.completion", "--measure", kind, "--only", name, "--files", str(files)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Score(**json.loads(done.stdout.splitlines()[-1]))


def _report(name: str, files: int) -> None:
    mine, peer = _measured("ours", name, files), _measured("plain", name, files)
    print(f"{name}: {mine.tokens} tokens, {mine.names} of them names, {mine.lines} lines\n")
    print(f"{'':<34}{'ours':>10}{'plain':>10}{'ratio':>8}")
    rows = (
        ("next token", mine.right / mine.tokens, peer.right / peer.tokens),
        ("names", mine.right_names / mine.names, peer.right_names / peer.names),
        ("whole line", mine.right_lines / mine.lines, peer.right_lines / peer.lines),
    )
    for label, a, b in rows:
        print(f"{label:<34}{a:>10.1%}{b:>10.1%}{a / b:>8.2f}")
    print(f"{'strictly: next token or line end':<34}{mine.strict_right / mine.strict_tokens:>10.1%}")
    print(f"{'strictly: whole line':<34}{mine.strict_lines / mine.lines:>10.1%}")
    print(f"{'trained, s of CPU':<34}{mine.train_s:>10.1f}{peer.train_s:>10.1f}{mine.train_s / peer.train_s:>8.2f}")
    print(f"{'peak memory, MB':<34}{mine.notes['peak while predicting, MB']:>10.0f}{peer.peak_mb:>9.0f}+")
    print(f"{'a token, ms of CPU':<34}{mine.token_ms:>10.2f}{peer.token_ms:>10.2f}")
    for label, values in (("a line", mine.line_ms), ("three offers", mine.offer_ms), ("a file again", mine.update_ms)):
        print(f"{label + ', ms: p50, p99':<34}{_percentile(values, 50):>10.2f}{_percentile(values, 99):>10.2f}")
    print()


def _report_dots(name: str, files: int) -> None:
    found = _measured("dots", name, files)
    print(f"{name}: {found.tokens} names behind a dot\n")
    print(f"{'':<34}{'ours':>10}{'jedi':>10}")
    for label in ("first", "first five", "any"):
        print(f"{'found, ' + label:<34}{found.notes['ours, ' + label]:>10.1%}{found.notes['jedi, ' + label]:>10.1%}")
    print(f"{'ms, p50':<34}{_percentile(found.line_ms, 50):>10.2f}{found.notes['jedi p50 ms']:>10.2f}")
    print(f"{'ms, p90':<34}{_percentile(found.line_ms, 90):>10.2f}{found.notes['jedi p90 ms']:>10.2f}\n")


def main() -> None:
    """Measure each code base that is there, and name those that are not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1_000_000, help="only the first N held-out files")
    parser.add_argument("--only", nargs="*", default=list(MEASURED), choices=list(MEASURED))
    parser.add_argument("--measure", choices=list(KINDS), help="one measurement in this process, as JSON")
    options = parser.parse_args()
    for name in options.only:
        folder = CODE_BASES[name]()
        if folder is None:
            print(f"{name} is absent: {WHERE[name]}\n")
        elif options.measure:
            print(json.dumps(asdict(KINDS[options.measure](folder, MEASURED[name], options.files))))
        else:
            _report(name, options.files)
            if MEASURED[name] == "python":
                _report_dots(name, options.files)


if __name__ == "__main__":
    main()
