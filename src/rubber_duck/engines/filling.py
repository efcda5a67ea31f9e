"""Completions by a model: asked behind those of the project's own code, and offered only if they fit where they go."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
import time
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rubber_duck.call import Call
from rubber_duck.engines.nearby import Nearby
from rubber_duck.engines.prompting import asker
from rubber_duck.errors import DuckError

if TYPE_CHECKING:
    from rubber_duck.analysis.target import Target
    from rubber_duck.llm.messages import Excerpt
    from rubber_duck.ngram.ngram import Cursor

BEFORE_TOKENS: Final = 1_500
AFTER_TOKENS: Final = 500
"""What a model is shown before and after the cursor."""

_PATIENCE: Final = 0.2
"""The share of the time for a model that a project which nobody has read yet may take of it."""

_KEPT: Final = 64
_MOST_LINES: Final = 12
_ANSWER_TOKENS: Final = 160
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_LEAST_OVERLAP: Final = 2
_LEAST_TELLING: Final = 6
_MOST_BELOW: Final = 60
"""So far below the cursor it is looked whether a model only says again what stands there."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A text for the cursor, "" for none, how long was waited for the model in milliseconds, and why there is none."""

    text: str
    waited_ms: float = 0.0
    why: str = ""
    is_extended: bool = False


@dataclass(frozen=True, slots=True)
class _Last:
    """An answer: behind how many characters, the digests of those and of what follows, and its text."""

    length: int
    prefix: bytes
    suffix: bytes
    text: str


@dataclass(slots=True)
class Remembered:
    """The last answers, by who asked in which file: what is typed along one needs no model again."""

    answers: OrderedDict[tuple[str, ...], _Last] = field(default_factory=OrderedDict)

    def after(self, key: tuple[str, ...], prefix: str, suffix: str) -> str:
        """What is left of the last answer if only its own beginning was typed since; "" else."""
        last = self.answers.get(key)
        if last is None or len(prefix) < last.length or _digest(suffix) != last.suffix:
            return ""
        typed = prefix[last.length :]
        if not last.text.startswith(typed) or _digest(prefix[: last.length]) != last.prefix:
            return ""
        return last.text[len(typed) :]

    def keep(self, key: tuple[str, ...], prefix: str, suffix: str, text: str) -> None:
        """Remember an answer; the oldest is forgotten. Of the texts around it only digests are kept."""
        self.answers[key] = _Last(len(prefix), _digest(prefix), _digest(suffix), text)
        self.answers.move_to_end(key)
        while len(self.answers) > _KEPT:
            self.answers.popitem(last=False)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Beside:
    """What an engine keeps between completions: the last answers, and what stands near cursors."""

    remembered: Remembered = field(default_factory=Remembered)
    nearby: Nearby = field(default_factory=Nearby)


async def fill(call: Call, cursor: Cursor, found: Target, beside: Beside, *, timeout_s: float) -> Filled:
    """A model's text for the gap at the cursor, cut where it would repeat what follows; "" unless it parses there.

    The stream to the provider is closed as soon as the text is complete, when the time is over, and on a cancel. A
    model's failure is a reason, and no error: the other candidates stand.
    """
    remembered = beside.remembered
    key = (call.scope.actor.id, os.fspath(found.root.path), cursor.path)
    left = remembered.after(key, cursor.prefix, cursor.suffix)
    if left:
        return Filled(left, is_extended=True)
    started = time.perf_counter()
    why = ""
    said = ""
    reading = asyncio.create_task(asyncio.to_thread(Fitting, cursor))  # while the model thinks
    try:
        try:
            async with asyncio.timeout(timeout_s):
                narrowed = dataclasses.replace(call, scope=await asker(call, found.root))
                others = await beside.nearby.excerpts(narrowed, found, cursor, timeout_s * _PATIENCE)
                said = await _asked(narrowed, cursor, others)
        except TimeoutError:
            why = f"the model did not answer within {timeout_s:g} s"
        except DuckError as error:
            why = error.message
        waited_ms = (time.perf_counter() - started) * 1000
        text = await asyncio.to_thread((await reading).fit, said) if said.strip() else ""
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    if text:
        remembered.keep(key, cursor.prefix, cursor.suffix, text)
    elif said.strip():
        why = "what the model said does not fit here"
    return Filled(text, waited_ms, why)


async def _asked(call: Call, cursor: Cursor, beside: tuple[Excerpt, ...]) -> str:
    from rubber_duck.code.language import languages  # noqa: PLC0415  # grammars
    from rubber_duck.llm.messages import Gap, TextDelta  # noqa: PLC0415  # only who asks a model
    from rubber_duck.llm.roles import Role  # noqa: PLC0415  # as above
    from rubber_duck.llm.tokens import cut  # noqa: PLC0415  # its ranks

    prefix, suffix = _sendable(cursor.prefix), _sendable(cursor.suffix)
    gap = Gap(
        await asyncio.to_thread(cut, prefix[-20_000:], BEFORE_TOKENS, keep="end"),
        await asyncio.to_thread(cut, suffix[:8_000], AFTER_TOKENS),
        _ANSWER_TOKENS,
        path=cursor.path,
        beside=beside,
        comment=languages[cursor.language].line_comment,
    )
    said = ""
    async with aclosing(call.parts.llm.stream(call.scope, Role.COMPLETION, gap)) as pieces:
        async for piece in pieces:
            if isinstance(piece, TextDelta):
                said += piece.text
                if is_complete(said, cursor.suffix, _line(cursor)):
                    break
    return said


