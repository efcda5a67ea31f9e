"""`duck llm` from the terminal: providers are connected, chosen and asked; keys are not shown."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fake_provider import FakeProvider, fake_provider, saying
from tests.integration.duck import duck

KEY = "only-a-test-0123456789"


@contextmanager
def served() -> Iterator[FakeProvider]:
    """A provider in a thread, because `duck` is waited for."""
    ready, stop = threading.Event(), asyncio.Event()
    held: list[tuple[FakeProvider, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with fake_provider(saying({"data": [{"id": "small"}, {"id": "large"}]})) as fake:
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


def test_a_provider_is_connected_chosen_and_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "key").chmod(0o600)
    with served() as fake:
        connected = duck(
            "llm", "connect", "mine", "--kind", "compatible", "--url", fake.url, "--key-file", str(tmp_path / "key"),
            home=home,
        )  # fmt: skip
        assert connected.returncode == 0, connected.stderr
        assert duck("llm", "use", "chat", "mine/small", "mine/large", home=home).returncode == 0
        models = duck("llm", "models", "mine", home=home)
        status = duck("llm", "status", "--probe", "--json", home=home)
        shown = duck("llm", "status", home=home)

    assert models.stdout.split() == ["mine/large", "mine/small"]
    answer = json.loads(status.stdout)
    assert answer["roles"] == [{"role": "chat", "models": ["mine/small", "mine/large"]}]
    assert answer["providers"][0]["well"] is True
    assert {asked.headers["authorization"] for asked in fake.asked} == {f"Bearer {KEY}"}
    for done in (connected, models, status, shown):
        assert KEY not in done.stdout + done.stderr
    assert (home / "models.json").stat().st_mode & 0o777 == 0o600

    gone = duck("llm", "status", "--probe", home=home)
    assert gone.returncode == 2
    assert "does not answer" in gone.stdout


def test_a_provider_is_disabled_enabled_and_forgotten(tmp_path: Path) -> None:
    assert duck("llm", "connect", "ollama", home=tmp_path).returncode == 0
    assert "disabled" in duck("llm", "disable", "ollama", home=tmp_path).stdout
    assert "enabled" in duck("llm", "enable", "ollama", home=tmp_path).stdout
    assert "no provider is connected" in duck("llm", "disconnect", "ollama", home=tmp_path).stderr


def test_what_cannot_be_connected_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for arguments, said in (
        (("openai",), "needs a key"),
        (("mine", "--kind", "nonsense"), "no kind of provider"),
        (("mine", "--kind", "compatible"), "--url"),
        (("mine", "--kind", "vllm", "--url", "http://models.example.com/v1"), "unencrypted"),
        (("mine", "--kind", "vllm", "--header", "Host=other"), "reserved"),
    ):
        done = duck("llm", "connect", *arguments, home=home)
        assert done.returncode != 0
        assert said in done.stderr
    assert not (home / "models.json").exists()


def test_a_key_does_not_follow_to_another_address(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    home = tmp_path / "home"
    first = ("llm", "connect", "mine", "--kind", "vllm")
    assert duck(*first, "--key-file", str(key), home=home).returncode == 0
    moved = duck(*first, "--url", "http://127.0.0.1:9/v1", "--json", home=home)
    assert json.loads(moved.stdout)["providers"][0]["has_key"] is False
