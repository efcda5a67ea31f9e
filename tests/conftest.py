"""What every test shares: the event loop, patience, and a guard that fails whatever would leave this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers"]

if not os.environ.get("CI"):  # where it is set, Hypothesis chooses its own profile, without a clock as well
    settings.register_profile("duck", deadline=None)
    settings.load_profile("duck")

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # whether a test passes does not depend on how fast a machine is


def _refuse_foreign_connections(event: str, arguments: tuple[object, ...]) -> None:
    """Fail connecting, sending a datagram, and asking a name server, before anything leaves."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if not isinstance(address, tuple):
            return  # a Unix socket is on this machine, a connected one was let through
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_here(host.decode() if isinstance(host, bytes) else str(host or "localhost")):
        raise ConnectionRefusedError(f"a test tried to reach {host}: only loopback is allowed")


def _is_here(host: str) -> bool:
    if host in ("localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


sys.addaudithook(_refuse_foreign_connections)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The one event loop RubberDuck runs on."""
    return "asyncio"
