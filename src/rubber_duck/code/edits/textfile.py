"""A file's bytes as text, and back without changing a byte that no edit touched."""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from typing import Final

from rubber_duck.code.decoding import decode
from rubber_duck.errors import InvalidInput

_BYTE_ORDERS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)


@dataclass(frozen=True, slots=True)
class TextFile:
    """`text` in `encoding` behind the byte order mark `mark`; bytes that are not UTF-8 are surrogates (PEP 383)."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    @classmethod
    def of(cls, content: bytes, family: str) -> TextFile:
        """Read `content` of a file of that language family; raises InvalidInput for what is no text."""
        mark, encoding = next(
            ((mark, name) for mark, name in _BYTE_ORDERS if content.startswith(mark)),
            (b"", decode(content[:4_000], family).encoding),
        )
        try:
            text = content[len(mark) :].decode(encoding, _errors(encoding))
        except (UnicodeError, LookupError) as error:
            raise InvalidInput(f"its bytes are not {encoding}") from error
        if "\0" in text:
            raise InvalidInput("it is not text: it holds NUL bytes")
        read = cls(text, encoding, mark)
        if read.to_bytes(text) != content:
            raise InvalidInput(f"its {encoding} cannot be written back as it is")
        return read

    def to_bytes(self, text: str) -> bytes:
        """`text` as this file would hold it; raises InvalidInput for a character that its encoding has not."""
        try:
            return self.mark + text.encode(self.encoding, _errors(self.encoding))
        except UnicodeEncodeError as error:
            missing = error.object[error.start]
            raise InvalidInput(f"it is {self.encoding}, which has no {missing!r}") from error


def git_blob(content: bytes) -> str:
    """The name that git gives this content."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def _errors(encoding: str) -> str:
    return "surrogateescape" if encoding == "utf-8" else "strict"
