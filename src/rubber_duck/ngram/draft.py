"""A file while it is written: its tokens so far, and all that is remembered of them, extended and cut at the end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rubber_duck.ngram.lexicon import NAME
from rubber_duck.ngram.mixer import looks
from rubber_duck.ngram.recent import RecentContexts
from rubber_duck.ngram.skeleton import remember, shape
from rubber_duck.ngram.structure import Structure
from rubber_duck.ngram.vocabulary import FIRST_NEW, FIRST_TEXT, LOCAL, OUT_3, SAME, START, FileReader

if TYPE_CHECKING:
    from rubber_duck.ngram.model import ProjectModel

Undo = list[list[int]]
"""Lists to which one token added something; taking the token back takes the last element off each."""


class Draft:
    """The text of one file up to where something is to be predicted.

    What it answers depends on its tokens alone, not on how they came: cutting it back and going on another way is the
    same as starting anew.
    """

    def __init__(self, model: ProjectModel, path: str) -> None:
        self.model = model
        self.path = path
        self.reader = FileReader(model.vocabulary)
        self.near = model.near(path)
        self.hidden = model.place_of(path)
        self.hidden_signs = model.skeleton_places.get(path, (0, 0))
        self.tokens: list[int] = [START]
        self.signs: list[int] = [START]
        self.recent = RecentContexts()
        self.recent_signs = RecentContexts()
        self.places: dict[int, list[int]] = {}
        self.followers: dict[int, list[int]] = {}
        self.pair_followers: dict[tuple[int, int], list[int]] = {}
        self.own_members: dict[int, list[int]] = {}
        self.types: dict[int, list[int]] = {}
        self.structure = Structure(model.marks)
        self._undo: list[Undo] = [[]]
        self._columns: dict[int, int] = {}
        self._states: list[tuple[int, Structure]] = [(1, self.structure.copy())]

    def __len__(self) -> int:
        return len(self.tokens)

    def extend(self, numbers: Iterable[int], columns: Iterable[int]) -> None:
        """Add tokens as `FileReader.tokens` gives them."""
        for number, column in zip(numbers, columns, strict=True):
            self.push(number, column)

    def push(self, number: int, column: int = -1) -> None:
        """Add one token; `column` is that of the next line, after an end of line."""
        tokens = self.tokens
        place = len(tokens)
        undo: Undo = []
        self.recent.add(tokens)
        self.recent_signs.add(self.signs)
        _note(self.places, number, place, undo)
        is_name = number >= FIRST_TEXT and self.reader.kind(number) == NAME
        structure = self.structure
        if is_name:
            _note(self.followers, structure.name, number, undo)
            pair = (structure.name_before, structure.name)
            found = self.pair_followers.setdefault(pair, [])
            found.append(number)
            undo.append(found)
        self._learn(number, undo, is_name=is_name)
        sign = self.sign(number)
        if FIRST_NEW <= sign < FIRST_TEXT:
            sign = remember(structure.latest, number, sign)
        structure.advance(number, place, column, self.reader)
        tokens.append(number)
        self.signs.append(sign)
        self._undo.append(undo)
        if SAME <= number <= OUT_3:
            self._columns[place] = column
            self._states.append((place + 1, structure.copy()))

    def cut(self, size: int) -> None:
        """Take tokens back until `size` are left, the first of which is the start of the file."""
        if size >= len(self.tokens):
            return
        for undo in reversed(self._undo[size:]):
            for noted in undo:
                noted.pop()
        self.recent.cut(self.tokens, size)
        self.recent_signs.cut(self.signs, size)
        rest = self.tokens[:size]
        del self.tokens[size:], self.signs[size:], self._undo[size:]
        at = bisect_right(self._states, size, key=lambda state: state[0]) - 1
        del self._states[at + 1 :]
        start, state = self._states[at]
        self.structure = state.copy()
        for place in range(start, size):
            sign = self.sign(rest[place])
            if FIRST_NEW <= sign < FIRST_TEXT:
                remember(self.structure.latest, rest[place], sign)
            self.structure.advance(rest[place], place, self._columns.get(place, -1), self.reader)

    def sign(self, number: int) -> int:
        """A token's sign in a skeleton, if it were a new name here."""
        if number < LOCAL:
            return self.model.signs[number]
        return shape(self.reader.text(number)) if self.reader.kind(number) == NAME else number

    def code(self, number: int) -> int:
        """A token's row in the mixer's vectors."""
        if number < LOCAL:
            return self.model.code(number)
        return looks(self.reader.text(number), self.reader.kind(number))

    def _learn(self, number: int, undo: Undo, *, is_name: bool) -> None:
        """Note members of the class one is in, and the types of names, where the text says so."""
        tokens = self.tokens
        marks = self.structure.marks
        before = tokens[-1]
        if is_name:
            if before in marks.functions:
                block = self.structure.owner()
                if block is not None and block is not self.structure.blocks[-1]:
                    _note(self.own_members, block.owner, number, undo)
            elif before in marks.accessors and tokens[-2] in marks.receivers:
                block = self.structure.owner()
                if block is not None:
                    _note(self.own_members, block.owner, number, undo)
            elif before == marks.colon and tokens[-2] >= FIRST_TEXT and self.model.table.is_owner(number):
                _note(self.types, tokens[-2], number, undo)
        elif number == marks.call and before >= FIRST_TEXT:
            self._learn_result(before, undo)

    def _learn_result(self, called: int, undo: Undo) -> None:
        """`name = called(` and `name = a.b.called(`: the name is of what that gives."""
        table = self.model.table
        kind = table.result(called) or (called if table.is_owner(called) else 0)
        if not kind:
            return
        tokens, marks = self.tokens, self.structure.marks
        at = len(tokens) - 1
        while at > 2 and tokens[at - 1] in marks.accessors:
            at -= 2
        if tokens[at - 1] == marks.new:
            at -= 1
        if at > 1 and tokens[at - 1] == marks.equals:
            _note(self.types, tokens[at - 2], kind, undo)


def _note(lists: dict[int, list[int]], key: int, value: int, undo: Undo) -> None:
    found = lists.get(key)
    if found is None:
        found = lists[key] = []
    found.append(value)
    undo.append(found)
