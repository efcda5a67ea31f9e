"""What every test shares: the asyncio backend, and a guard that fails any connect outside this machine."""

from __future__ import annotations

import ipaddress
import sys

import pytest

pytest_plugins = ["tests.servers"]


def _refuse_foreign_connections(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    if not isinstance(address, tuple):
        return  # a Unix socket is on this machine
    host = str(address[0])
    if host == "localhost":
        return
    if not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        raise ConnectionRefusedError(f"a test tried to connect to {host}: only loopback is allowed")


sys.addaudithook(_refuse_foreign_connections)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The one event loop RubberDuck runs on."""
    return "asyncio"
