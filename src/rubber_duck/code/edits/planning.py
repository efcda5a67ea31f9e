"""Plans what the edits of a text do to the files of a project: nothing is written, everything is said."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.code import detect, family, open_source
from rubber_duck.code.edits.edit import Edit, Misread, Reading, Replace, Whole
from rubber_duck.code.edits.hunks import Hunk, hunks, taken
from rubber_duck.code.edits.lines import cut
from rubber_duck.code.edits.placing import Fate, Terms, Verdict, place
from rubber_duck.code.edits.textfile import TextFile, git_blob
from rubber_duck.errors import DuckError, InvalidInput, LimitExceeded

MOST_FILES: Final = 1_000
"""The most files that one text may edit."""

_HEAD_BYTES: Final = 4_096

Read = Callable[[str], bytes | None]
"""The content of a file, None when there is none; raises a DuckError when it may not be read or written."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after; None: it does not exist then. `broken` says in a sentence what no longer parses."""

    path: str
    before: bytes | None
    after: bytes | None
    hunks: tuple[Hunk, ...]
    old: str
    new: str
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the edits do. `verdicts` are in the edits' order, with the paths that they mean."""

    changes: tuple[FileChange, ...]
    verdicts: tuple[Verdict, ...]
    misread: tuple[Misread, ...]

    @property
    def is_sound(self) -> bool:
        """Whether every edit was read, is placed or done, and breaks no file."""
        fine = {Fate.PLACED, Fate.DONE}
        return (
            not self.misread
            and all(verdict.fate in fine for verdict in self.verdicts)
            and not any(change.broken for change in self.changes)
        )

    @property
    def digest(self) -> str:
        """Names exactly these changes, from the bytes that are there to the bytes that will be."""
        parts = [f"{change.path}\0{_hash(change.before)}\0{_hash(change.after)}\0" for change in self.changes]
        return hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def plan(reading: Reading, read: Read, known: Collection[str], *, may_replace: bool = False) -> Plan:
    """Place the edits of `reading` in files that `read` gives; `known` are the project's, for names that say less.

    `may_replace` lets a whole file replace one that is there. Raises LimitExceeded beyond MOST_FILES.
    """
    by_path: dict[str, list[tuple[int, Edit]]] = {}
    verdicts: dict[int, Verdict] = {}
    for number, edit in enumerate(reading.edits):
        found = resolve(edit, known)
        if isinstance(found, str):
            by_path.setdefault(found, []).append((number, dataclasses.replace(edit, path=found)))
        else:
            verdicts[number] = found
    if len(by_path) > MOST_FILES:
        raise LimitExceeded(f"the text edits more than {MOST_FILES:,} files; apply it in parts")
    changes = []
    for path, numbered in by_path.items():
        change, said = _planned(path, [edit for _, edit in numbered], read, may_replace=may_replace)
        verdicts.update(zip((number for number, _ in numbered), said, strict=True))
        if change is not None:
            changes.append(change)
    changes.sort(key=lambda each: each.path)
    return Plan(tuple(changes), tuple(verdicts[number] for number in sorted(verdicts)), reading.misread)


def rewritten(texts: Mapping[str, str | None], read: Read) -> Plan:
    """The plan that makes each file what `texts` says, None: gone; what a file keeps (encoding, mark) is kept.

    Raises what `read` raises, and InvalidInput for a text that the file's encoding cannot hold.
    """
    changes = []
    for path, text in sorted(texts.items()):
        before = read(path)
        kept = TextFile("") if before is None else _text_of(path, before)
        after = None if text is None else kept.to_bytes(text)
        if after != before:
            changes.append(_judged(path, before, after, (kept.text if before is not None else "", text or "")))
    return Plan(tuple(changes), (), ())


def read_text(path: str, content: bytes) -> str:
    """The text of a file, as `rewritten` takes it; raises InvalidInput for what is no text."""
    return _text_of(path, content).text


