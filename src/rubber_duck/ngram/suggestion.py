"""From predicted lines to texts that can be inserted: written as the project writes, whole, and worth showing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rubber_duck.ngram.lexicon import KEYWORD, NAME, NUMBER, STRING, SYMBOL, Lexicon
from rubber_duck.ngram.prediction import Line, Stop, lines
from rubber_duck.ngram.session import Session, Spot
from rubber_duck.ngram.soundness import Soundness

_SPARE: Final = 2
_LONGEST_CYCLE: Final = 4
_MOST_CYCLES: Final = 3
_CLOSING: Final = frozenset(")]}")
_WORDS: Final = frozenset({KEYWORD, NAME, NUMBER, STRING})
_LONGEST_WORD: Final = 200
_FINAL: Final = frozenset({")", "]", "}", ";", ">", "...", "?", "!", ">>"})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to insert at the cursor.

    `score` is how likely it is, in [0, 1]. `reason` is what speaks for its first token most: `symbols`, `file`,
    `folder`, `project`, `pattern` or `language`. `ends_line`: the line is complete with it.
    """

    text: str
    score: float
    reason: str
    ends_line: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a text: what is before it and behind it, and whose text it is (`path` relative to the project)."""

    path: str
    language: str
    prefix: str
    suffix: str


class Silence(StrEnum):
    """Why nothing is offered at a cursor."""

    INSIDE = "inside"  # of a comment or a string
    WORD = "word"  # the cursor stands in front of one
    UNLIKELY = "unlikely"  # no token is likely enough to begin with
    UNFIT = "unfit"  # what is likely stands there already, repeats the lines above, or would break the syntax


def offer(
    session: Session,
    cursor: Cursor,
    *,
    count: int,
    stop: Stop = lambda: False,
    on_code: Callable[[], None] = lambda: None,
) -> tuple[list[Suggestion], Silence | None]:
    """At most `count` texts to insert, the likeliest first, or why there are none.

    `on_code` is called as soon as it is known that the cursor stands in no comment and no string.
    """
    spot = session.move(cursor.prefix)
    if spot.inside:
        return [], Silence.INSIDE
    on_code()
    lexicon = session.model.vocabulary.lexicon
    if _is_before_a_word(lexicon, cursor):
        return [], Silence.WORD
    soundness = Soundness(lexicon, cursor.path, cursor.language, cursor.prefix, cursor.suffix, session.ground)
    found: dict[str, Suggestion] = {}
    likely = lines(session.draft, count=count + _SPARE, partial=spot.partial, stop=stop)
    for line in likely:
        text = _text(session, spot, cursor, line)
        if not text.strip() or _is_echo(cursor, text) or _is_repetition(lexicon, cursor, text):
            continue
        whole = soundness.sound(text, ends=line.ends)
        if whole is not None and whole not in found:
            found[whole] = Suggestion(whole, line.share, line.reason, line.ends and whole == text)
        if len(found) >= count or stop():
            break
    if found:
        return list(found.values()), None
    return [], Silence.UNFIT if likely else Silence.UNLIKELY


def suggestions(session: Session, cursor: Cursor, *, count: int) -> list[Suggestion]:
    """What `offer` offers."""
    return offer(session, cursor, count=count)[0]


def extended(known: Sequence[Suggestion], typed: str) -> list[Suggestion]:
    """What is left of suggestions after `typed` was typed, if it follows the first of them; otherwise nothing."""
    if not known or not known[0].text.startswith(typed):
        return []
    return [
        Suggestion(each.text[len(typed) :], each.score, each.reason, each.ends_line)
        for each in known
        if each.text.startswith(typed) and len(each.text) > len(typed)
    ]


def _is_before_a_word(lexicon: Lexicon, cursor: Cursor) -> bool:
    begins = lexicon.pattern.match(cursor.suffix[:_LONGEST_WORD])
    return begins is not None and lexicon.kind(begins[0]) in _WORDS


def _text(session: Session, spot: Spot, cursor: Cursor, line: Line) -> str:
    lexicon = session.model.vocabulary.lexicon
    tokens = [session.draft.reader.text(token) for token in line.tokens]
    if not line.ends:
        while len(tokens) > 1 and lexicon.kind(tokens[-1]) == SYMBOL and tokens[-1] not in _FINAL and tokens[-1] != "(":
            tokens.pop()
    at_blank = bool(spot.partial) or cursor.prefix[-1:] in {"", " ", "\t", "\n"}
    text = session.model.spacing.join(spot.line, tokens, at_blank=at_blank)[len(spot.partial) :]
    return _without_rest(text, cursor.suffix.partition("\n")[0].strip())


def _without_rest(text: str, rest: str) -> str:
    """The text without what stands behind the cursor already: `x)` in front of `)` is `x`."""
    for size in range(min(len(text), len(rest)), 0, -1):
        if text.endswith(rest[:size]) and (size == len(rest) or rest[size - 1] in _CLOSING):
            return text[:-size].rstrip()
    return text


def _is_echo(cursor: Cursor, text: str) -> bool:
    """Whether the text stands behind the cursor already, on this line or as the next one."""
    rest, _, below = cursor.suffix.partition("\n")
    if rest.strip() and rest.strip().startswith(text.strip()):
        return True
    line = (cursor.prefix.rpartition("\n")[2] + text).strip()
    following = next((each.strip() for each in below.split("\n", 20)[:20] if each.strip()), "")
    return len(line) > 1 and line == following


def _is_repetition(lexicon: Lexicon, cursor: Cursor, text: str) -> bool:
    """Whether the text goes in circles, or repeats the two lines above, which were the same already."""
    above = [line.strip() for line in cursor.prefix.split("\n")[-12:]]
    line = (above.pop() + text).strip() if above else text
    written = [each for each in above if each]
    if len(line) > 1 and written[-2:] == [line, line]:
        return True
    tokens = lexicon.split(text)
    for size in range(1, _LONGEST_CYCLE + 1):
        run = 1
        for at in range(size, len(tokens) - size + 1, size):
            run = run + 1 if tokens[at : at + size] == tokens[at - size : at] else 1
            if run > _MOST_CYCLES and tokens[at] not in _CLOSING:
                return True
    return False
