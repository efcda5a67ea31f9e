"""The port that a server listens on, alone or together with other processes of it."""

from __future__ import annotations

import errno
import socket

from rubber_duck.errors import InvalidInput, Unavailable


def bound(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket that is bound and does not listen yet; `shared` with whoever binds it so too, of the same user.

    The kernel spreads connections over those that listen. Raises InvalidInput for a host that is not this machine,
    Unavailable for a port that is taken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind(address)
        except BaseException:
            made.close()
            raise
    except OSError as error:
        raise refused(host, port, error) from error
    return made


def refused(host: str, port: int, error: OSError) -> InvalidInput | Unavailable:
    """The sentence for an address that could not be bound."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return InvalidInput(f"{host!r} is no address of this machine; choose another with --host")
    return taken(host, port)


def taken(host: str, port: int) -> Unavailable:
    """The sentence for a port that cannot be had."""
    return Unavailable(f"the port {port} of {host} is taken, or may not be used; choose another with --port")
