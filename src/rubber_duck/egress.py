"""The only way out: one guarded HTTP client, for addresses that an administrator named, free of secrets.

Nothing is sent unless a `Door` was made for it, and a door leads to one origin. The key stays bound to that origin:
redirects are not followed, proxies of the environment are not used, and the name is resolved and checked before the
connection goes to the very address that was checked. A name may have several: they are tried in turn, because a server
that listens on one of them alone is common (`localhost` is ::1 first on many machines).
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import httpx

from rubber_duck.errors import BadAnswer, Denied, InvalidSettings, LimitExceeded, ProviderUnavailable, TimedOut
from rubber_duck.redaction import JsonValue, Redactor
from rubber_duck.watch import Watch

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as text. Raises OSError."""

MAX_REQUEST_BYTES: Final = 16_000_000
_LARGE_BYTES: Final = 30_000
MAX_ANSWER_BYTES: Final = 64_000_000
_RESOLVED_FOR_S: Final = 60.0
_TRIED: Final = 4
"""So many addresses of a name are tried; each but the last is given this part of the time for a connection."""

_FORBIDDEN_HEADERS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})


@dataclass(frozen=True, slots=True)
class Door:
    """Where an administrator lets requests go, and with what.

    - `url`: `https://host[:port]/path`, or `http://` to a private address. `headers`: sent with each request; the key
      is among them. Neither is shown.
    - `is_private`: a name may resolve to a private address. A private address itself, or localhost, needs no word.
    - `sign`: headers made from the bytes that are really sent, after secrets were taken out of them.
    - `connect_s`, `silence_s`: seconds for a connection, and between two pieces of an answer.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_private: bool = False
    connect_s: float = 10.0
    silence_s: float = 60.0
    sign: Callable[[bytes], Mapping[str, str]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidSettings(f"a provider's address is `https://host/path`, not {self.url!r}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise InvalidSettings(
                "a provider's address holds no password, query or fragment; give the key apart from it"
            )
        if parts.scheme == "http" and not (self.is_private or _is_named_private(parts.hostname)):
            raise InvalidSettings(
                f"{parts.hostname!r} would get the key and the code unencrypted; write https://, or connect "
                "it as private"
            )
        for name, value in self.headers.items():
            if (
                name.lower() in _FORBIDDEN_HEADERS
                or not name.isascii()
                or not value.isascii()
                or not value.isprintable()
            ):
                raise InvalidSettings(
                    f"the header {name!r} cannot be sent: it is reserved, or holds special characters"
                )

    @property
    def host(self) -> str:
        """The host it leads to."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The beginning of an answer, and its bytes as they come; `header` gives a header's value or nothing."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncGenerator[bytes, None]

    def header(self, name: str) -> str:
        """The value of a header in lower case, empty when it is not there."""
        return self.headers.get(name, "")

    async def read(self, limit_bytes: int) -> bytes:
        """The rest of the answer; raises LimitExceeded when it is larger."""
        content = bytearray()
        async with aclosing(self.chunks) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > limit_bytes:
                    raise LimitExceeded(f"the answer is larger than {limit_bytes:,} bytes")
        return bytes(content)


