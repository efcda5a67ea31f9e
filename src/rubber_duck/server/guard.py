"""What stands before every request: exact hosts and origins, no credential in a URL, a key where one is needed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rubber_duck.errors import Denied, InvalidInput, Unauthenticated

TOKEN_PROTOCOL: Final = "base64url.bearer.phx."
"""How the Phoenix client's `authToken` travels: as one more sub-protocol."""

PROTOCOL: Final = "phoenix"
_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Names:
    """Every `Host` that a server answers to, and the `Origin` of every page that may speak to it; it `is_secure` when
    clients come over TLS."""

    hosts: frozenset[str]
    origins: frozenset[str]
    is_secure: bool

    @classmethod
    def of(cls, hosts: frozenset[str], *, is_secure: bool) -> Names:
        """With the origins of these hosts."""
        scheme = "https" if is_secure else "http"
        return cls(hosts, frozenset(f"{scheme}://{each}" for each in hosts), is_secure)


def check_host(headers: Mapping[str, str], allowed: Names) -> None:
    """Raises Denied for a Host, or an Origin, that is not this server's own."""
    if headers.get("host", "") not in allowed.hosts:
        raise Denied("this server does not answer to that Host")
    origin = headers.get("origin")
    if origin is not None and origin not in allowed.origins:
        raise Denied("pages of that origin may not speak to this server")


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Raises InvalidInput for anything in a socket's URL besides the protocol's version."""
    if parameters.get("vsn", "2.0.0") != "2.0.0":
        raise InvalidInput("this server speaks version 2.0.0 of the protocol: connect with ?vsn=2.0.0")
    if set(parameters) - {"vsn"}:
        raise InvalidInput("nothing but vsn may stand in the URL: a key is given as authToken, never in a URL")


def says_key(headers: Mapping[str, str]) -> bool:
    """Whether a request says whose it is, in whatever words."""
    return "authorization" in headers or TOKEN_PROTOCOL in headers.get("sec-websocket-protocol", "")


def key_in(headers: Mapping[str, str]) -> str:
    """The key of a request: `Authorization: Bearer …`, or the Phoenix client's sub-protocol. Raises Unauthenticated."""
    authorization = headers.get("authorization", "")
    if authorization.lower().startswith(_BEARER):
        return authorization[len(_BEARER) :].strip()
    for offered in headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(TOKEN_PROTOCOL):
            return _decoded(offered.strip()[len(TOKEN_PROTOCOL) :])
    raise Unauthenticated("a key is needed: as authToken of the socket, or as Authorization: Bearer")


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=False).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise Unauthenticated("the authToken is not the base64 of a key") from error
