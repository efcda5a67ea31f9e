"""`chat:CONVERSATION` on a real server with a model: its owner's devices, and those whom it is shown to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fake_provider import FakeProvider, fake_provider, head, openai_events, sending
from tests.integration.serving import Client, project_at, ran, serving


@contextmanager
def talking() -> Iterator[FakeProvider]:
    """A provider in a thread that says the same each time."""
    ready, stop = threading.Event(), asyncio.Event()
    held: list[tuple[FakeProvider, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with fake_provider(sending(head(), *openai_events(("Ducks ", "swim.")))) as fake:
            held.append((fake, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield held[0][0]
    finally:
        held[0][1].call_soon_threadsafe(stop.set)
        thread.join()


def heard(client: Client, event: str) -> Any:  # Any: JSON
    """The payload of the next event of that name."""
    while (received := json.loads(client.wire.recv(timeout=60)))[3] != event:
        continue
    return received[4]


def test_a_conversation_goes_on_from_every_device_and_is_shown_to_whom_its_owner_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    project = project_at(tmp_path / "hello", home)
    with talking() as model:
        ran("llm", "connect", "mine", "--kind", "compatible", "--url", model.url, home=home)
        ran("llm", "use", "chat", "mine/small", home=home)
        with serving(home) as server:
            ann, bob = (server.key_for(name, project=project) for name in ("ann", "bob"))
            with (
                Client.at(server.socket, ann) as desk,
                Client.at(server.socket, ann) as phone,
                Client.at(server.socket, bob) as other,
            ):
                desk.ask(f"code:{project}", "phx_join")
                began = desk.ask(
                    f"code:{project}", "run", {"engine": "chat", "request": {"message": "What do they do?"}}
                )
                topic = f"chat:{began['response']['conversation']}"
                joined = desk.ask(topic, "phx_join")["response"]
                assert (joined["title"], joined["turns"], joined["project"]) == ("What do they do?", 2, project)
                phone.ask(topic, "phx_join")
                assert other.ask(topic, "phx_join")["response"]["code"] == "not_found"
                assert desk.ask(topic, "share", {"name": "eve"})["response"]["code"] == "not_found"
                assert desk.ask(topic, "share", {"name": "bob", "role": "owner"})["response"]["code"] == "invalid_input"
                assert desk.ask(topic, "share", {"name": "bob"})["status"] == "ok"
                assert "conversation.write" not in other.ask(topic, "phx_join")["response"]["rights"]
                for event, payload in (
                    ("say", {"message": "x"}),
                    ("typing", {"typing": True}),
                    ("share", {"name": "bob"}),
                ):
                    assert other.ask(topic, event, payload)["response"]["code"] == "denied"
                desk.ask(topic, "typing", {"typing": True})
                assert heard(phone, "typing")["name"] == "ann"
                answered = desk.ask(topic, "say", {"message": "And geese?"})["response"]
                assert answered["text"] == "Ducks swim."
                stream = heard(phone, "answering")["stream"]
                assert phone.ask(topic, "resume", {"stream": stream, "offset": 0})["response"]["text"] == "Ducks swim."
                said = heard(other, "said")["turns"]
                assert [(each["number"], each["speaker"], each["text"]) for each in said] == [
                    (3, "person", "And geese?"),
                    (4, "model", "Ducks swim."),
                ]
                assert other.ask(topic, "resume", {"stream": stream, "offset": 0})["response"]["code"] == "not_found"
                assert other.ask(topic, "history", {"after": 2})["response"] == {"turns": said, "more": False}
                assert "What do they do?" in model.asked[-1].body.decode()
                desk.ask(topic, "share", {"name": "bob", "role": "none"})
                heard(other, "phx_error")
                assert other.ask(topic, "phx_join")["response"]["code"] == "not_found"


def test_settings_are_shared_by_every_device_of_a_person_and_nobody_else(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server:
        ann, bob = server.key_for("ann"), server.key_for("bob")
        with (
            Client.at(server.socket, ann) as desk,
            Client.at(server.socket, ann) as phone,
            Client.at(server.socket, bob) as other,
        ):
            for client in (desk, phone, other):
                client.ask("user:me", "phx_join")
            assert desk.ask("user:me", "set", {"name": "theme", "value": "dark"})["status"] == "ok"
            assert heard(phone, "setting") == {"name": "theme", "value": "dark"}
            assert phone.ask("user:me", "settings")["response"] == {"settings": {"theme": "dark"}}
            assert other.ask("user:me", "settings")["response"] == {"settings": {}}
        variables = {"DUCK_SERVER": server.http, "DUCK_API_KEY": ann}
        assert json.loads(ran("auth", "settings", home=tmp_path / "away", **variables)) == {"theme": "dark"}
        ran("auth", "settings", "font_size", "14", home=tmp_path / "away", **variables)
        ran("auth", "settings", "theme", "--drop", home=tmp_path / "away", **variables)
        assert json.loads(ran("auth", "settings", home=tmp_path / "away", **variables)) == {"font_size": 14}
