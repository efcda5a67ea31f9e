"""A file's symbols and references as bytes, for the cache, the database and the pipe from a worker."""

from __future__ import annotations

import zlib
from array import array
from operator import sub
from typing import Final

import msgspec

from rubber_duck.code.source import SyntaxProblem
from rubber_duck.code.symbols import Export, FileSymbols, ImportEdge, References, Symbol
from rubber_duck.errors import InvalidInput

FORMAT: Final = 1
"""The first byte; another one is read as nothing that is known."""

_LEVEL: Final = 1  # zlib's fastest: a third of the size for a tenth of the extraction's time


class _Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """References by column; offsets and line starts as differences, 32-bit little-endian, which compress well."""

    symbols: tuple[Symbol, ...]
    imports: tuple[ImportEdge, ...]
    exports: tuple[Export, ...]
    doc: str
    problems: tuple[SyntaxProblem, ...]
    names: tuple[str, ...]
    name_indexes: bytes
    kinds: bytes
    offsets: bytes
    line_starts: bytes


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Kept)


def encode(found: FileSymbols) -> bytes:
    """The bytes of `found`; `decode` gives it back."""
    references = found.references
    kept = _Kept(
        found.symbols,
        found.imports,
        found.exports,
        found.doc,
        found.problems,
        references.names,
        references.name_indexes.tobytes(),
        references.kinds,
        _differences(references.offsets),
        _differences(references.line_starts),
    )
    return bytes((FORMAT,)) + zlib.compress(_encoder.encode(kept), _LEVEL)


def decode(content: bytes) -> FileSymbols:
    """What `encode` was given; InvalidInput for bytes it did not write."""
    if content[:1] != bytes((FORMAT,)):
        raise InvalidInput("these are not a file's symbols, or of another version of this program")
    try:
        kept = _decoder.decode(zlib.decompress(content[1:]))
        references = References(
            kept.names, array("I", kept.name_indexes), kept.kinds, _sums(kept.offsets), _sums(kept.line_starts)
        )
    except (zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise InvalidInput(f"a file's symbols cannot be read: {error}") from error
    return FileSymbols(kept.symbols, references, kept.imports, kept.exports, kept.doc, kept.problems)


def _differences(values: array[int]) -> bytes:
    listed = values.tolist()
    return array("I", map(sub, listed, [0, *listed])).tobytes()


def _sums(differences: bytes) -> array[int]:
    total = 0
    values = array("I")
    for step in array("I", differences):
        total += step
        values.append(total)
    return values
