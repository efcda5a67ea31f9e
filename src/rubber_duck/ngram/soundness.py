"""Whether a text still parses with a suggestion in it, looked at in the part of the file around the cursor."""

from __future__ import annotations

from typing import Final

from rubber_duck.code.code import open_source
from rubber_duck.errors import LimitExceeded
from rubber_duck.ngram.lexicon import Lexicon

_BEFORE: Final = 6_000
_AFTER: Final = 3_000
_TIMEOUT_S: Final = 0.25
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_MARGIN_CLOSERS: Final = ")]}"

Problem = tuple[int, int]
"""The bytes [start, end) of the text that could not be understood."""


class Soundness:
    """The surroundings of one cursor."""

    def __init__(self, lexicon: Lexicon, path: str, language: str, prefix: str, suffix: str) -> None:
        self._lexicon = lexicon
        self._path = path
        self._language = language
        self._before = _from_margin(prefix)
        self._after = _to_margin(suffix)
        self._line_start = self._before.rfind("\n") + 1
        self._is_broken: bool | None = None

    def sound(self, text: str) -> str | None:
        """What to insert for `text`: itself, or with the brackets closed that it leaves open; None when it breaks."""
        if self._is_sound(text):
            return text
        closing = self.closing(text)
        return text + closing if closing and self._is_sound(text + closing) else None

    def closing(self, text: str) -> str:
        """What closes the brackets that `text` opens, if it closes no others."""
        due: list[str] = []
        for token in self._lexicon.split(text):
            if token[-1] in _CLOSING and len(token) <= 2:
                due.append(_CLOSING[token[-1]])
            elif due and token == due[-1]:
                due.pop()
        return "".join(reversed(due))

    def _is_sound(self, text: str) -> bool:
        if not self._breaks(text):
            return True
        body = self._body(text)
        if body and not self._breaks(text + body):
            return True
        if self._is_broken is None:
            # The line as it is does not count: it is being written. What matters is whether the rest was whole.
            blank = self._before[: self._line_start] + self._after.partition("\n")[2]
            self._is_broken = bool(self._problems(blank))
        return self._is_broken and not self.closing(text) and not self._closes_more(text)

    def _breaks(self, text: str) -> bool:
        """Whether something on the line of the cursor cannot be understood."""
        whole = f"{self._before}{text}{self._after}"
        end = len(self._before) + len(text)
        line_end = whole.find("\n", end)
        start_byte = len(whole[: self._line_start].encode())
        end_byte = len(whole[: line_end if line_end >= 0 else len(whole)].encode())
        return any(start <= end_byte and end >= start_byte for start, end in self._problems(whole))

    def _problems(self, text: str) -> list[Problem]:
        try:
            file = open_source(self._path, text.encode(), self._language, timeout_s=_TIMEOUT_S)
        except LimitExceeded:
            return []  # what takes so long is not told broken from whole
        return [(problem.start_byte, problem.end_byte) for problem in file.problems]

    def _body(self, text: str) -> str:
        """What makes the block whole that the line begins, or `""`."""
        tokens = self._lexicon.split(self._before[self._line_start :] + text)
        if not tokens or tokens[-1] not in self._lexicon.openers:
            return ""
        line = self._before[self._line_start :]
        margin = line[: len(line) - len(line.lstrip())]
        if self._lexicon.body.isidentifier() and self._lexicon.body != "end":
            return f"\n{margin}{' ' * self._lexicon.indent}{self._lexicon.body}"
        return f"\n{margin}{' ' * self._lexicon.indent}nil\n{margin}end" if self._lexicon.body == "end" else "}"

    def _closes_more(self, text: str) -> bool:
        """Whether `text` closes brackets that nothing before it on the line opened."""
        depth = 0
        for token in self._lexicon.split(self._before[self._line_start :] + text):
            depth += (token[-1] in _CLOSING and len(token) <= 2) - (token in _MARGIN_CLOSERS)
            if depth < 0:
                return True
        return False


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
