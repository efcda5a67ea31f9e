"""API keys: `duck_`, an id, a secret of 256 bits, a checksum. Only the hash of a key is ever kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rubber_duck.errors import Unauthenticated

_KEY: Final = re.compile(r"duck_([0-9a-f]{16})_([0-9a-f]{64})_([0-9a-f]{8})")
_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key that was just made: shown once, and nowhere kept. `digest` is the SHA-256 of `text`."""

    id: str
    text: str
    digest: str

    def __repr__(self) -> str:
        return f"IssuedKey(id={self.id!r}, text='***')"


def new_key(random_bytes: Callable[[int], bytes]) -> IssuedKey:
    """A key from `random_bytes`, which gives as many random bytes as it is asked for."""
    body = f"duck_{random_bytes(_ID_BYTES).hex()}_{random_bytes(_SECRET_BYTES).hex()}"
    text = f"{body}_{_checksum(body)}"
    return IssuedKey(body.split("_")[1], text, digest_of(text))


def id_of(text: str) -> str:
    """The id in a key. Raises Unauthenticated for what is no key, or one that was mistyped."""
    found = _KEY.fullmatch(text)
    if found is None or not hmac.compare_digest(_checksum(text[: -len(found[3]) - 1]), found[3]):
        raise Unauthenticated("this is no key of RubberDuck, or a part of it is missing; copy it once more")
    return found[1]


def digest_of(text: str) -> str:
    """The SHA-256 of a key: its secret has 256 random bits, so a slow hash would gain nothing."""
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
