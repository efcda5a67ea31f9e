"""Passwords: argon2id, two at a time and off the event loop, the same time for a name that nobody has."""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

from pwdlib.hashers.argon2 import Argon2Hasher

from rubber_duck.errors import InvalidInput

LEAST_CHARACTERS: Final = 12
MOST_CHARACTERS: Final = 1000
_AT_ONCE: Final = 2


def check_password(name: str, password: str) -> None:
    """Raises InvalidInput for what is too short, too long, or the name itself; nothing else makes one better."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise InvalidInput(
            f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS:,} characters: several words are good"
        )
    if name.lower() in password.lower() and len(password) < len(name) + LEAST_CHARACTERS:
        raise InvalidInput("the password is little more than the name; take several words that nobody would guess")
    if len(set(password)) < LEAST_CHARACTERS // 2:
        raise InvalidInput("the password repeats itself; take several words that nobody would guess")


class Passwords:
    """Hashes and compares, with the least parameters that OWASP recommends (19 MiB, two passes)."""

    def __init__(self) -> None:
        self._hasher = Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def hashed(self, password: str) -> str:
        """The hash to keep."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_right(self, password: str, kept: str | None) -> bool:
        """Whether it is the password of that hash; as slow for None, which is nobody's."""
        if self._nobody is None:
            self._nobody = await self.hashed(secrets.token_hex(32))
        async with self._turn:
            fits = await asyncio.to_thread(self._hasher.verify, password[:MOST_CHARACTERS], kept or self._nobody)
        return fits and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)
