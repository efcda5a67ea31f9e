"""From the bytes of a file to the UTF-8 that the parser reads.

The rule: a byte order mark decides (UTF-8, UTF-16, UTF-32); then, for Python, the declared encoding of PEP 263;
otherwise UTF-8. UTF-8 stays byte for byte as it is, so that offsets are the file's own. Bytes that are invalid become
`?`, one each, and a problem is noted; nothing is refused.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_ADVICE: Final = "save the file as UTF-8"
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Decoded:
    """`content` is valid UTF-8; `encoding` the file's own; `problem` says what was replaced, `""` when nothing."""

    content: bytes
    encoding: str
    problem: str


def decode(content: bytes, family: str) -> Decoded:
    """The UTF-8 of a file of that language family, by the rule above."""
    encoding = _encoding(content, family)
    if encoding == "utf-8":
        if content.isascii():  # twenty times as fast as decoding, and most files are
            return Decoded(content, "utf-8", "")
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            fixed = content.decode("utf-8", "duck_question").encode()
            return Decoded(fixed, "utf-8", f"invalid UTF-8 at byte {error.start:,}, read as '?': {_ADVICE}")
        return Decoded(content, "utf-8", "")
    try:
        text = content.decode(encoding)
    except UnicodeError:
        # `surrogateescape` would give lone surrogates, which are not UTF-8
        text = content.decode(encoding, "replace")
        return Decoded(text.encode("utf-8", "replace"), encoding, f"invalid {encoding}, read as '\ufffd': {_ADVICE}")
    return Decoded(text.encode("utf-8", "replace"), encoding, "")


def lines_of(content: bytes, family: str) -> tuple[str, ...]:
    """The lines of a file of that language family, by the rule above, without their ends and without a mark.

    They are those that the parser counts: a form feed, or a separator that only Unicode knows, ends none.
    """
    text = decode(content, family).content.decode().removeprefix("\ufeff")
    lines = text.removesuffix("\n").split("\n") if text else []
    return tuple(line.removesuffix("\r") for line in lines)


def _encoding(content: bytes, family: str) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    if family != "python" or content.startswith(codecs.BOM_UTF8):
        return "utf-8"
    first, _, rest = content[:4_000].partition(b"\n")
    second = rest.partition(b"\n")[0]
    cookie = _COOKIE.match(first) or (_BLANK.match(first) and _COOKIE.match(second))
    if not cookie:
        return "utf-8"
    try:
        found = codecs.lookup(cookie[1].decode("ascii"))
    except (LookupError, UnicodeDecodeError):
        return "utf-8"
    # ASCII is UTF-8; a codec between bytes and bytes (hex, zlib) is no text encoding
    is_text = getattr(found, "_is_text_encoding", True) and found.name not in {"idna", "punycode"}
    return found.name if is_text and found.name not in {"ascii", "utf-8", "utf-8-sig"} else "utf-8"


def _question(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "?" * (error.end - error.start), error.end


codecs.register_error("duck_question", _question)
