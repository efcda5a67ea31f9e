"""Takes secrets out of what leaves; the last function before the socket calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rubber_duck.redaction.announced import without_announced
from rubber_duck.redaction.hidden import ENCODED, decodings, without_tails
from rubber_duck.redaction.marked import KINDS, is_prefixed, without_marked

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]

DEPTH: Final = 64
"""JSON nested deeper than this is not sent."""

_MIN_KNOWN_CHARACTERS: Final = 6  # a shorter value would blot out ordinary words
_MOST_KEYS: Final = 200

_PRINTABLE: Final = bytes(range(32, 127)) + b"\n\r\t"
_LAYERS: Final = 3
"""A secret that was encoded oftener than this is not looked for."""

_REACH: Final = 600  # characters on each side of where two texts meet; no token is longer, and keys of files are whole
_MARK: Final = re.compile(
    r"<[|｜][^<>|｜]{1,20}[|｜]>|</?(?:fim_(?:prefix|suffix|middle)|file_sep|PRE|SUF|MID)>|\[(?:SUFFIX|PREFIX|MIDDLE)\]"
)
_LABELS: Final = frozenset({"role", "type", "model", "id", "tool_call_id", "tool_use_id", "name", "cache_control"})
"""What stands between two texts of a conversation, and is none."""


class Redactor:
    """Replaces secrets by `[REDACTED:kind]`: those its maker marked, those a name announces, and `known` values."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` are secrets of this installation, of whatever look; those under 6 characters are passed over."""
        self.learn(known)

    def learn(self, known: Iterable[str]) -> None:
        """Take these as known from now on, in place of those before."""
        values = sorted({each for each in known if len(each) >= _MIN_KNOWN_CHARACTERS}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, values))) if values else None
        self._keys: dict[str, str] = {}  # what bodies are made of: the same few names each time

    def text(self, text: str) -> str:
        """`text` without secrets, those in it as base64 or hexadecimal too; done twice it changes nothing more."""
        return self._text(text, _LAYERS)

    def body(self, value: JsonValue) -> JsonValue:
        """What is to be sent, without secrets: those that begin in one text of it and end in the next among them.

        Raises ValueError when it is nested too deeply.
        """
        return self.value(self._whole(value))

    def value(self, value: JsonValue, depth: int = 0) -> JsonValue:
        """A JSON value whose texts, and keys of objects, hold no secrets. Raises ValueError when it is too deep."""
        if depth > DEPTH:
            raise ValueError(f"nested deeper than {DEPTH}")
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(each, depth + 1) for each in value]
            case dict():
                return {self._key(key): self._member(key, each, depth) for key, each in value.items()}
            case _:
                return value

    def _key(self, key: str) -> str:
        held = self._keys.get(key)
        if held is None:
            held = self.text(key)
            if len(self._keys) < _MOST_KEYS and len(key) < _MOST_KEYS:
                self._keys[key] = held
        return held

    def _text(self, text: str, layers: int) -> str:
        if len(text) < _MIN_KNOWN_CHARACTERS:
            return text
        if self._known is not None:
            text = self._known.sub("[REDACTED:known]", text)
        text = without_announced(without_tails(without_marked(text)))
        return ENCODED.sub(lambda found: self._decoded(found[0], layers), text) if layers else text

    def _decoded(self, run: str, layers: int) -> str:
        """A run of letters and digits, or a word for it when a secret is encoded in it."""
        if is_prefixed(run):
            return "[REDACTED:key]"
        for decoded in decodings(run):
            text = decoded.decode("latin-1")
            is_text = len(decoded.translate(None, _PRINTABLE)) < len(decoded) // 10 + 1
            if self._text(text, layers - 1) != text if is_text else self._known and self._known.search(text):
                return "[REDACTED:encoded]"
        return run

    def _whole(self, value: JsonValue) -> JsonValue:
        """The value without secrets that are spread over texts that follow each other."""
        texts: list[str] = []
        _collect(value, texts)
        cuts = self._spread(texts)
        return (
            _replaced(value, iter([_cut(text, cuts.get(at, [])) for at, text in enumerate(texts)])) if cuts else value
        )

    def _spread(self, texts: list[str]) -> dict[int, list[tuple[int, int]]]:
        """For each text the stretches of it that are parts of secrets that no text holds alone."""
        pieces = [(at, *span) for at, text in enumerate(texts) for span in _between_marks(text)]
        cuts: dict[int, list[tuple[int, int]]] = {}
        for order in (pieces, _swapped(pieces)):
            ends, joined = [], ""
            for at, start, end in order:
                joined += texts[at][start:end]
                ends.append(len(joined))
            for first, last in self._secrets_in(joined, ends):
                before = 0
                for (at, start, _), end in zip(order, ends, strict=True):
                    here = (max(first, before), min(last, end))
                    if here[0] < here[1]:
                        cuts.setdefault(at, []).append((start + here[0] - before, start + here[1] - before))
                    before = end
        return cuts

    def _secrets_in(self, joined: str, ends: list[int]) -> Iterator[tuple[int, int]]:
        """Where secrets stand that run over one of the `ends`; looked for only around these."""
        windows: list[tuple[int, int]] = []
        for end in ends[:-1]:
            start, stop = max(0, end - _REACH), min(len(joined), end + _REACH)
            if windows and start <= windows[-1][1]:
                windows[-1] = (windows[-1][0], stop)
            else:
                windows.append((start, stop))
        for start, stop in windows:
            window = joined[start:stop]
            spans = [span for kind in KINDS for span in kind.spans(window)]
            spans += [found.span() for found in self._known.finditer(window)] if self._known else []
            for first, last in spans:
                if any(start + first < end < start + last for end in ends):
                    yield start + first, start + last

    def _member(self, key: str, value: JsonValue, depth: int) -> JsonValue:
        """A value that its key may announce as a secret."""
        if isinstance(value, str) and len(value) >= _MIN_KNOWN_CHARACTERS and "\n" not in value:
            announced = f"{key}: {value!s}"
            cleaned = self.text(announced)
            if cleaned.startswith(f"{key}: "):
                return cleaned[len(key) + 2 :]
        return self.value(value, depth + 1)


def _collect(value: JsonValue, texts: list[str], key: str = "") -> None:
    """Every text in its order, except labels."""
    match value:
        case str() if key not in _LABELS:
            texts.append(value)
        case list():
            for each in value:
                _collect(each, texts, key)
        case dict():
            for name, each in value.items():
                _collect(each, texts, name)


def _replaced(value: JsonValue, texts: Iterator[str], key: str = "") -> JsonValue:
    """The same value with other texts, in the order of `_collect`."""
    match value:
        case str() if key not in _LABELS:
            return next(texts)
        case list():
            return [_replaced(each, texts, key) for each in value]
        case dict():
            return {name: _replaced(each, texts, name) for name, each in value.items()}
        case _:
            return value


def _between_marks(text: str) -> Iterator[tuple[int, int]]:
    """The stretches between marks of families of models: what stands before and after a gap belongs together."""
    start = 0
    for mark in _MARK.finditer(text):
        yield start, mark.start()
        start = mark.end()
    yield start, len(text)


def _swapped(pieces: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The pieces with those of one text in reverse: some families are told the suffix first."""
    return sorted(pieces, key=lambda piece: (piece[0], -piece[1]))


def _cut(text: str, stretches: list[tuple[int, int]]) -> str:
    for start, end in sorted(set(stretches), reverse=True):
        text = f"{text[:start]}[REDACTED:spread]{text[end:]}"
    return text
