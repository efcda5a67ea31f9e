"""A real server with a model: `chat:CONVERSATION` on its owner's devices and others', and a model that completes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fake_provider import Asked, FakeProvider, Send, event, fake_provider, head, openai_events, sending
from tests.integration.serving import Client, Served, project_at, ran, serving

WAIT_S = 30.0
SAYS = sending(head(), *openai_events(("Ducks ", "swim.")))


@contextmanager
def talking() -> Iterator[FakeProvider]:
    """A provider in a thread that says the same each time."""
    ready, stop = threading.Event(), asyncio.Event()
    held: list[tuple[FakeProvider, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with fake_provider(SAYS) as fake:
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


@dataclass(frozen=True, slots=True)
class House:
    """A server with a model and a project."""

    model: FakeProvider
    server: Served
    project: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for this module."""
    folder = tmp_path_factory.mktemp("chat")
    home = folder / "home"
    project = project_at(folder / "hello", home)
    with talking() as model:
        ran("llm", "connect", "mine", "--kind", "compatible", "--url", model.url, home=home)
        ran("llm", "use", "chat", "mine/small", home=home)
        ran("llm", "use", "completion", "mine/qwen-m", home=home)
        with serving(home) as server:
            yield House(model, server, project)


def test_a_conversation_goes_on_from_every_device_and_is_shown_to_whom_its_owner_says(house: House) -> None:
    model, server, project = house.model, house.server, house.project
    model.answers[:] = [SAYS]
    ann, bob = (server.key_for(name, project=project) for name in ("ann", "bob"))
    with (
        Client.at(server.socket, ann) as desk,
        Client.at(server.socket, ann) as phone,
        Client.at(server.socket, bob) as other,
    ):
        desk.ask(f"code:{project}", "phx_join")
        began = desk.ask(f"code:{project}", "run", {"engine": "chat", "request": {"message": "What do they do?"}})
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


def test_of_two_that_are_said_at_once_each_is_told_once(house: House) -> None:
    both, seen = threading.Event(), list[Asked]()

    async def together(asked: Asked, send: Send) -> None:
        seen.append(asked)
        if len(seen) == 2:
            both.set()
        await asyncio.to_thread(both.wait, WAIT_S)
        await SAYS(asked, send)

    house.model.answers[:] = [SAYS]
    key = house.server.key_for("ida", project=house.project)
    with (
        Client.at(house.server.socket, key) as desk,
        Client.at(house.server.socket, key) as phone,
        Client.at(house.server.socket, key) as other,
    ):
        desk.ask(f"code:{house.project}", "phx_join")
        asked = {"engine": "chat", "request": {"message": "What do they do?"}}
        topic = f"chat:{desk.ask(f'code:{house.project}', 'run', asked)['response']['conversation']}"
        for device in (desk, phone, other):
            device.ask(topic, "phx_join")
        house.model.answers[:] = [together]
        with ThreadPoolExecutor(2) as pool:
            answers = [
                pool.submit(device.ask, topic, "say", {"message": message})
                for device, message in ((desk, "And geese?"), (phone, "And swans?"))
            ]
            assert [each.result(WAIT_S)["response"]["text"] for each in answers] == ["Ducks swim."] * 2
        told = [heard(other, "said")["turns"] for _ in range(2)]
        assert sorted(turns[0]["text"] for turns in told) == ["And geese?", "And swans?"]
        assert sorted(turn["number"] for turns in told for turn in turns) == [3, 4, 5, 6]


def test_what_is_said_is_told_to_the_others_though_the_speaker_is_cut(house: House) -> None:
    begun, gone = threading.Event(), threading.Event()

    async def patient(asked: Asked, send: Send) -> None:
        begun.set()
        await asyncio.to_thread(gone.wait, WAIT_S)
        await SAYS(asked, send)

    house.model.answers[:] = [SAYS]
    key = house.server.key_for("hal", project=house.project)
    with Client.at(house.server.socket, key) as phone:
        phone.ask(f"code:{house.project}", "phx_join")
        asked = {"engine": "chat", "request": {"message": "What do they do?"}}
        topic = f"chat:{phone.ask(f'code:{house.project}', 'run', asked)['response']['conversation']}"
        phone.ask(topic, "phx_join")
        house.model.answers[:] = [patient]
        with Client.at(house.server.socket, key) as desk:
            desk.ask(topic, "phx_join")
            desk.wire.send(json.dumps(["1", "78", topic, "say", {"message": "And geese?"}]))
            assert begun.wait(WAIT_S)
            heard(phone, "answering")
        gone.set()
        assert [each["text"] for each in heard(phone, "said")["turns"]] == ["And geese?", "Ducks swim."]


def test_settings_are_shared_by_every_device_of_a_person_and_nobody_else(house: House, tmp_path: Path) -> None:
    server = house.server
    ann, bob = server.key_for("dot"), server.key_for("eli")
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


def gap(words: str) -> dict[str, object]:
    """A question for what stands behind a prefix."""
    request = {"type": "suggest", "path": "hello.py", "prefix": f"def greet(name):\n    {words}", "suffix": "\n"}
    return {"engine": "complete", "request": {**request, "wait_s": 60.0}}


def filling(*texts: str) -> list[bytes]:
    """The events of /completions that fill a gap."""
    return [event({"choices": [{"index": 0, "text": each, "finish_reason": None}]}) for each in texts]


def test_a_model_completes_over_the_socket(house: House) -> None:
    end = event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
    house.model.answers[:] = [sending(head(), *filling("name", ".title()"), end, b"data: [DONE]\n\n")]
    topic = f"code:{house.project}"
    with Client.at(house.server.socket, house.server.key_for("fay", project=house.project)) as client:
        client.ask(topic, "phx_join")
        answered = client.ask(topic, "run", gap("return "))["response"]
    assert [each["text"] for each in answered["candidates"] if each["reason"] == "model"] == ["name.title()"]
    asked = house.model.asked[-1]
    assert (asked.path, asked.json["model"]) == ("/v1/completions", "qwen-m")
    assert "def greet(name):\n    return <|fim_suffix|>" in asked.json["prompt"]


def test_a_cancel_over_the_socket_closes_the_stream_of_the_model(house: House) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def stalled(asked: Asked, send: Send) -> None:
        await send(head() + filling("name")[0])
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    house.model.answers[:] = [stalled]
    early, topic = house.model.closed_early, f"code:{house.project}"
    with Client.at(house.server.socket, house.server.key_for("gus", project=house.project)) as client:
        client.ask(topic, "phx_join")
        client.wire.send(json.dumps(["1", "77", topic, "run", gap("print(")]))
        assert begun.wait(WAIT_S)
        assert not ended.is_set()
        assert client.ask(topic, "cancel", {"ref": "77"})["response"] == {"cancelled": True}
        assert ended.wait(WAIT_S)
        assert house.model.closed_early == early + 1
        assert client.ask(topic, "members")["status"] == "ok"  # the socket lives on
