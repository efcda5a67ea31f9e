"""Random references, for sessions, tickets and invitations: a prefix, 256 random bits. Only the hash is ever kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rubber_duck.errors import Unauthenticated


class Kind(StrEnum):
    """What a reference is for; the value is its prefix."""

    SESSION = "ducks"
    TICKET = "duckt"
    INVITATION = "ducki"


_REFERENCE: Final = re.compile(r"(duck[sti])_([0-9a-f]{64})")
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference that was just made: its text is shown once, `digest` is kept."""

    text: str = field(repr=False)
    digest: str


def new_reference(kind: Kind, random_bytes: Callable[[int], bytes]) -> Reference:
    """A reference from `random_bytes`, which gives as many random bytes as it is asked for."""
    text = f"{kind.value}_{random_bytes(_SECRET_BYTES).hex()}"
    return Reference(text, digest_of(text))


def kind_of(text: str) -> Kind | None:
    """What a text refers to, if it has the form of a reference."""
    found = _REFERENCE.fullmatch(text)
    return None if found is None else Kind(found[1])


def checked(kind: Kind, text: str) -> str:
    """The digest of a reference of that kind. Raises Unauthenticated for anything else."""
    if kind_of(text) is not kind:
        raise Unauthenticated(f"this is no {kind.name.lower()}, or a part of it is missing; copy it once more")
    return digest_of(text)


def digest_of(text: str) -> str:
    """Its SHA-256: 256 random bits need no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()