def is_complete(said: str, suffix: str, line: str = "") -> bool:
    """Whether more would only be thrown away: it repeats what follows, or the cursor stands within a line.

    `line` is what stands on the cursor's line before it. A line that is not ended may be another yet.
    """
    ended, end, _ = said.rpartition("\n")
    if suffix.split("\n", 1)[0].strip() and end:
        return True
    return said.count("\n") >= _MOST_LINES or (bool(end) and _start_of_suffix(ended, suffix, line) is not None)


def without_suffix(said: str, suffix: str, line: str = "") -> str:
    """`said` up to where it begins to repeat what stands behind the cursor; `line` is as in `is_complete`."""
    at = _start_of_suffix(said, suffix, line)
    if at is not None:
        said = said[:at]
    ending = suffix.split("\n", 1)[0].strip()
    if not ending:
        return said
    said = said.split("\n", 1)[0]
    for length in range(min(len(said), len(ending)), 0, -1):
        is_worth = length >= _LEAST_OVERLAP or not ending[0].isalnum()
        is_word_cut = ending[0].isalnum() and said[:-length][-1:].isalnum()
        if said.endswith(ending[:length]) and is_worth and not is_word_cut and not _closes_own(said, length):
            return said[:-length]
    return said


def _closes_own(said: str, length: int) -> bool:
    """Whether the last `length` characters begin by closing a bracket that `said` itself opened: it needs that one.

    Behind `print(` an editor has put `)` already: `len(items)` is whole there, but `len(items))` is one too many.
    """
    if said[-length] not in _PAIRS:
        return False
    opened: list[str] = []
    for char in said[:-length]:
        if char in _PAIRS.values():
            opened.append(char)
        elif opened and opened[-1] == _PAIRS.get(char):
            opened.pop()
    return bool(opened) and opened[-1] == _PAIRS[said[-length]]


def _start_of_suffix(said: str, suffix: str, line: str) -> int | None:
    """Where `said` begins to repeat lines of the suffix; None when it does not.

    That is the next line with code, or, to the end of `said`, lines further below, as far indented as there.
    """
    below = [each.rstrip() for each in suffix.split("\n")[1:] if each.strip()][:_MOST_BELOW]
    if not below:
        return None
    lines = said.split("\n")
    shown = [(line + lines[0]).rstrip(), *(each.rstrip() for each in lines[1:])]
    at = 0
    for number, each in enumerate(lines):
        here = shown[number].strip()
        is_next = len(here) >= _LEAST_OVERLAP and here == below[0].strip()
        if is_next or (len(here) >= _LEAST_TELLING and _goes_on([one for one in shown[number:] if one], below)):
            return max(at - 1, 0)
        at += len(each) + 1
    return None


def _goes_on(lines: list[str], below: list[str]) -> bool:
    """Whether all of the lines stand below, one after the other; the last one may be cut off."""
    starts = [at for at, each in enumerate(below) if each.startswith(lines[0])]
    return any(
        below[at : at + len(lines) - 1] == lines[:-1] and below[at + len(lines) - 1].startswith(lines[-1])
        for at in starts
        if at + len(lines) <= len(below)
    )


class Fitting:
    """A cursor, and the text around it, read: what is put there has to leave the file parsing. It blocks."""

    def __init__(self, cursor: Cursor) -> None:
        from rubber_duck.code.language import family  # noqa: PLC0415  # grammars
        from rubber_duck.ngram.families import lexicon  # noqa: PLC0415  # as above
        from rubber_duck.ngram.soundness import Soundness  # noqa: PLC0415  # as above

        self._cursor = cursor
        self._line = _line(cursor)
        words = lexicon(family(cursor.language))
        self._here = None
        if words is not None:
            self._here = Soundness(words, cursor.path, cursor.language, cursor.prefix, cursor.suffix)
            self._here.prepare()

    def fit(self, said: str) -> str:
        """The longest beginning of `said`, by lines, that repeats nothing and with which the file still parses."""
        suffix, line = self._cursor.suffix, self._line
        text = without_suffix(said.replace("\r\n", "\n"), suffix, line).rstrip()
        if self._here is None or not text.strip() or _repeats(text, self._cursor.prefix):
            return ""
        lines = text.split("\n")
        for count in range(len(lines), 0, -1):
            part = "\n".join(lines[:count]).rstrip()
            whole = self._here.sound(part) if part.strip() else None
            if whole and without_suffix(whole, suffix, line) == whole:
                return whole
        return ""


def _line(cursor: Cursor) -> str:
    """What stands before the cursor on its line."""
    return cursor.prefix[cursor.prefix.rfind("\n") + 1 :]


def _repeats(text: str, prefix: str) -> bool:
    """Whether it says only what stands in the line before, again."""
    before = [line.strip() for line in prefix.split("\n")[-4:] if line.strip()]
    lines = {line.strip() for line in text.split("\n") if line.strip()}
    return bool(lines) and len("".join(lines)) > _LEAST_OVERLAP and lines <= set(before)


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
