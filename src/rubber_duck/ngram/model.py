"""What is known of one project in one family of languages: its counts, its skeletons, its symbols."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rubber_duck.ngram.index import ContextIndex, Level, counted
from rubber_duck.ngram.lexicon import KEYWORD, NAME
from rubber_duck.ngram.mixer import Mixer
from rubber_duck.ngram.relations import Relations, RelationTable, owners
from rubber_duck.ngram.skeleton import PLAIN_NAMES, PLAIN_TOKENS, signs, skeleton
from rubber_duck.ngram.spacing import Spacing
from rubber_duck.ngram.structure import Marks
from rubber_duck.ngram.vocabulary import (
    DEEPER,
    FIRST_TEXT,
    LINE_END,
    LOCAL,
    OUT_1,
    OUT_2,
    OUT_3,
    SAME,
    START,
    FileReader,
    Ids,
    Vocabulary,
)

SKELETON_TOKENS: Final = 1_000_000
"""So much of a project's skeleton is kept: patterns repeat more than names do."""

SKELETON_SAMPLED: Final = 128
"""So many places of a pattern are counted, which tells enough."""

FOLD_TOKENS: Final = 100_000
"""When so many tokens stand in the indexes of changed files, all is put into one index again."""

_NEAR_TOKENS: Final = 60_000
_ONCE: Final = 0.1
_LITTLE: Final = 2
_MOST_BEGINNING: Final = 5000
_FROM_BEGINNING: Final = 24
_MOST_COMMONEST: Final = 1024
_MARKS: Final = {
    START: "<start>",
    LINE_END: "<line end>",
    SAME: "<same>",
    DEEPER: "<deeper>",
    OUT_1: "<out>",
    OUT_2: "<out 2>",
    OUT_3: "<out 3>",
}


Sighting = tuple[int, int, int, int]
"""A file's size in bytes, its times of modification and change in nanoseconds, and its inode."""

