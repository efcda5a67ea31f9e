"""Whether a text still parses with a suggestion in it, looked at in the part of the file around the cursor."""

from __future__ import annotations

from typing import Final

from rubber_duck.code.code import open_source
from rubber_duck.errors import LimitExceeded
from rubber_duck.ngram.ground import TIMEOUT_S, Clearing, Ground
from rubber_duck.ngram.lexicon import COMMENT, LAYOUT, Lexicon

_WHOLE: Final = 20_000
_MOST: Final = 100_000
_BEFORE: Final = 14_000
_AFTER: Final = 6_000
_LONGEST_STATEMENT: Final = 2_000
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_MARGIN_CLOSERS: Final = ")]}"
NEWLINE: Final = "\n"


class Soundness:
    """The surroundings of one cursor. A `ground` that is kept makes the next cursor in the same file cheaper."""

    def __init__(
        self, lexicon: Lexicon, path: str, language: str, prefix: str, suffix: str, ground: Ground | None = None
    ) -> None:
        self._lexicon = lexicon
        self._ground = ground or Ground()
        self._clearing: Clearing | None = None
        self._path = path
        self._language = language
        self._line = prefix[prefix.rfind("\n") + 1 :]
        self._without_line: int | None = None
        self._started: int | None = None
        following = next((each for each in suffix[:_AFTER].split("\n")[1:] if each.strip()), "")
        self._indent_below = _indent(following) if lexicon.by_indentation else 0
        size = len(prefix) + len(suffix)
        self._before, self._after = (prefix, suffix) if size <= _WHOLE else (_from_margin(prefix), _to_margin(suffix))
        if _WHOLE < size <= _MOST and self._problems_without_line():
            # Cut so, it may be broken because it is cut.
            self._before, self._after = prefix, suffix
            self._without_line = self._clearing = None

    def prepare(self) -> None:
        """Read the surroundings now, and not when the first text is looked at."""
        self._problems_without_line()

    def sound(self, text: str, *, ends: bool = True) -> str | None:
        """What to insert for `text`: itself, or with what closes the brackets it leaves open; None when it breaks.

        To a text that does not end its line what begins a block may be added too: `for x in y` becomes `for x in y:`.
        """
        tails = ("",) if ends else ("", *self._lexicon.tails)
        wholes = [whole for tail in tails for whole in (text + tail, text + tail + self.closing(text + tail))]
        return next((whole for whole in dict.fromkeys(wholes) if self._fits(whole)), None)

    def closing(self, text: str) -> str:
        """What closes the brackets that `text` opens, if it closes no others."""
        due: list[str] = []
        for token in self._lexicon.split(text):
            if token[-1] in _CLOSING and len(token) <= 2:
                due.append(_CLOSING[token[-1]])
            elif due and token == due[-1]:
                due.pop()
        return "".join(reversed(due))

    def _fits(self, text: str) -> bool:
        """Whether all can be understood with `text`, and an empty block behind it where it begins one."""
        self._problems_without_line()
        margin = self._line[: len(self._line) - len(self._line.lstrip())]
        body = self._body(text).replace(NEWLINE, NEWLINE + margin)
        if self._clearing is not None:
            return self._fits_in(self._clearing, text, ("", body) if body else ("",)) and self._stands(text)
        if not self._stands(text):
            return False
        found = self._problems(f"{self._before}{text}{self._after}")
        if found and body:
            found = min(found, self._problems(f"{self._before}{text}{body}{self._after}"))
        if not found:
            return True
        # Where something else is broken all that can be asked is that brackets fit, that the line could stand alone,
        # and that nothing gets worse.
        if self.closing(text) or self._closes_more(text) or found > self._problems_without_line():
            return False
        line = self._line.lstrip() + text + self._after.partition("\n")[0]
        first = next(iter(self._lexicon.split(line)), "")
        return first in self._lexicon.closings or not self._problems(line + self._body(text))

    def _stands(self, text: str) -> bool:
        """Whether the statement with `text` is one; in a broken text, where it cannot be told from others, the line."""
        statement = self._statement(text)
        is_before_block = self._indent_below > _indent(self._line + text.partition(NEWLINE)[0])
        if is_before_block and statement and statement[-1] not in self._lexicon.openers:
            return False
        if self._lexicon.is_statement(statement):
            return True
        line = self._line + text + self._after.partition("\n")[0]
        tokens = [token for token in self._lexicon.split(line) if self._lexicon.kind(token) not in (LAYOUT, COMMENT)]
        return self._problems_without_line() > 0 and self._lexicon.is_statement(tokens)

    def _fits_in(self, clearing: Clearing, text: str, bodies: tuple[str, ...]) -> bool:
        """Whether a text that is whole without the cursor's line is whole with it."""
        rest = self._after.partition(NEWLINE)[0]
        try:
            return any(clearing.is_whole(f"{self._line}{text}{body}{rest}") for body in bodies)
        except LimitExceeded:
            return False  # what takes so long is not told whole from broken

    def _above(self) -> str:
        return self._before[: len(self._before) - len(self._line)]

    def _problems_without_line(self) -> int:
        """How many problems there are with the line left empty, or with one in its place that begins a block."""
        if self._without_line is None:
            margin = self._line[: len(self._line) - len(self._line.lstrip())]
            above, below = self._above(), self._after.partition(NEWLINE)[2]
            try:
                around = self._ground.parsed(self._path, self._language, f"{above}{NEWLINE}{below}")
                blank = len(around.problems)
                if not blank:
                    at_byte = len(above.encode("utf-8", "replace"))
                    self._clearing = Clearing(around, self._language, at_byte, self._lexicon.containers)
            except LimitExceeded:
                blank = 1
            placed = self._problems(f"{above}{margin}{self._lexicon.opening}\n{below}") if blank else 0
            self._without_line = min(blank, placed)
        return self._without_line

    def _statement(self, text: str) -> list[str]:
        """The tokens of the statement in which `text` stands, ends of lines and comments left out."""
        depth = 0
        tokens: list[str] = []
        rest = self._before[self._statement_start() :] + text + self._after
        for match in self._lexicon.pattern.finditer(rest):  # read no further than the statement goes
            token = match[0]
            kind = self._lexicon.kind(token)
            if kind == LAYOUT and depth == 0 and token[0] != "\\":
                if tokens:
                    break
            elif kind not in (LAYOUT, COMMENT):
                tokens.append(token)
                depth = max(0, depth + (token[-1] in _CLOSING and len(token) <= 2) - (token in _MARGIN_CLOSERS))
            if len(tokens) > _LONGEST_STATEMENT:
                return []
        return tokens

    def _statement_start(self) -> int:
        """Where the statement of the cursor begins in the text before it: behind the last end of line in no bracket."""
        if self._started is None:
            start = depth = 0
            for match in self._lexicon.pattern.finditer(self._before):
                token = match[0]
                if (NEWLINE in token or token[0] == "\r") and self._lexicon.kind(token) == LAYOUT:
                    if depth == 0 and token[0] != "\\":
                        start = match.end()
                else:
                    depth = max(0, depth + (token[-1] in _CLOSING and len(token) <= 2) - (token in _MARGIN_CLOSERS))
            self._started = start
        return self._started

    def _problems(self, text: str) -> int:
        """How many places of `text` cannot be understood."""
        try:
            content = text.encode("utf-8", "replace")
            return len(open_source(self._path, content, self._language, timeout_s=TIMEOUT_S).problems)
        except LimitExceeded:
            return 1  # what takes so long is not told whole from broken

    def _body(self, text: str) -> str:
        """What makes the block whole that the line begins, or `""`; no block begins in front of the rest of a line."""
        if self._after.partition("\n")[0].strip():
            return ""
        tokens = self._lexicon.split(self._line + text)
        return self._lexicon.body if tokens and tokens[-1] in self._lexicon.openers else ""

    def _closes_more(self, text: str) -> bool:
        """Whether `text` closes brackets that nothing before it on the line opened."""
        depth = 0
        for token in self._lexicon.split(self._line + text):
            depth += (token[-1] in _CLOSING and len(token) <= 2) - (token in _MARGIN_CLOSERS)
            if depth < 0:
                return True
        return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _from_margin(prefix: str) -> str:
    """The end of the prefix, from the last line at the left margin that is far enough up, if it is not too far."""
    cut = prefix[-_BEFORE:]
    current = cut.rfind("\n") + 1
    at = current
    while at > 0:
        at = cut.rfind("\n", 0, at - 1) + 1
        if cut[at : at + 1].strip() and cut[at] not in _MARGIN_CLOSERS and not cut.startswith(("end", "@"), at):
            return cut[at:]
        if at == 0:
            break
    return cut if len(cut) == len(prefix) else cut[cut.find("\n") + 1 :]


def _to_margin(suffix: str) -> str:
    """The beginning of the suffix, to the next line at the left margin."""
    cut = suffix[:_AFTER]
    at = cut.find("\n")
    while at >= 0:
        character = cut[at + 1 : at + 2]
        if character.strip() and character not in _MARGIN_CLOSERS and not cut.startswith(("end", "else"), at + 1):
            return cut[: at + 1]
        at = cut.find("\n", at + 1)
    return cut if len(cut) == len(suffix) else cut[: cut.rfind("\n") + 1]
