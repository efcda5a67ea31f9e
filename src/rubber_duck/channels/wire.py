"""The way to a server: a WebSocket that carries frames, whose failures are errors of ours."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from rubber_duck.channels.message import Frame
from rubber_duck.errors import Denied, DuckError, InvalidInput, RateLimited, Unauthenticated, Unavailable

PATH: Final = "/socket/websocket?vsn=2.0.0"
REVOKED: Final = 4401
"""With this code a server closes what was let in with a key that holds no more."""

_OPEN_S: Final = 10.0
_FRAME_BYTES: Final = 16_000_000
_REFUSED: Final[dict[int, type[DuckError]]] = {400: InvalidInput, 401: Unauthenticated, 403: Denied, 429: RateLimited}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, `http://…` or `https://…`, and the key that one has there."""

    url: str
    key: str = field(repr=False)

    @property
    def socket(self) -> str:
        """The address of its socket. Raises InvalidInput as `check_address`."""
        check_address(self.url)
        scheme, _, rest = self.url.rstrip("/").partition("://")
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest}{PATH}"


def whole_address(said: str) -> str:
    """The address of a server as somebody says it, with its scheme: TLS, unless it is on this machine.

    Raises InvalidInput as `check_address`.
    """
    if "://" not in said:
        said = f"{'http' if _is_this_machine(_host(f'//{said}')) else 'https'}://{said}"
    check_address(said)
    return said.rstrip("/")


def check_address(url: str) -> None:
    """Raises InvalidInput for what is no address of a server, and for one to which a key would go unencrypted."""
    host, scheme = _host(url), url.partition("://")[0]
    if not host or scheme not in ("http", "https") or any(each in url for each in "@?#"):
        raise InvalidInput(f"{url!r} is not the address of a server: write https://HOST or http://127.0.0.1:PORT")
    if scheme == "http" and not _is_this_machine(host):
        raise InvalidInput(
            f"{url!r} has no TLS, so the key and all that is said could be read on the way: write https://{host}, or "
            "go through `ssh -L` and write http://127.0.0.1:PORT"
        )


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_port = parts.port != 0
    except ValueError:  # a port that is no number, or too large a one
        return ""
    return parts.hostname or "" if is_port else ""


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Wire(Protocol):
    """An open connection."""

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises Unavailable when the connection is cut."""

    async def receive(self) -> Frame:
        """The next frame. Raises Unavailable when it is cut, Unauthenticated when the key holds no more."""

    async def close(self) -> None:
        """End it; it may be closed already."""


Dial = Callable[[], Awaitable[Wire]]
"""Opens a connection; raises Unavailable, Unauthenticated, Denied or InvalidInput."""


async def dial(address: Address) -> Wire:
    """A WebSocket to the server, offered the key as Phoenix's clients do: never in the address."""
    token = base64.urlsafe_b64encode(address.key.encode()).decode().rstrip("=")
    try:
        connection = await connect(
            address.socket,
            subprotocols=[Subprotocol("phoenix"), Subprotocol(f"base64url.bearer.phx.{token}")],
            compression=None,
            user_agent_header=None,
            proxy=None,
            open_timeout=_OPEN_S,
            close_timeout=2,
            ping_interval=None,
            max_size=_FRAME_BYTES,
        )
    except InvalidStatus as error:
        said = (error.response.body or b"").decode("utf-8", "replace")[:500]
        status = error.response.status_code
        refused = _REFUSED.get(status, Unavailable)
        raise refused(said or f"the server {address.url} answers with the status {status}") from error
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
        said = str(error) or "it does not answer"
        raise Unavailable(f"the server {address.url} cannot be reached: {said}") from error
    return _WebSocket(connection, address.url)


class _WebSocket:
    def __init__(self, connection: ClientConnection, url: str) -> None:
        self._connection = connection
        self._url = url

    async def send(self, frame: Frame) -> None:
        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise self._ended(error) from error

    async def receive(self) -> Frame:
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise self._ended(error) from error

    async def close(self) -> None:
        await self._connection.close()

    def _ended(self, error: ConnectionClosed) -> DuckError:
        code = error.rcvd.code if error.rcvd is not None else 1006
        if code == REVOKED:
            return Unauthenticated(f"the key for {self._url} was revoked or has expired; `duck login` takes another")
        return Unavailable(f"the connection to {self._url} was cut (code {code})")
