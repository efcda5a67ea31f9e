"""Remembers answers to questions that have only one: those at temperature 0, asked again in the same project."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rubber_duck.llm.messages import Finished, FinishReason, Piece, Question, TextDelta, ToolCall, Usage
from rubber_duck.llm.roles import Role
from rubber_duck.scope import Scope

_ENTRY_BYTES = 300


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole answer, and which model gave it, as `provider/model`."""

    model: str
    pieces: tuple[Piece, ...]
    size_bytes: int
    until: float


class AnswerCache:
    """Answers in the memory of this process, the ones that were not asked for longest forgotten first.

    A key holds who may see the answer: the project and the rights, and without a project the person; and who was
    asked: the chain of models. Changing what is connected forgets everything.
    """

    def __init__(self, for_s: float, most_bytes: int, clock: Callable[[], float]) -> None:
        """`clock` gives seconds from any point."""
        self._for_s = for_s
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def key(self, scope: Scope, role: Role, chain: Sequence[str], question: Question) -> str:
        """Where the answer lies; empty for a question whose answer is not kept."""
        if question.temperature or not self._for_s or not self._most_bytes:
            return ""
        whose = str(scope.project) if scope.project is not None else f"person {scope.actor.id}"
        parts = (whose, sorted(scope.rights), role.value, tuple(chain), question)
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def get(self, key: str) -> Kept | None:
        """The answer, which took nothing this time."""
        kept = self._kept.get(key) if key else None
        if kept is None:
            return None
        if kept.until < self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def keep(self, key: str, model: str, pieces: Sequence[Piece]) -> None:
        """Keep an answer that ended well, its text in one piece."""
        end = pieces[-1] if pieces else None
        if not key or not isinstance(end, Finished) or end.reason is FinishReason.REFUSED:
            return
        texts = "".join(each.text for each in pieces if isinstance(each, TextDelta))
        others = [each for each in pieces if isinstance(each, ToolCall)]
        whole: tuple[Piece, ...] = (*([TextDelta(texts)] if texts else []), *others, replace(end, usage=Usage(0, 0)))
        size = _ENTRY_BYTES + len(repr(whole))
        if size > self._most_bytes:
            return
        self._drop(key)
        self._kept[key] = Kept(model, whole, size, self._clock() + self._for_s)
        self._bytes += size
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.size_bytes
