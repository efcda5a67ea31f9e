"""Keeps trained models in the home folder, one file a project and family of languages, to be read back or made anew.

A file holds a header that names the project, then the vocabulary and the list of files, then the arrays as they are in
memory. A checksum covers all of it. Anything that does not fit (another project, another version, a byte that changed)
is the same as no file: the model is trained again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import struct
import tempfile
import zlib
from array import array
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from rubber_duck import telemetry
from rubber_duck.ngram.index import ContextIndex
from rubber_duck.ngram.lexicon import Lexicon
from rubber_duck.ngram.mixer import Mixer
from rubber_duck.ngram.model import SKELETON_SAMPLED, FileEntry, ProjectModel
from rubber_duck.ngram.spacing import Spacing
from rubber_duck.ngram.vocabulary import FIRST_TEXT, Ids, Vocabulary
from rubber_duck.settings.home import make_private_folder

FORMAT: Final = 1
"""The version of the files."""

KEPT_BYTES: Final = 1_000_000_000
"""Beyond this the files that were used least lately are deleted."""

_MAGIC: Final = b"DUCKNGRM"
_HEAD: Final = struct.Struct("<8sIIQ")  # magic, format, checksum of the rest, length of the description
_SUFFIX: Final = ".model"
_LEVEL: Final = 1
_SMALL: Final = 1 << 16


class _File(msgspec.Struct, array_like=True, frozen=True, gc=False):
    path: str
    content_hash: str
    size: int
    relations: bytes
    sighting: tuple[int, int, int, int]


class _Description(msgspec.Struct, array_like=True, frozen=True):
    root: bytes
    family: str
    texts: list[str]
    kinds: bytes
    files: list[_File]
    habits: list[tuple[tuple[str, ...], bool]]
    tokens: int
    signs: int


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Description)


class Shelf:
    """The folder of models."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, root: Path, family: str) -> Path:
        """Where the model of the project at `root` is kept."""
        key = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        return self._folder / key / f"{family}{_SUFFIX}"

    def read(self, root: Path, lexicon: Lexicon, mixer: Mixer) -> ProjectModel | None:
        """The kept model, or None when there is none that can be used; why is told as an event."""
        path = self.path(root, lexicon.family)
        try:
            content = _content(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            telemetry.emit("ngram.model_unusable", path=str(path), error=error.strerror or "")
            return None
        try:
            model = _decoded(content, root, lexicon, mixer)
        except (ValueError, struct.error, zlib.error, msgspec.MsgspecError) as error:
            telemetry.emit("ngram.model_unusable", path=str(path), error=str(error))
            return None
        os.utime(path)
        return model

    def write(self, root: Path, model: ProjectModel) -> None:
        """Keep a model that has one index; a full disk costs the next start the training and nothing else."""
        path = self.path(root, model.vocabulary.lexicon.family)
        try:
            make_private_folder(path.parent)
            descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=_SUFFIX, dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    for piece in _encoded(root, model):
                        file.write(piece)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
            self.prune(KEPT_BYTES)
        except OSError as error:
            telemetry.emit("ngram.model_unusable", path=str(path), error=error.strerror or "")

    def forget(self, root: Path) -> None:
        """Delete the models of the project at `root`."""
        for path in self.path(root, "").parent.glob(f"*{_SUFFIX}"):
            path.unlink(missing_ok=True)

    def prune(self, limit_bytes: int) -> None:
        """Delete the models that were used least lately until all that is kept fits into `limit_bytes`."""
        found = [(path.stat().st_mtime_ns, path) for path in self._folder.glob(f"*/*{_SUFFIX}")]
        kept = 0
        for _, path in sorted(found, reverse=True):
            kept += path.stat().st_size
            if kept > limit_bytes:
                path.unlink()


def _content(path: Path) -> bytes:
    """A model's file; OSError for what is no regular file of a fair size, which is not waited for either."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > KEPT_BYTES:
            raise OSError(errno.EINVAL, "it is no file that this program wrote")
        return file.read(KEPT_BYTES)


def _encoded(root: Path, model: ProjectModel) -> list[bytes]:
    vocabulary = model.vocabulary
    description = _Description(
        os.fsencode(root),
        vocabulary.lexicon.family,
        vocabulary.texts[FIRST_TEXT:],
        bytes(vocabulary.kinds[FIRST_TEXT:]),
        [
            _File(
                _safe(entry.path),
                entry.content_hash,
                entry.end - entry.start,
                entry.relations.tobytes(),
                entry.sighting,
            )
            for entry in model.files.values()
        ],
        list(model.spacing.habits.items()),
        len(model.index),
        len(model.skeletons),
    )
    packed = zlib.compress(_encoder.encode(description), _LEVEL)
    small = len(vocabulary) < _SMALL
    arrays = [
        _bytes(model.index.tokens, small=small),
        _bytes(model.index.positions, small=False),
        _bytes(model.skeletons.tokens, small=small),
        _bytes(model.skeletons.positions, small=False),
    ]
    checksum = 0
    for piece in (packed, *arrays):
        checksum = zlib.crc32(piece, checksum)
    return [_HEAD.pack(_MAGIC, FORMAT, checksum, len(packed)), packed, *arrays]


def _decoded(content: bytes, root: Path, lexicon: Lexicon, mixer: Mixer) -> ProjectModel:
    magic, version, checksum, length = _HEAD.unpack_from(content)
    if magic != _MAGIC or version != FORMAT:
        raise ValueError("it is of another version of this program")
    body = memoryview(content)[_HEAD.size :]
    if zlib.crc32(body) != checksum:
        raise ValueError("its checksum is wrong")
    known = _decoder.decode(zlib.decompress(body[:length]))
    if known.root != os.fsencode(root) or known.family != lexicon.family:
        raise ValueError("it is of another project")
    small = len(known.texts) + FIRST_TEXT < _SMALL
    arrays: list[Ids] = []
    at = length
    for size, is_small in ((known.tokens, small), (known.tokens, False), (known.signs, small), (known.signs, False)):
        end = at + size * (2 if is_small else 4)
        arrays.append(_array(body[at:end], small=is_small))
        at = end
    vocabulary = Vocabulary(lexicon, known.texts, known.kinds)
    entries: list[FileEntry] = []
    at = 0
    for file in known.files:
        relations = array("i", file.relations)
        entries.append(FileEntry(_path(file.path), file.content_hash, at, at + file.size, relations, file.sighting))
        at += file.size
    return ProjectModel(
        vocabulary,
        mixer,
        Spacing(lexicon, dict(known.habits)),
        entries,
        ContextIndex(arrays[0], arrays[1]),
        ContextIndex(arrays[2], arrays[3], sampled=SKELETON_SAMPLED),
    )


def _bytes(numbers: Ids, *, small: bool) -> bytes:
    return numbers.astype("<u2").tobytes() if small else numbers.astype("<i4").tobytes()


def _array(content: memoryview, *, small: bool) -> Ids:
    found: Ids = np.frombuffer(content, "<u2" if small else "<i4").astype(np.int32)
    return found


def _safe(path: str) -> str:
    """A path as text that can be written: bytes that are no UTF-8 stand in it as escapes."""
    return path.encode("utf-8", "surrogateescape").decode("latin-1")


def _path(safe: str) -> str:
    return safe.encode("latin-1").decode("utf-8", "surrogateescape")
