"""Counts text in tokens of the o200k vocabulary, whose ranks ship in the wheel, and cuts it to a budget."""

from __future__ import annotations

import base64
import hashlib
import lzma
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rubber_duck.errors import DuckError, InvalidInput

if TYPE_CHECKING:
    from tiktoken import Encoding

RANKS_FILE: Final = Path(__file__).parent / "ranks" / "o200k.xz"
"""The tokens in the order of their ranks, each with its length before it in one byte, compressed.

From the npm package js-tiktoken 1.0.21 (MIT, the licence lies beside it); written by `tools/token_ranks.py`.
"""

RANKS_SHA256: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
"""Of the vocabulary as tiktoken downloads it: a base64 token and its rank a line (tiktoken_ext/openai_public.py)."""

SPECIAL: Final = {"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018}
"""Marks with a meaning to the model. In text from outside they are counted as the characters they are."""

_CONTRACTION: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER: Final = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER: Final = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
PATTERN: Final = "|".join(
    (
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_CONTRACTION}",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_CONTRACTION}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""How text is split before its bytes are merged; the vocabulary was learnt with it (tiktoken_ext/openai_public.py)."""

PIECE_CHARACTERS: Final = 100_000
"""Longer texts are counted in pieces of at most this length: two million spaces overflow the stack of tiktoken's
regular expressions, and the merging of one endless word is superlinear."""


def count_tokens(text: str) -> int:
    """How many tokens `text` has; exact up to PIECE_CHARACTERS, above that a token or two per piece too many.

    A lone surrogate counts as the replacement character.
    """
    return sum(len(_encoding().encode_ordinary(piece)) for piece in _pieces(text))


def encode(text: str) -> list[int]:
    """The token numbers of `text`; special marks are read as plain text."""
    return [token for piece in _pieces(text) for token in _encoding().encode_ordinary(piece)]


def decode(tokens: Sequence[int]) -> str:
    """The text of token numbers; bytes that are no UTF-8 become the replacement character.

    Raises InvalidInput for a number that no token has.
    """
    try:
        return _encoding().decode(tokens)
    except KeyError as error:
        raise InvalidInput(f"no token has the number {error.args[0]!r}") from error


def cut(text: str, budget_tokens: int, *, keep: Literal["start", "end"] = "start") -> str:
    """The longest start (or end) of `text` of at most `budget_tokens` tokens, cut between characters.

    What is cut off may change how the rest is split, so the rest is counted again and shortened until it fits.
    """
    if budget_tokens <= 0:
        return ""
    tokens = encode(text)
    if len(tokens) <= budget_tokens:
        return text
    kept = budget_tokens
    while kept > 0:
        part = decode(tokens[:kept]) if keep == "start" else decode(tokens[-kept:])
        part = part.rstrip("\ufffd") if keep == "start" else part.lstrip("\ufffd")
        excess = count_tokens(part) - budget_tokens
        if excess <= 0:
            return part
        kept -= excess
    return ""


def pack_ranks(tokens: Sequence[bytes]) -> bytes:
    """The content of RANKS_FILE for tokens in the order of their ranks. Raises InvalidInput for other tokens."""
    if ranks_digest(tokens) != RANKS_SHA256:
        raise InvalidInput("these are not the tokens of the o200k vocabulary: their digest is another")
    return lzma.compress(b"".join(bytes((len(token),)) + token for token in tokens), preset=9 | lzma.PRESET_EXTREME)


def unpack_ranks(packed: bytes) -> list[bytes]:
    """The tokens in the order of their ranks, from the content of RANKS_FILE."""
    joined = lzma.decompress(packed)
    tokens: list[bytes] = []
    at = 0
    while at < len(joined):
        end = at + 1 + joined[at]
        tokens.append(joined[at + 1 : end])
        at = end
    return tokens


def ranks_digest(tokens: Sequence[bytes]) -> str:
    """The SHA-256, in hex, of the file that tiktoken would download for these tokens."""
    lines = (base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))
    return hashlib.sha256(b"".join(lines)).hexdigest()


def has_ranks() -> bool:
    """Whether the vocabulary was read already, which takes a moment the first time."""
    return _encoding.cache_info().currsize > 0


@cache
def _encoding() -> Encoding:
    from tiktoken import Encoding  # noqa: PLC0415  # 0.1 s, and 0.2 s for the ranks: only who counts pays

    try:
        tokens = unpack_ranks(RANKS_FILE.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise DuckError(f"the ranks of the tokens cannot be read: {error}; install RubberDuck anew") from error
    ranks = {token: rank for rank, token in enumerate(tokens)}
    return Encoding("o200k_base", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=SPECIAL)


def _pieces(text: str) -> list[str]:
    """`text` in pieces that are cheap to count, cut after a line end where there is one."""
    pieces = []
    at = 0
    while len(text) - at > PIECE_CHARACTERS:
        end = text.rfind("\n", at, at + PIECE_CHARACTERS) + 1 or at + PIECE_CHARACTERS
        pieces.append(text[at:end])
        at = end
    pieces.append(text[at:])
    return pieces