class Egress:
    """A guarded HTTP client for one door. Close it when it is not needed any more."""

    def __init__(self, door: Door, redactor: Redactor, resolve: Resolve | None = None) -> None:
        self._door = door
        self._root = "{0.scheme}://{0.netloc}".format(urlsplit(door.url))
        transport = _Guarded(door, redactor, resolve or _resolve)
        timeout = httpx.Timeout(None, connect=door.connect_s, pool=door.connect_s, write=door.silence_s)
        headers = {"User-Agent": "rubber-duck", "Accept-Encoding": "identity", **door.headers}
        self._client = httpx.AsyncClient(transport=transport, headers=headers, timeout=timeout, trust_env=False)

    @asynccontextmanager
    async def request(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        body: JsonValue = None,
        *,
        deadline: float,
        on_sending: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[Reply]:
        """Ask `path` below the door's address, or below its origin if it has two slashes in front.

        Leaving the block closes the connection if the answer has not ended.

        `deadline` is a moment of the event loop's clock; `on_sending` is called when there is a connection, and the
        first byte is about to go out. Raises ProviderUnavailable, TimedOut, BadAnswer,
        LimitExceeded, or Denied when what is to be sent cannot be cleared of secrets.
        """
        url = self._root + path[1:] if path.startswith("//") else self._door.url.rstrip("/") + path
        content = None if method == "GET" else json.dumps(body).encode()
        headers = None if content is None else {"Content-Type": "application/json"}

        async def trace(name: str, about: Mapping[str, Any]) -> None:  # Any: as httpcore tells it
            if name == "http11.send_request_headers.started":
                on_sending()

        extensions = {"trace": trace}
        request = self._client.build_request(method, url, content=content, headers=headers, extensions=extensions)
        where = self._door.host
        with _translated(where):
            async with asyncio.timeout_at(min(deadline, self._now() + self._door.silence_s)):
                response = await self._client.send(request, stream=True)
        try:
            yield Reply(response.status_code, response.headers, self._chunks(response, deadline))
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _chunks(self, response: httpx.Response, deadline: float) -> AsyncGenerator[bytes, None]:
        """The bytes as they come, each awaited no longer than the door's silence and the request's deadline."""
        read = 0
        # Bytes that are not compressed need no decoder between: what httpx would do costs as much as reading them.
        is_plain = "content-encoding" not in response.headers
        source = aiter(response.stream) if is_plain else response.aiter_bytes()  # type: ignore[arg-type]  # async it is
        with _translated(self._door.host), Watch(deadline, self._door.silence_s) as watch:
            try:
                while True:
                    watch.begin()
                    try:
                        chunk = await anext(source)
                    except StopAsyncIteration:
                        return
                    except asyncio.CancelledError:
                        watch.check()
                        raise
                    finally:
                        watch.end()
                    read += len(chunk)
                    if read > MAX_ANSWER_BYTES:
                        raise LimitExceeded(f"{self._door.host!r} sent more than {MAX_ANSWER_BYTES:,} bytes")
                    yield chunk
            finally:
                await source.aclose()  # type: ignore[attr-defined]  # both are generators

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class _Guarded(httpx.AsyncBaseTransport):
    """Sends only to the door's origin, at a checked address, and only what the redactor has seen."""

    def __init__(self, door: Door, redactor: Redactor, resolve: Resolve) -> None:
        self._origin = _origin(httpx.URL(door.url))
        self._door = door
        self._redactor = redactor
        self._resolve = resolve
        self._resolved: tuple[list[str], float] = ([], 0.0)
        self._last = ""
        verify: ssl.SSLContext | bool = _trust() if self._origin[0] == "https" else False
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30)
        self._inner = httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The last function before the socket."""
        if _origin(request.url) != self._origin:
            raise Denied(f"a request meant for {self._door.host!r} was to go to {request.url.host!r}")
        content = await request.aread()
        is_large = len(content) > _LARGE_BYTES  # half a second of processor time for a few hundred kilobytes
        content = await asyncio.to_thread(self._cleared, content) if is_large else self._cleared(content)
        addresses = await self._addresses()
        scheme, host, _ = self._origin
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
        if self._door.sign is not None:
            headers += [(name.encode(), value.encode()) for name, value in self._door.sign(content).items()]
        extensions = request.extensions | ({"sni_hostname": host} if scheme == "https" else {})
        for number, address in enumerate(addresses, 1):
            is_last = number == len(addresses)
            sent = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=headers,
                content=content or None,
                extensions=extensions if is_last else self._hurried(extensions),
            )
            try:
                response = await self._inner.handle_async_request(sent)
            except (httpx.ConnectError, httpx.ConnectTimeout):  # nothing was sent
                if is_last:
                    raise
            else:
                self._last = address
                return response
        raise ProviderUnavailable(f"the name {host!r} has no address")

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _cleared(self, content: bytes) -> bytes:
        """The body without secrets; what cannot be read is not sent."""
        if not content:
            return b""
        if len(content) > MAX_REQUEST_BYTES:
            raise LimitExceeded(f"the request is larger than {MAX_REQUEST_BYTES:,} bytes; send less context")
        try:
            cleared = self._redactor.body(json.loads(content))
            return json.dumps(cleared, ensure_ascii=True, separators=(",", ":")).encode()
        except Exception as error:
            raise Denied(
                f"what was to be sent to {self._door.host!r} could not be cleared of secrets: {error}"
            ) from error

    def _hurried(self, extensions: Mapping[str, Any]) -> dict[str, Any]:  # Any: as httpx has them
        """The same with less time for a connection: there are more addresses to try."""
        return {**extensions, "timeout": {**extensions["timeout"], "connect": self._door.connect_s / _TRIED}}

    async def _addresses(self) -> list[str]:
        """The addresses of the door's host, each of which may be connected to; the one that answered last is first."""
        addresses, until = self._resolved
        if not addresses or time.monotonic() >= until:
            _, host, port = self._origin
            addresses = [host] if _parsed(host) else await self._resolve(host, port)
            may_be_private = self._door.is_private or _is_named_private(host)
            for each in addresses:
                _check_address(host, each, may_be_private=may_be_private, is_literal=_parsed(host) is not None)
            addresses = list(dict.fromkeys(addresses))
            self._resolved = (addresses, time.monotonic() + _RESOLVED_FOR_S)
        return sorted(addresses, key=lambda each: each != self._last)[:_TRIED]


class _translated:  # noqa: N801  # a context manager that reads as a word
    """Turns what httpx and the clock raise into errors of ours."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        match error:
            case TimeoutError() | httpx.TimeoutException():
                raise TimedOut(f"{self._where!r} did not answer in time") from error
            case httpx.RemoteProtocolError() | httpx.DecodingError():
                raise BadAnswer(f"{self._where!r} broke off or does not speak HTTP: {error}") from error
            case httpx.HTTPError() | OSError():
                said = str(error) or type(error).__name__
                raise ProviderUnavailable(f"{self._where!r} cannot be reached: {said}") from error
            case httpx.StreamError() | httpx.InvalidURL():
                raise BadAnswer(f"the answer of {self._where!r} cannot be read: {error}") from error


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _check_address(host: str, address: str, *, may_be_private: bool, is_literal: bool) -> None:
    """Raise Denied for an address that nobody named: private, or of a kind that no provider has."""
    parsed = _parsed(address)
    if parsed is None:
        raise Denied(f"the name {host!r} resolves to {address!r}, which is no address")
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_multicast or parsed.is_unspecified or (parsed.is_link_local and not is_literal):
        raise Denied(f"the name {host!r} resolves to {address}, where no provider can be")
    if not parsed.is_global and not may_be_private:
        raise Denied(f"the name {host!r} resolves to the private address {address}; connect the provider as private")


def _is_named_private(host: str) -> bool:
    """Whether the host itself says that it is private: an address that is, or localhost."""
    parsed = _parsed(host)
    return host.lower() == "localhost" if parsed is None else not parsed.is_global


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return (url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80))


def _trust() -> ssl.SSLContext:
    """The machine's authorities, or those that come with httpx where the machine has none."""
    context = ssl.create_default_context()
    return context if context.cert_store_stats()["x509_ca"] else httpx.create_ssl_context()
