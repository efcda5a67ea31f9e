"""Where a project writes blanks between tokens, learnt from some of its files, to write predicted tokens likewise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rubber_duck.ngram.lexicon import KEYWORD, LAYOUT, NAME, NUMBER, STRING, Lexicon

SAMPLE_BYTES: Final = 400_000
"""So much text tells how a project writes."""

_CLASSES: Final = {NAME: "a", NUMBER: "1", STRING: '"', LAYOUT: "\n"}
_DECIDING: Final = frozenset("%&*+-/<=>?@^|~!:,.([{")
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_SEEN: Final = 2

Key = tuple[str, ...]


class Spacing:
    """Whether a blank stands between two tokens. `habits` says so for what stands around, in the forms of `_keys`.

    `others` are asked where these say nothing of as much of what stands around.
    """

    def __init__(self, lexicon: Lexicon, habits: Mapping[Key, bool], others: Mapping[Key, bool] | None = None) -> None:
        self.lexicon = lexicon
        self.habits = dict(habits)
        self.others = dict(others or {})

    @classmethod
    def learned(cls, lexicon: Lexicon, texts: Iterable[str]) -> Spacing:
        """What is usual in `texts`."""
        blanks: Counter[Key] = Counter()
        total: Counter[Key] = Counter()
        for text in texts:
            brackets = [""]
            before = earlier = "\n"
            end = 0
            for match in lexicon.pattern.finditer(text):
                token = match[0]
                word = _word(lexicon, token)
                if word != "\n" and before != "\n":
                    for key in _keys(earlier, before, word, brackets[-1]):
                        total[key] += 1
                        blanks[key] += match.start() > end
                _track(brackets, token)
                earlier, before, end = before, word, match.end()
        return cls(lexicon, {key: 2 * blanks[key] > times for key, times in total.items() if times >= _SEEN})

    def join(self, before: Sequence[str], tokens: Sequence[str], *, at_blank: bool) -> str:
        """The text of `tokens` behind `before`, both on one line; `at_blank`: no blank is wanted in front of them."""
        words = ["\n", "\n", *(_word(self.lexicon, token) for token in before)]
        brackets = [""]
        for token in before:
            _track(brackets, token)
        pieces: list[str] = []
        last = before[-1] if before else ""
        for token in tokens:
            word = _word(self.lexicon, token)
            glued = not last or (at_blank and not pieces)
            if not glued and (
                (_is_wordy(last[-1]) and _is_wordy(token[0])) or self._is_apart(words, word, brackets[-1])
            ):
                pieces.append(" ")
            pieces.append(token)
            last = token
            words.append(word)
            _track(brackets, token)
        return "".join(pieces)

    def _is_apart(self, words: Sequence[str], word: str, bracket: str) -> bool:
        keys = _keys(words[-2], words[-1], word, bracket)
        return next((habits[key] for key in keys for habits in (self.habits, self.others) if key in habits), False)


def _keys(earlier: str, before: str, after: str, bracket: str) -> tuple[Key, ...]:
    """From the most particular to the most general: behind an operator it decides, before one that one does."""
    particular = (earlier, before, after, bracket), (before, after, bracket), (before, after)
    behind, ahead = (before, ""), ("", after)
    return (*particular, ahead, behind) if before[:1] not in _DECIDING else (*particular, behind, ahead)


def _word(lexicon: Lexicon, token: str) -> str:
    """A symbol or word of the language as it is, anything else by its kind."""
    kind = lexicon.kind(token)
    if kind == NAME and (token.endswith(":") or token[0] in ":@"):
        return token[0] if token[0] in ":@" else "a:"
    return token if kind == KEYWORD else _CLASSES.get(kind, token)


def _is_wordy(character: str) -> bool:
    return character.isalnum() or character in "_$"


def _track(brackets: list[str], token: str) -> None:
    if token[-1:] in _OPENING:
        brackets.append(token[-1])
    elif token in _CLOSING and len(brackets) > 1:
        brackets.pop()
