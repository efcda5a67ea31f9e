"""The sockets that are open, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Census:
    """The sockets that are open, by what their members came with, and what waits to be sent over them."""

    by_kind: Mapping[str, int]
    waiting_frames: int
    waiting_bytes: int

    def __len__(self) -> int:
        return sum(self.by_kind.values())
