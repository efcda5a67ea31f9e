"""Behind declared proxies: what they say of their clients is believed, and nobody else is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from rubber_duck import telemetry

_REFUSAL = "what is said to this server goes through its proxy, which has TLS: others could read it on the way"

_OPEN: Final = frozenset({"/health/live", "/health/ready"})
"""What says nothing secret, and is asked by whoever watches this machine."""


class Proxied:
    """An application that only its proxies reach, because it has no TLS itself."""

    def __init__(self, app: ASGIApp, proxies: Sequence[str]) -> None:
        self._behind = ProxyHeadersMiddleware(app, list(proxies))  # type: ignore[arg-type]  # two names of one protocol

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what comes from a proxy."""
        peer = scope.get("client")
        is_open = scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in _OPEN)
        if is_open or (peer is not None and peer[0] in self._behind.trusted_hosts):
            await self._behind(scope, receive, send)  # type: ignore[arg-type]  # as above
            return
        telemetry.count("http.turned_away")
        response = PlainTextResponse(_REFUSAL, 403)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
        else:
            await response(scope, receive, send)
