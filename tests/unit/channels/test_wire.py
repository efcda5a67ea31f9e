"""To which addresses a key is sent."""

from __future__ import annotations

import pytest

from rubber_duck.channels.wire import Address, whole_address
from rubber_duck.cli.signing import key_by_password
from rubber_duck.errors import InvalidInput

ELSEWHERE = (
    "http://duck.example",
    "http://10.0.0.7:4010",
    "http://localhost.example",
    "http://127.0.0.1.example:4010",
    "http://0.0.0.0:4010",
)
NONE = (
    "",
    "https://",
    "ftp://duck.example",
    "https://[",
    "http://127.0.0.1:99999",
    "https://duck.example:no",
    "https://duck_1@duck.example",
    "https://duck.example?key=1",
)


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("duck.example", "https://duck.example"),
        ("duck.example:4010/", "https://duck.example:4010"),
        ("127.0.0.1:4010", "http://127.0.0.1:4010"),
        ("localhost:4010", "http://localhost:4010"),
        ("[::1]:4010", "http://[::1]:4010"),
        ("https://127.0.0.1:4010", "https://127.0.0.1:4010"),
    ],
)
def test_an_address_without_a_scheme_has_tls_unless_it_is_this_machines(said: str, whole: str) -> None:
    assert whole_address(said) == whole


@pytest.mark.parametrize("url", [*ELSEWHERE, *NONE])
async def test_no_key_and_no_password_is_sent_without_tls_to_another_machine(url: str) -> None:
    with pytest.raises(InvalidInput, match="no TLS" if url in ELSEWHERE else "not the address of a server"):
        _ = Address(url, "duck_1").socket
    with pytest.raises(InvalidInput):
        await key_by_password(url, "ann", "correct horse battery")


def test_the_socket_of_a_server_stands_below_its_address() -> None:
    assert Address("https://duck.example/", "duck_1").socket == "wss://duck.example/socket/websocket?vsn=2.0.0"
    assert Address("http://127.0.0.1:4010", "duck_1").socket == "ws://127.0.0.1:4010/socket/websocket?vsn=2.0.0"
