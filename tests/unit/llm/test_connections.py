"""What is connected, and the file that keeps it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rubber_duck.errors import Conflict, InvalidInput, InvalidSettings, NotFound, UnknownName
from rubber_duck.llm.connections import (
    FILE,
    Connection,
    Connections,
    chain_of,
    read_connections,
    split,
    write_connections,
)
from rubber_duck.llm.roles import Role

LOCAL = Connection(name="local", flavor="ollama", url="http://127.0.0.1:11434/v1", key="only-a-test")


def test_what_is_written_is_read_again_and_only_its_owner_can(tmp_path: Path) -> None:
    home = tmp_path / "home"
    connections = Connections().with_provider(LOCAL).with_chain(Role.CHAT, ("local/q/w", "local/x"))
    assert read_connections(home) == Connections()
    write_connections(home, connections)
    assert read_connections(home) == connections
    assert (home / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == [FILE]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    write_connections(tmp_path, Connections())
    os.chmod(tmp_path / FILE, 0o640)
    with pytest.raises(InvalidSettings, match="chmod 600"):
        read_connections(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"providers": {"a": 1}}', b'{"x": 1}', b"\xff", b"x" * 2_000_000])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    os.chmod(tmp_path / FILE, 0o600)
    with pytest.raises(InvalidSettings, match=r"models\.json"):
        read_connections(tmp_path)


def test_a_key_is_not_shown() -> None:
    assert "only-a-test" not in repr(Connections().with_provider(LOCAL))


def test_a_provider_in_use_is_not_forgotten() -> None:
    connections = Connections().with_provider(LOCAL).with_chain(Role.CHAT, ("local/x",))
    with pytest.raises(Conflict, match="chat"):
        connections.without("local")
    assert connections.with_chain(Role.CHAT, ()).without("local") == Connections()


def test_only_connected_providers_can_be_used() -> None:
    with pytest.raises(UnknownName, match="duck llm connect"):
        Connections().with_chain(Role.CHAT, ("nobody/x",))


@pytest.mark.parametrize("name", ["", "Local", "a/b", "-a", "x" * 41, "ä"])
def test_a_name_is_a_word(name: str) -> None:
    with pytest.raises(InvalidInput):
        Connections().with_provider(Connection(name=name, flavor="ollama", url="http://127.0.0.1/"))


@pytest.mark.parametrize("link", ["", "local", "local/", "/x"])
def test_a_model_is_written_with_its_provider(link: str) -> None:
    with pytest.raises(InvalidInput, match="provider/model"):
        split(link)


def test_what_duck_toml_says_goes_before_what_was_chosen() -> None:
    connections = Connections().with_provider(LOCAL).with_chain(Role.CHAT, ("local/x",))
    assert chain_of(connections, {"chat": ("local/y",)}, Role.CHAT) == ("local/y",)
    assert chain_of(connections, {"chat": ()}, Role.CHAT) == ("local/x",)
    with pytest.raises(NotFound, match="not connected"):
        chain_of(connections, {"chat": ("gone/y",)}, Role.CHAT)
