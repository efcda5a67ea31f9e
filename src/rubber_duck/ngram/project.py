"""One project's model as it is used: brought up to date with the files, asked by one thread at a time."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rubber_duck import telemetry
from rubber_duck.code.code import detect, family
from rubber_duck.errors import DuckError, TimedOut
from rubber_duck.ngram.lexicon import Lexicon
from rubber_duck.ngram.mixer import mixer
from rubber_duck.ngram.model import ProjectModel, ReadFile, Sighting
from rubber_duck.ngram.primer import primer
from rubber_duck.ngram.reading import relate_with
from rubber_duck.ngram.relations import Relations
from rubber_duck.ngram.session import Session
from rubber_duck.ngram.shelf import Shelf
from rubber_duck.ngram.suggestion import Cursor, Silence, Suggestion, extended, offer
from rubber_duck.ngram.training import SourceText, decoded, train
from rubber_duck.settings import IndexSettings
from rubber_duck.workspace.paths import Root
from rubber_duck.workspace.scan import ScannedFile, looks_binary, scan

Stop = Callable[[], bool]

_MOST_SESSIONS: Final = 8
_STOPPED: Final = "nobody waits for the completion any more; ask again"
_LONGEST_TYPED: Final = 80
_ANEW: Final = 0.3
"""The share of changed files from which on all is read again."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer: suggestions, and whether they are what was left of the last answer after more was typed.

    `silence`: why there are none.
    """

    suggestions: tuple[Suggestion, ...]
    is_extended: bool
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    cursor: Cursor
    count: int
    suggestions: tuple[Suggestion, ...]


class TrainedProject:
    """The model of one project in one family of languages. Its methods block; they may be called from any thread."""

    def __init__(self, root: Root, index: IndexSettings, lexicon: Lexicon, shelf: Shelf) -> None:
        self._root = root
        self._settings = index
        self._lexicon = lexicon
        self._shelf = shelf
        self._lock = threading.Lock()
        self._model: ProjectModel | None = None
        self._is_unlisted = False
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._answers: dict[str, _Answer] = {}

    @property
    def is_ready(self) -> bool:
        """Whether the model is there, so that an answer takes milliseconds."""
        return self._model is not None

    def heed(self, index: IndexSettings) -> None:
        """Follow these settings from the next answer on: what they leave out now is unlearnt before it is given."""
        if index != self._settings:
            self._settings = index
            self._is_unlisted = True

    def predict(
        self, cursor: Cursor, *, count: int, stop: Stop, on_code: Callable[[], None] = lambda: None
    ) -> Prediction:
        """Suggestions at a cursor; read or trained first if it has to be. Raises TimedOut when stopped.

        `on_code` is as in `suggestion.offer`.
        """
        with self._lock:
            if stop():
                raise TimedOut(_STOPPED)
            model = self._model or self._opened(stop)
            if self._is_unlisted:
                model = self._update(model, self._listed(), stop)
                self._is_unlisted = False
            known = self._extended(cursor, count)
            if known is not None:
                return Prediction(known, is_extended=True)
            session = self._sessions.pop(cursor.path, None)
            if session is None or session.model is not model:
                session = Session(model, cursor.path)
            for other in self._sessions.values():
                other.ground.forget()
            self._sessions[cursor.path] = session
            while len(self._sessions) > _MOST_SESSIONS:
                path, _ = self._sessions.popitem(last=False)
                self._answers.pop(path, None)
            offered, silence = offer(session, cursor, count=count, stop=stop, on_code=on_code)
            if stop():
                raise TimedOut(_STOPPED)
            found = tuple(offered)
            self._answers[cursor.path] = _Answer(cursor, count, found)
            return Prediction(found, is_extended=False, silence=silence)

    def refresh(self, stop: Stop) -> None:
        """Bring the model up to date with what was changed in the project. Raises TimedOut when it is stopped."""
        with self._lock:
            if self._model is not None:
                self._update(self._model, self._listed(), stop)

    def size(self) -> tuple[int, int]:
        """How many files and tokens the model is made of."""
        model = self._model
        return (len(model.files), len(model.index)) if model is not None else (0, 0)

    def _opened(self, stop: Stop) -> ProjectModel:
        listed = self._listed()
        kept = self._shelf.read(self._root.path, self._lexicon, mixer())
        if kept is None:
            return self._trained(listed, stop)
        self._use(kept)
        return self._update(kept, listed, stop)

    def _trained(self, listed: Sequence[ScannedFile], stop: Stop) -> ProjectModel:
        started = time.monotonic()
        relate = {language: relate_with(language) for language in {file.language or "" for file in listed}}
        languages = {file.path: file.language or "" for file in listed}

        def related(path: str, content: bytes, number: Callable[[str], int | None]) -> Relations:
            return relate[languages[path]](path, content, number)

        with telemetry.span("ngram.train"):
            model = train(self._lexicon, self._sources(listed, stop), related)
        self._shelf.write(self._root.path, model)
        self._use(model)
        duration_ms = round((time.monotonic() - started) * 1000)
        telemetry.emit("ngram.trained", files=len(model.files), tokens=len(model.index), duration_ms=duration_ms)
        return model

    def _update(self, model: ProjectModel, listed: Sequence[ScannedFile], stop: Stop) -> ProjectModel:
        present = {file.path for file in listed}
        gone = [path for path in model.files if path not in present]
        suspects = [
            file for file in listed if file.path not in model.files or model.files[file.path].sighting != sighting(file)
        ]
        is_much = len(suspects) + len(gone) > max(_ANEW * len(model.files), 20)
        if is_much or any(os.path.lexists(self._root.path / path) for path in gone):
            # What is there and left out now, for its name or its size, may be a secret: a model never forgets a name.
            return self._trained(listed, stop)
        started = time.monotonic()
        read: list[ReadFile] = []
        for source, file in zip(self._sources(suspects, stop), suspects, strict=False):
            known = model.files.get(source.path)
            if known is not None and known.content_hash == source.content_hash:
                model.seen(source.path, source.sighting)
            else:
                read.append(read_file(model, source, file.language or ""))
        if read or gone:
            model.change(read, gone)
            if model.needs_folding:
                model = model.folded()
                self._shelf.write(self._root.path, model)
            self._use(model)
            duration_ms = round((time.monotonic() - started) * 1000)
            telemetry.emit("ngram.updated", changed=len(read), removed=len(gone), duration_ms=duration_ms)
        return model

    def _use(self, model: ProjectModel) -> None:
        if not model.speaks:
            model.speak(primer(self._lexicon.family))
        self._model = model
        self._sessions.clear()
        self._answers.clear()

    def _listed(self) -> list[ScannedFile]:
        found = scan(self._root, self._settings, detect).files
        return [file for file in found if file.language is not None and family(file.language) == self._lexicon.family]

    def _sources(self, files: Sequence[ScannedFile], stop: Stop) -> Iterator[SourceText]:
        """The files' content; empty for one that cannot be read any more."""
        for file in files:
            if stop():
                raise TimedOut(_STOPPED)
            try:
                content = self._root.open_bytes(file.path, self._settings.max_file_size_bytes)
            except DuckError as error:
                telemetry.emit("ngram.file_left_out", path=file.path, error=error.message)
                content = b""
            if looks_binary(content):
                content = b""
            yield SourceText(file.path, hashlib.sha256(content).hexdigest()[:32], content, sighting(file))

    def _extended(self, cursor: Cursor, count: int) -> tuple[Suggestion, ...] | None:
        """What is left of the last answer in this file, if more was typed of its first suggestion."""
        last = self._answers.get(cursor.path)
        if last is None or last.count < count or last.cursor.suffix != cursor.suffix:
            return None
        before = last.cursor.prefix
        typed = cursor.prefix[len(before) :]
        if not 0 < len(typed) <= _LONGEST_TYPED or not cursor.prefix.startswith(before):
            return None
        found = extended(last.suggestions, typed)
        return tuple(found[:count]) if found and found[0].text else None


def sighting(file: ScannedFile) -> Sighting:
    """How a file looks without being read."""
    return file.size_bytes, file.mtime_ns, file.ctime_ns, file.inode


def read_file(model: ProjectModel, source: SourceText, language: str) -> ReadFile:
    """A file as `model` counts it."""
    tokens = model.read(decoded(source.content))
    relations = relate_with(language)(source.path, source.content, model.number) if language else array("i")
    return ReadFile(source.path, source.content_hash, tokens, relations, source.sighting)
