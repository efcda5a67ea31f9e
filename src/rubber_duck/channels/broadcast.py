"""Broadcasts to a topic from whoever is in none: work that runs in the background."""

from __future__ import annotations

from typing import Any, Final

from rubber_duck.channels.message import Message, encode, relayed, to_payload
from rubber_duck.cluster.cluster import Cluster

ORIGIN: Final = 32
"""Bytes before a relayed broadcast that say which place sent it."""

NOBODY: Final = b"0" * ORIGIN


async def announce(cluster: Cluster, topic: str, event: str, payload: dict[str, Any]) -> None:  # Any: JSON
    """Send an event to all members of a topic, on every node; Unavailable when other nodes cannot be told."""
    frame = encode(Message(None, None, topic, event, to_payload(payload)))
    await cluster.publish(f"channel:{topic}", NOBODY + relayed(frame))