def chosen(made: Plan, numbers: Collection[int]) -> Plan:
    """The plan with only those hunks, counted from 1 through all files; a file of which none is left is not changed.

    Making and removing a file is one hunk.
    """
    wanted = set(numbers)
    changes: list[FileChange] = []
    first = 1
    for change in made.changes:
        count = hunk_count(change)
        picked = {number - first for number in wanted if first <= number < first + count}
        first += count
        if len(picked) == count:
            changes.append(change)
        elif picked:
            read = _text_of(change.path, change.before or b"")
            text = taken(change.old, change.new, picked)
            after = read.to_bytes(text)
            changes.append(_judged(change.path, change.before, after, (change.old, text)))
    unknown = sorted(number for number in wanted if not 1 <= number < first)
    if unknown:
        raise InvalidInput(f"there is no hunk {unknown[0]}; they count from 1 to {first - 1}")
    return dataclasses.replace(made, changes=tuple(changes))


def hunk_count(change: FileChange) -> int:
    """How many hunks the change has; one when the file comes or goes."""
    return 1 if change.before is None or change.after is None else len(change.hunks)


def resolve(edit: Edit, known: Collection[str]) -> str | Verdict:
    """The file that an edit means, among the `known` when its name says less than all; or why that is not clear."""
    written = edit.path.strip().replace("\\", "/")
    while written.startswith("./"):
        written = written[2:]
    makes_file = (isinstance(edit, Whole) and edit.is_new) or (isinstance(edit, Replace) and not edit.search.strip())
    if written in known or makes_file:
        return written
    tail = "/" + written.lstrip("/")
    fitting = sorted(path for path in known if f"/{path}".endswith(tail))
    if len(fitting) > 1:
        some = ", ".join(fitting[:5]) + (" …" if len(fitting) > 5 else "")
        return Verdict(edit, Fate.AMBIGUOUS, why=f"its name may mean any of {some}")
    return fitting[0] if fitting else written


def _planned(
    path: str, edits: Sequence[Edit], read: Read, *, may_replace: bool
) -> tuple[FileChange | None, tuple[Verdict, ...]]:
    try:
        before = read(path)
        kept = TextFile("") if before is None else _text_of(path, before)
        blob = git_blob(before) if before is not None else ""
        placed = place(None if before is None else kept.text, edits, Terms(may_replace=may_replace, blob=blob))
        after = None if placed.text is None else kept.to_bytes(placed.text)
    except DuckError as error:
        return None, tuple(Verdict(edit, Fate.REFUSED, why=error.message) for edit in edits)
    if after == before:
        return None, placed.verdicts
    return _judged(path, before, after, (kept.text, placed.text or "")), placed.verdicts


def _text_of(path: str, content: bytes) -> TextFile:
    name = detect(path, content[:_HEAD_BYTES])
    return TextFile.of(content, family(name) if name else "")


def _judged(path: str, before: bytes | None, after: bytes | None, texts: tuple[str, str]) -> FileChange:
    old, new = texts
    return FileChange(path, before, after, hunks(old, new), old, new, _broken(path, before, after))


def _broken(path: str, before: bytes | None, after: bytes | None) -> str:
    """What no longer parses that did; "" also when the file was broken before, or is in no known language."""
    name = detect(path, (after or b"")[:_HEAD_BYTES])
    if after is None or not name:
        return ""
    now = _problem(path, after, name)
    if not now or (before is not None and _problem(path, before, name)):
        return ""
    return f"it no longer parses: {now}" if before is not None else f"it does not parse: {now}"


def _problem(path: str, content: bytes, language: str) -> str:
    """The first thing that keeps `content` from being parsed; "" when nothing does, or parsing it takes too long."""
    try:
        file = open_source(path, content, language)
    except LimitExceeded:
        return ""
    first = next((each for each in file.problems if not each.is_encoding), None)
    return "" if first is None else f"line {file.position(first.start_byte)[0]}: {first.message}"


def _hash(content: bytes | None) -> str:
    return "-" if content is None else hashlib.sha256(content).hexdigest()


def line_counts(change: FileChange) -> tuple[int, int]:
    """How many lines the change takes away and adds."""
    if change.before is None or change.after is None:
        return len(cut(change.old)) if change.after is None else 0, len(cut(change.new)) if change.before is None else 0
    removed = sum(hunk.end - hunk.start for hunk in change.hunks)
    return removed, sum(hunk.new_end - hunk.new_start for hunk in change.hunks)


__all__ = [
    "FileChange",
    "Plan",
    "Read",
    "chosen",
    "hunk_count",
    "line_counts",
    "plan",
    "read_text",
    "resolve",
    "rewritten",
]
