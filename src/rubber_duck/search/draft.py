"""A file as a worker gives it to the index: its chunks and their words, in a tenth of the file's own size.

The words are numbered twice: in the file from 0, and by the index's vocabulary. A worker knows only the former; the
vocabulary's numbers are kept beside what it makes. `record` reads it.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

import msgspec

from rubber_duck.search.chunk import Chunk
from rubber_duck.search.fields import FIELDS, Counts

FORMAT: Final = 4
"""Changes whenever chunks are cut, words are split or files are written in another way: an index of another format is
built anew."""

HEAD: Final = 0x80
_LEVEL: Final = 6


class Columns(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The chunks of a file by column. Numbers have 32 bits and stand in planes: all lowest bytes first.

    - `kinds`: indexes of `kind_names`; the bit HEAD is set for heads. `names`: a line each. `around`: what stands
      before the name in the qualified name, indexes of `around_names`.
    - `places`: four columns: where a chunk starts after the start of the one before, and its size, in bytes; its first
      line after that of the one before, and how many lines follow.
    - `lengths`: five columns, see `fields.Counts`. `counts`: how many words.
    - `words`: of all chunks, ascending in each, as differences. `codes`: a byte each, see `fields`.
    """

    kind_names: tuple[str, ...]
    kinds: bytes
    names: str
    around_names: tuple[str, ...]
    around: bytes
    places: bytes
    lengths: bytes
    counts: bytes
    words: bytes
    codes: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A file whose words have no numbers yet: its `vocabulary`, and the rest as bytes (`Columns`, compressed)."""

    vocabulary: tuple[str, ...]
    content: bytes


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Columns)


def draft(chunks: Sequence[Chunk], counted: Sequence[Counts]) -> Draft:
    """The draft of a file of these chunks, each with its words."""
    numbers: dict[str, int] = {}
    words, codes = array("I"), bytearray()
    for counts in counted:
        last = 0
        for number, code in sorted(
            (numbers.setdefault(word, len(numbers)), code) for word, code in counts.codes.items()
        ):
            words.append(number - last)
            codes.append(code)
            last = number
    kinds = _indexes([chunk.kind for chunk in chunks])
    around = _indexes([_around(chunk) for chunk in chunks])
    places = [
        _differences(chunk.start_byte for chunk in chunks),
        [chunk.end_byte - chunk.start_byte for chunk in chunks],
        _differences(chunk.start_line for chunk in chunks),
        [chunk.end_line - chunk.start_line for chunk in chunks],
    ]
    columns = Columns(
        kind_names=tuple(kinds),
        kinds=bytes(kinds[chunk.kind] | (HEAD if chunk.is_head else 0) for chunk in chunks),
        names="\n".join(chunk.name.replace("\n", " ") for chunk in chunks),
        around_names=tuple(around),
        around=_planes([around[_around(chunk)] for chunk in chunks]),
        places=_planes(chain.from_iterable(places)),
        lengths=_planes(counts.lengths[field] for field in range(FIELDS) for counts in counted),
        counts=_planes([len(counts.codes) for counts in counted]),
        words=_planes(words),
        codes=bytes(codes),
    )
    return Draft(tuple(numbers), zlib.compress(_encoder.encode(columns), _LEVEL))


def columns_of(content: bytes) -> Columns:
    """What `draft` wrote."""
    return _decoder.decode(zlib.decompress(content))


def _around(chunk: Chunk) -> str:
    """The qualified name without the name at its end; all of it where it does not end so."""
    return chunk.qualified_name.removesuffix(chunk.name)


def _indexes(values: Sequence[str]) -> dict[str, int]:
    """Each distinct value → its place in the order of first occurrence."""
    return {value: index for index, value in enumerate(dict.fromkeys(values))}


def _differences(values: Iterable[int]) -> list[int]:
    listed = [0, *values]
    return [after - before for before, after in pairwise(listed)]


def _planes(values: Iterable[int]) -> bytes:
    numbers = values if isinstance(values, array) else array("I", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    written = numbers.tobytes()
    return b"".join(written[plane::4] for plane in range(4))