UNSEEN: Final[Sighting] = (-1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that is about to be counted; `tokens` as `ProjectModel.read` gives them."""

    path: str
    content_hash: str
    tokens: Ids
    relations: Relations
    sighting: Sighting = UNSEEN


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the model: the hash of its content, its tokens at [start, end) of an index, what its symbols say.

    `sighting`: size, times and number of the file when it was read, so that one that looks the same is not read again.
    `layer`: which index it stands in; 0 is that of all files, later ones are of files that changed since.
    """

    path: str
    content_hash: str
    start: int
    end: int
    relations: Relations
    sighting: Sighting = UNSEEN
    layer: int = 0


class ProjectModel:
    """The counts of a project, to be asked by drafts. Made by `training.train`, changed by `change`.

    Whoever changes it makes drafts anew.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        mixer: Mixer,
        spacing: Spacing,
        files: Sequence[FileEntry],
        index: ContextIndex,
        skeletons: ContextIndex | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.mixer = mixer
        self.spacing = spacing
        self.files = {entry.path: entry for entry in files}
        self.index = index
        self._layers: dict[int, ContextIndex] = {0: index}
        self._counts = _frequencies(index.tokens, len(vocabulary))
        self._total = max(1, len(index))
        self._plain = _commonest_names(vocabulary, self._counts)
        self.signs = signs(vocabulary, self._plain)
        self.table = RelationTable()
        for entry in files:
            self.table.add(entry.relations)
        self.marks = Marks(vocabulary)
        self._codes: dict[int, int] = {}
        self._commonest: dict[frozenset[int] | tuple[int, ...], list[int]] = {}
        self._sorted = sorted(range(FIRST_TEXT, len(vocabulary)), key=vocabulary.texts.__getitem__)
        self._like: dict[str, int] = {}
        self._language: ContextIndex | None = None
        self._foreign: set[int] = set()
        self._liken(self.table.owners())
        chosen = self._with_skeleton(files)
        self.skeleton_places = _places(chosen)
        self.skeletons = skeletons if skeletons is not None else self._skeletons(chosen)

    def after(self, context: Sequence[int], hidden: tuple[int, int]) -> list[Level]:
        """What followed `context` anywhere in the project."""
        found = self._own(context, hidden)
        longest = found[-1].order if found else 0
        if self._language is not None and longest <= _LITTLE:
            found += [level for level in self._language.after(context) if level.order > max(longest, 1)]
        return found

    def is_of_language(self, context: Sequence[int], hidden: tuple[int, int], order: int) -> bool:
        """Whether what `after` says of the latest `order` tokens is what the language says, and not the project."""
        found = self._own(context, hidden)
        longest = found[-1].order if found else 0
        return longest <= _LITTLE and order > max(longest, 1)

    @property
    def speaks(self) -> bool:
        """Whether `speak` was called."""
        return self._language is not None

    def speak(self, page: str) -> None:
        """From now on answer with what follows in `page` where the project knows at most the latest _LITTLE tokens.

        Names that stand in the page alone are offered only there.
        """
        self.vocabulary.add_literals(page)
        self.spacing = Spacing(
            self.spacing.lexicon, self.spacing.habits, Spacing.learned(self.spacing.lexicon, [page]).habits
        )
        tokens = self.read(page)
        self._language = ContextIndex(tokens)
        self._foreign = {each for each in tokens.tolist() if each >= FIRST_TEXT and not self.frequency(each)}
        self._grown()

    def near(self, path: str) -> ContextIndex | None:
        """The counts of the files beside `path`, or None when there are none."""
        folder = path.rpartition("/")[0]
        pieces: list[Ids] = []
        size = 0
        for entry in self.files.values():
            if entry.path != path and entry.path.rpartition("/")[0] == folder and size < _NEAR_TOKENS:
                pieces.append(self.tokens_of(entry))
                size += entry.end - entry.start
        return ContextIndex(np.concatenate(pieces)) if pieces else None

    def tokens_of(self, entry: FileEntry) -> Ids:
        """The tokens of one file."""
        return self._layers[entry.layer].tokens[entry.start : entry.end]

    def place_of(self, path: str) -> tuple[int, int]:
        """Where the saved text of `path` stands in the index."""
        entry = self.files.get(path)
        return (entry.start, entry.end) if entry is not None and entry.layer == 0 else (0, 0)

    def read(self, text: str) -> Ids:
        """The tokens of a file that is about to be counted; its new names join the vocabulary."""
        numbers, _ = FileReader(self.vocabulary, grows=True).tokens(text)
        return np.concatenate((np.array([START], np.int32), numbers))

    def number(self, name: str) -> int | None:
        """The number of a name, for relations; a new one for a module's name, which may stand in no file yet."""
        found = self.vocabulary.number(name)
        return self.vocabulary.add(name, NAME) if found is None and name.isidentifier() else found

    def change(self, read: Sequence[ReadFile], gone: Sequence[str] = ()) -> None:
        """Count files that are new or have changed, and no longer those that are `gone`; unknown ones are no error."""
        for path in (*gone, *(file.path for file in read)):
            self._forget(path)
        entries: list[tuple[FileEntry, Ids]] = []
        for file in read:
            self.table.add(file.relations)
            entry = FileEntry(file.path, file.content_hash, 0, len(file.tokens), file.relations, file.sighting)
            entries.append((entry, file.tokens))
            self._foreign.difference_update(file.tokens.tolist())
        self._add_layer(entries)
        self._grown()
        self._liken(owner for file in read for owner in owners(file.relations))

    def seen(self, path: str, sighting: Sighting) -> None:
        """Note that a file looks different and has the same content."""
        self.files[path] = replace(self.files[path], sighting=sighting)

    @property
    def needs_folding(self) -> bool:
        """Whether so much has changed that one index would be better."""
        return sum(size for number, size in self._layer_sizes().items() if number) >= FOLD_TOKENS

    def folded(self) -> ProjectModel:
        """A model of the same files with one index."""
        entries: list[FileEntry] = []
        pieces: list[Ids] = []
        at = 0
        for path in sorted(self.files):
            entry = self.files[path]
            pieces.append(self.tokens_of(entry))
            size = entry.end - entry.start
            entries.append(replace(entry, start=at, end=at + size, layer=0))
            at += size
        tokens = np.concatenate(pieces) if pieces else np.array([START], np.int32)
        return ProjectModel(self.vocabulary, self.mixer, self.spacing, entries, ContextIndex(tokens))

    def frequency(self, number: int) -> int:
        """How often a token stands in the project, changed files left out."""
        return self._counts[number] if number < len(self._counts) else 0

    def commonest(self, names: frozenset[int] | tuple[int, ...], limit: int) -> list[int]:
        """The `limit` names of these that stand most often in the project; of equal ones by their text."""
        found = self._commonest.get(names)
        if found is None:
            texts = self.vocabulary.texts
            if len(self._commonest) >= _MOST_COMMONEST:
                self._commonest.clear()
            found = sorted(names, key=lambda name: (-self.frequency(name), texts[name]))[:limit]
            self._commonest[names] = found
        return found

    def share(self, number: int) -> float:
        """The share of a token among all, more than nothing for one that was never seen."""
        return (self.frequency(number) + _ONCE) / self._total

    def code(self, number: int) -> int:
        """A token's row in the mixer's vectors."""
        found = self._codes.get(number)
        if found is None:
            text = _MARKS.get(number) or self.vocabulary.texts[number]
            found = self._codes[number] = self.mixer.code(text, self.vocabulary.kinds[number])
        return found

    def beginning(self, partial: str) -> list[int]:
        """The commonest names and words of the language that begin so."""
        texts, kinds = self.vocabulary.texts, self.vocabulary.kinds
        low = bisect_left(self._sorted, partial, key=texts.__getitem__)
        high = bisect_left(self._sorted, partial + "\U0010ffff", low, key=texts.__getitem__)
        found = [
            each
            for each in self._sorted[low : min(high, low + _MOST_BEGINNING)]
            if kinds[each] in (NAME, KEYWORD) and each not in self._foreign
        ]
        return sorted(found, key=lambda number: (-self.frequency(number), number))[:_FROM_BEGINNING]

    def named_like(self, name: int) -> int:
        """A class or module whose name is that of a variable: `bound_field` → `BoundField`; 0 when there is none."""
        return self._like.get(_plainly(self.vocabulary.texts[name]), 0) if name < LOCAL else 0

    def _own(self, context: Sequence[int], hidden: tuple[int, int]) -> list[Level]:
        """What followed `context` in the project's own files."""
        found = self.index.after(context, hidden)
        for number, layer in self._layers.items():
            if number:
                found = merged(found, layer.after(context))
        return found

    def _grown(self) -> None:
        """Take note of what has joined the vocabulary."""
        self.signs = signs(self.vocabulary, self._plain, self.signs)
        self.marks = Marks(self.vocabulary)
        texts = self.vocabulary.texts
        for number in range(FIRST_TEXT + len(self._sorted), len(texts)):
            insort(self._sorted, number, key=texts.__getitem__)

    def _liken(self, owners: Iterable[int]) -> None:
        """Note how variables may be called that hold an `owner`."""
        texts = self.vocabulary.texts
        self._like |= {_plainly(texts[number]): number for number in owners if texts[number][:1].isupper()}

    def _forget(self, path: str) -> None:
        old = self.files.pop(path, None)
        if old is None:
            return
        self.table.remove(old.relations)
        self._layers[old.layer].forget(old.start, old.end)
        if old.layer == 0:
            place = self.skeleton_places.get(path)
            if place is not None:
                self.skeletons.forget(*place)

    def _add_layer(self, entries: Sequence[tuple[FileEntry, Ids]]) -> None:
        """Index changed files; a layer that is less than twice as large as the one after it is joined with it.

        So there are few layers, and a file that is saved again and again is all that is sorted each time.
        """
        while True:
            sizes = self._layer_sizes()
            for number in [number for number in self._layers if number and number not in sizes]:
                del self._layers[number]
            last = max(self._layers)
            size = sum(len(tokens) for _, tokens in entries)
            if not size or not last or sizes[last] >= 2 * size:
                break
            older = [entry for entry in self.files.values() if entry.layer == last]
            entries = [*((entry, self.tokens_of(entry)) for entry in older), *entries]
            for entry in older:
                del self.files[entry.path]
        if entries:
            self._layers[last + 1] = ContextIndex(np.concatenate([tokens for _, tokens in entries]))
            at = 0
            for entry, tokens in entries:
                end = at + len(tokens)
                self.files[entry.path] = replace(entry, start=at, end=end, layer=last + 1)
                at = end

    def _layer_sizes(self) -> dict[int, int]:
        """How many tokens of present files stand in each layer."""
        sizes = {0: 0}
        for entry in self.files.values():
            sizes[entry.layer] = sizes.get(entry.layer, 0) + entry.end - entry.start
        return sizes

    def _with_skeleton(self, files: Sequence[FileEntry]) -> Sequence[FileEntry]:
        """As many files as hold SKELETON_TOKENS, evenly chosen."""
        return files[:: max(1, -(-len(self.index) // SKELETON_TOKENS))]

    def _skeletons(self, chosen: Sequence[FileEntry]) -> ContextIndex:
        pieces = [np.array(skeleton(self.tokens_of(entry).tolist(), self.signs), np.int32) for entry in chosen]
        signs_of_all = np.concatenate(pieces) if pieces else np.array([START], np.int32)
        return ContextIndex(signs_of_all, sampled=SKELETON_SAMPLED)


def merged(first: list[Level], second: list[Level]) -> list[Level]:
    """The levels of two indexes as if they were of one; where only one knows a context, its word counts alone."""
    if not second:
        return first
    levels = {level.order: level for level in first}
    for order, total, distinct, added in second:
        known = levels.get(order, Level(order, 0, 0, {}))
        counts = dict(known.counts)
        for token, times in added.items():
            counts[token] = counts.get(token, 0) + times
        levels[order] = Level(order, known.total + total, max(known.distinct, distinct, len(counts)), counts)
    return [levels[order] for order in sorted(levels)]


def _frequencies(tokens: Ids, size: int) -> list[int]:
    found = np.zeros(size, np.int64)
    known = counted(tokens)
    found[: len(known)] = known
    frequencies: list[int] = found.tolist()
    return frequencies


def _commonest_names(vocabulary: Vocabulary, frequencies: Sequence[int]) -> list[int]:
    kinds = np.frombuffer(bytes(vocabulary.kinds), np.uint8)
    names: NDArray[np.int64] = np.flatnonzero(kinds == NAME)
    often = np.array(frequencies, np.int64)[names]
    limit = min(PLAIN_NAMES, sum(frequencies) // PLAIN_TOKENS)
    return [int(each) for each in names[np.argsort(-often, kind="stable")[:limit]]]


def _places(entries: Sequence[FileEntry]) -> dict[str, tuple[int, int]]:
    """Where each file stands if they are put one after the other."""
    found: dict[str, tuple[int, int]] = {}
    at = 0
    for entry in entries:
        found[entry.path] = (at, at + entry.end - entry.start)
        at += entry.end - entry.start
    return found


def _plainly(name: str) -> str:
    return name.replace("_", "").lower()
