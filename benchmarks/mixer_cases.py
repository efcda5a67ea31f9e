"""Cases to train the completion's mixer on: places in held-out files of projects, the evidence there, the answer.

    python -m benchmarks.mixer_cases OUT LANGUAGE FOLDER [FOLDER …]

writes one `<folder's name>.npz` a project into OUT. The projects must not be those that are measured.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from rubber_duck.ngram.draft import Draft
from rubber_duck.ngram.evidence import gather
from rubber_duck.ngram.families import lexicon
from rubber_duck.ngram.lexicon import KEYWORD, NAME, SYMBOL
from rubber_duck.ngram.mixer import Mixer, expand
from rubber_duck.ngram.model import ProjectModel
from rubber_duck.ngram.reading import relate_with
from rubber_duck.ngram.scope import file_scope, project_scope
from rubber_duck.ngram.training import SourceText, decoded, train
from rubber_duck.ngram.vocabulary import LINE_END, OUT_3, SAME

SUFFIXES: Final = {"python": (".py",), "typescript": (".ts", ".tsx"), "elixir": (".ex", ".exs")}
FAMILIES: Final = {"python": "python", "typescript": "ecmascript", "elixir": "elixir"}
MARKS: Final = ("<start>", "<line end>", "<same>", "<deeper>", "<out>", "<out 2>", "<out 3>")
WORDS_A_FAMILY: Final = 160
MOST_CASES: Final = 60_000
FEWEST_PROJECTS: Final = 3
"""Names are common to a language only if so many projects say so."""


def paths(folder: Path, language: str) -> list[tuple[str, Path]]:
    """The project's files in that language by their relative path, generated declarations and huge files left out."""
    found = [
        (path.relative_to(folder).as_posix(), path)
        for path in folder.rglob("*")
        if path.suffix in SUFFIXES[language]
        and not path.name.endswith(".d.ts")
        and path.is_file()
        and path.stat().st_size <= 1_000_000
    ]
    return sorted(found)


def is_held_out(path: str, share: int = 20) -> bool:
    """Whether the file is not learnt from: `share` of 256."""
    return hashlib.md5(path.encode(), usedforsecurity=False).digest()[0] < share


def sources(files: list[tuple[str, Path]]) -> Iterator[SourceText]:
    """The files' content, one after the other."""
    for name, path in files:
        yield SourceText(name, "", path.read_bytes())


def trained(folder: Path, language: str, *, share: int, using: Mixer) -> tuple[ProjectModel, list[tuple[str, Path]]]:
    """The model of the files that are not held out, and those that are."""
    files = paths(folder, language)
    words = lexicon(FAMILIES[language])
    assert words is not None
    model = train(
        words,
        sources([each for each in files if not is_held_out(each[0], share)]),
        relate_with(language),
        using=using,
    )
    return model, [each for each in files if is_held_out(each[0], share)]


def common_words(projects: list[tuple[str, Path]]) -> list[str]:
    """The tokens that mean something in every project: those in most projects of a language, and its keywords."""
    found: dict[str, None] = dict.fromkeys(MARKS)
    for language in dict.fromkeys(each for each, _ in projects):
        words = lexicon(FAMILIES[language])
        assert words is not None
        folders = [folder for each, folder in projects if each == language]
        seen: Counter[str] = Counter()
        share: defaultdict[str, float] = defaultdict(float)
        for folder in folders:
            counts: Counter[str] = Counter()
            for _, path in paths(folder, language)[:400]:
                counts.update(words.split(decoded(path.read_bytes())))
            for token, times in counts.items():
                if words.kind(token) in (SYMBOL, KEYWORD, NAME):
                    seen[token] += 1
                    share[token] += times / counts.total()
        chosen = [token for token in seen if seen[token] >= 0.7 * len(folders)]
        if len(folders) < FEWEST_PROJECTS:
            chosen = [token for token in chosen if words.kind(token) != NAME]
        chosen.sort(key=lambda token: (-share[token], token))
        found |= dict.fromkeys(chosen[:WORDS_A_FAMILY])
        found |= dict.fromkeys(sorted(words.keywords))
    return list(found)


def cases(folder: Path, language: str, using: Mixer, *, share: int, every: int) -> dict[str, np.ndarray]:
    """One case for about each `every`-th token of the held-out files, as columns."""
    model, held = trained(folder, language, share=share, using=using)
    random = np.random.default_rng(0)
    rows: list[np.ndarray] = []
    columns: dict[str, list[object]] = {
        name: [] for name in ("sizes", "answers", "codes", "around", "context", "kinds")
    }
    asked = Counter[str]()
    for name, path in held:
        draft = Draft(model, name)
        tokens, widths = draft.reader.tokens(decoded(path.read_bytes()))
        chosen = random.random(len(tokens)) < 1 / every
        for token, width, is_chosen in zip(tokens.tolist(), widths.tolist(), chosen.tolist(), strict=True):
            answer = LINE_END if SAME <= token <= OUT_3 else token
            if is_chosen and (answer != LINE_END or draft.structure.line):
                evidence = gather(draft, project_scope(draft), file_scope(draft))
                asked["names" if draft.reader.kind(token) == NAME else "ends" if answer == LINE_END else "others"] += 1
                if answer in evidence.candidates:
                    rows.append(expand(evidence.columns).astype(np.float16))
                    columns["sizes"].append(len(evidence.candidates))
                    columns["answers"].append(evidence.candidates.index(answer))
                    columns["codes"].extend(code(draft, each) for each in evidence.candidates)
                    columns["around"].append([code(draft, each) for each in evidence.words])
                    columns["context"].append(evidence.context)
                    columns["kinds"].append(draft.reader.kind(token))
            draft.push(token, width)
        if len(rows) >= MOST_CASES:
            break
    found = {name: np.array(column) for name, column in columns.items()}
    found["asked"] = np.array([[asked["names"], asked["ends"], asked["others"]]])
    return {"rows": np.concatenate(rows), **found}


def code(draft: Draft, number: int) -> int:
    """A token's row in the network's vectors."""
    return draft.code(number)


def main(arguments: list[str]) -> None:
    """Write the cases of each folder."""
    out, language, *folders = arguments
    words = Path(out, "words.txt").read_text().split("\n")
    using = Mixer.untrained(words)
    for name in folders:
        folder = Path(name)
        files = paths(folder, language)
        size = sum(path.stat().st_size for _, path in files)
        share = 64 if size < 10_000_000 else 40
        every = max(1, round(size * share / 256 / 6 / MOST_CASES))
        found = cases(folder, language, using, share=share, every=every)
        np.savez(Path(out, f"{folder.name}.npz"), allow_pickle=False, **found)
        print(f"{folder.name}: {len(found['sizes'])} cases, one of {every} tokens", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
