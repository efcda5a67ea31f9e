"""Where in a text one is, as far as tokens tell: open brackets, the line, the blocks around it by indentation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from rubber_duck.ngram.lexicon import NAME, Lexicon
from rubber_duck.ngram.vocabulary import FIRST_TEXT, OUT_3, SAME, START, FileReader, Vocabulary

_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "%{": "}", "<<": ">>"}
_MOST_BLOCKS: Final = 64


class Marks:
    """Which numbers are brackets, accessors and words that begin something, in one project."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        lexicon: Lexicon = vocabulary.lexicon

        def numbers(words: frozenset[str]) -> frozenset[int]:
            return frozenset(number for number in map(vocabulary.number, words) if number is not None)

        pairs = _CLOSING if lexicon.family == "elixir" else {k: v for k, v in _CLOSING.items() if len(k) == 1}
        self.closing = {
            opening: closing
            for opening, closing in ((vocabulary.number(a), vocabulary.number(b)) for a, b in pairs.items())
            if opening is not None and closing is not None
        }
        self.closings = frozenset(self.closing.values())
        self.owners = numbers(lexicon.owners)
        self.functions = numbers(lexicon.functions)
        self.receivers = numbers(lexicon.receivers)
        self.accessors = numbers(lexicon.accessors)
        self.equals = vocabulary.number("=") or -1
        self.colon = vocabulary.number(":") or -1
        self.comma = vocabulary.number(",") or -1
        self.call = vocabulary.number("(") or -1
        self.new = vocabulary.number("new") or -1
        self.importing = vocabulary.number("import") or -1
        self.importing_from = vocabulary.number("from") or -1


@dataclass(slots=True)
class Bracket:
    """An open bracket: what closes it, the token before it, how many arguments are complete, and their keywords."""

    opening: int
    closing: int
    before: int
    commas: int = 0
    keywords: tuple[int, ...] = ()

    def copy(self) -> Bracket:
        """One that can be changed alone."""
        return Bracket(self.opening, self.closing, self.before, self.commas, self.keywords)


@dataclass(slots=True)
class Block:
    """The line that stands before deeper ones: its column, its first token, its place, and what it declares.

    `owner` is the name of a class or module that the line begins (0: none), `parents` the names after it;
    `sibling` the tokens of the latest line at this depth.
    """

    column: int
    head: int
    place: int
    owner: int = 0
    parents: tuple[int, ...] = ()
    sibling: tuple[int, ...] = ()


@dataclass(slots=True)
class Structure:
    """The state after some tokens; `advance` changes it, `copy` keeps it."""

    marks: Marks
    brackets: list[Bracket] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=lambda: [Block(0, 0, 0)])
    line: list[int] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)
    name: int = START
    name_before: int = START
    closed: int = 0

    def copy(self) -> Structure:
        """A state that no longer changes with this one."""
        return Structure(
            self.marks,
            [bracket.copy() for bracket in self.brackets],
            [
                Block(block.column, block.head, block.place, block.owner, block.parents, block.sibling)
                for block in self.blocks
            ],
            self.line[:],
            self.latest[:],
            self.name,
            self.name_before,
            self.closed,
        )

    def advance(self, number: int, place: int, column: int, reader: FileReader) -> None:
        """Go on behind `number`, which stands at `place`; `column` is that of the next line after an end of line."""
        if SAME <= number <= OUT_3:
            self._end_line(place, column)
            return
        marks = self.marks
        line = self.line
        before = line[-1] if line else 0
        line.append(number)
        block = self.blocks[-1]
        if len(line) == 1:
            block.head, block.place, block.owner, block.parents = number, place, 0, ()
        if number in marks.closing:
            if len(self.brackets) < _MOST_BLOCKS:
                self.brackets.append(Bracket(number, marks.closing[number], before))
        elif self.brackets:
            self._inside(number, before)
        if number >= FIRST_TEXT and reader.kind(number) == NAME:
            self._named(number, before, block)

    def owner(self) -> Block | None:
        """The innermost block that declares a class or module."""
        return next((block for block in reversed(self.blocks) if block.owner), None)

    def _inside(self, number: int, before: int) -> None:
        bracket = self.brackets[-1]
        if number == bracket.closing:
            self.closed = bracket.before
            self.brackets.pop()
        elif number == self.marks.comma:
            bracket.commas += 1
        elif number in (self.marks.equals, self.marks.colon) and before >= FIRST_TEXT and len(bracket.keywords) < 32:
            bracket.keywords = (*bracket.keywords, before)

    def _named(self, name: int, before: int, block: Block) -> None:
        self.name_before, self.name = self.name, name
        if before in self.marks.owners or (block.owner and not block.parents and before in self.marks.accessors):
            block.owner = name
        elif block.owner and name != block.owner and len(block.parents) < 8:
            block.parents = (*block.parents, name)

    def _end_line(self, place: int, column: int) -> None:
        blocks = self.blocks
        if self.line:
            blocks[-1].sibling = tuple(self.line[:64])
            self.line = []
        while len(blocks) > 1 and blocks[-1].column > column:
            blocks.pop()
        if column > blocks[-1].column and len(blocks) < _MOST_BLOCKS:
            blocks.append(Block(column, 0, place))
