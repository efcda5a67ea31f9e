"""Broadcasts to a topic from whoever is in none: work that runs in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from rubber_duck.channels.message import Message, encode, relayed, to_payload
from rubber_duck.cluster.cluster import Cluster
from rubber_duck.errors import Unavailable

ORIGIN: Final = 32
"""Bytes before a relayed broadcast that say which place sent it."""

NOBODY: Final = b"0" * ORIGIN


async def announce(cluster: Cluster, topic: str, event: str, payload: dict[str, Any]) -> None:  # Any: JSON
    """Send an event to all members of a topic, on every node; Unavailable when other nodes cannot be told."""
    frame = encode(Message(None, None, topic, event, to_payload(payload)))
    await cluster.publish(f"channel:{topic}", NOBODY + relayed(frame))


def telling(cluster: Cluster, event: str) -> Callable[[UUID, Mapping[str, int]], Awaitable[None]]:
    """What tells the members of a project's topic of an event with some numbers; nobody who is away."""

    async def tell(project: UUID, numbers: Mapping[str, int]) -> None:
        with suppress(Unavailable):  # who follows asks when they are back; what was done is what counts
            await announce(cluster, f"project:{project}", event, dict(numbers))

    return tell
