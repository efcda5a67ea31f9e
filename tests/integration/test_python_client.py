"""A Phoenix client for Python that others wrote speaks to the server as it is.

It sends nothing but joins and leaves, and drops broadcasts, which have no join_ref in Phoenix either.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from phoenix_channels_python_client import PHXChannelsClient  # type: ignore[import-untyped]  # it has no types
from phoenix_channels_python_client.exceptions import PHXTopicError  # type: ignore[import-untyped]  # as above
from phoenix_channels_python_client.phx_messages import PHXMessage  # type: ignore[import-untyped]  # as above

from tests.integration.serving import Client, project_at, serving

NOWHERE = "code:00000000-0000-7000-8000-000000000000"


async def test_it_is_refused_joins_hears_who_comes_and_goes_and_leaves(tmp_path: Path) -> None:
    project = project_at(tmp_path / "hello", tmp_path / "home")
    topic = f"code:{project}"
    with serving(tmp_path / "home") as server:
        ann, bob = (server.key_for(name, project=project) for name in ("ann", "bob"))
        heard: asyncio.Queue[PHXMessage] = asyncio.Queue()
        credential = {"x-auth-token": ann, "Authorization": f"Bearer {ann}"}  # with the first, none is in the address
        async with PHXChannelsClient(
            server.socket, "", additional_headers=credential, heartbeat_interval_s=0.2, join_timeout_s=60.0
        ) as client:
            with pytest.raises(PHXTopicError):
                await client.subscribe_to_topic(NOWHERE)
            await client.subscribe_to_topic(topic, heard.put)
            await _next(heard, "presence_state")
            with Client.at(server.socket, bob) as other:
                other.ask(topic, "phx_join")
                await _next(heard, "presence_diff")
            await _next(heard, "presence_diff")
            await client.unsubscribe_from_topic(topic)


async def _next(heard: asyncio.Queue[PHXMessage], event: str) -> PHXMessage:
    async with asyncio.timeout(60):
        while (message := await heard.get()).event != event:
            continue
    return message
