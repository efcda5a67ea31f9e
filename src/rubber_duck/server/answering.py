"""From a request over HTTP to its answer: who asks, whether they may and how often, what they sent, what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

import msgspec
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from rubber_duck import telemetry
from rubber_duck.accounts.user import Standing
from rubber_duck.errors import DuckError, InvalidInput, LimitExceeded, RateLimited, normalize
from rubber_duck.scope import new_trace
from rubber_duck.server import guard
from rubber_duck.server.api.openapi import Problem
from rubber_duck.server.api.route import Answer, Call, Method, Nothing, Plain, Route, project_in
from rubber_duck.server.cookies import Cookies
from rubber_duck.server.desk import Desk
from rubber_duck.server.idempotency import Idempotency
from rubber_duck.server.limits import Asked

PROBLEM: Final = "application/problem+json"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_HTTPS: Final = {"strict-transport-security": "max-age=31536000"}
_LINGER_BYTES: Final = 64_000_000
_LINGER_S: Final = 5.0
_SILENT_S: Final = 30.0
_LEAST_BYTES_S: Final = 20_000
"""So long nothing of a body may come, and so fast it has to after that: whoever drips holds memory for nothing."""


class Answering:
    """Answers requests to routes. `names` are those that this server answers to."""

    def __init__(self, names: guard.Names, desk: Callable[[], Desk]) -> None:
        self._names = names
        self._desk = desk
        self._cookies = Cookies(is_secure=names.is_secure)
        self._fixed = _HEADERS | (_HTTPS if names.is_secure else {})

    def endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        """What answers a route."""

        async def answer(request: Request) -> Response:
            return await self._answer(route, request)

        return answer

    async def missing(self, request: Request) -> Response:
        """What answers a path, or a method, that no route has."""
        return self._problem("not_found", "there is no such route", 404, _trace(request), retryable=False)

    async def _answer(self, route: Route, request: Request) -> Response:
        trace, began = _trace(request), time.monotonic()
        limits: dict[str, str] = {}
        with telemetry.correlated(trace):
            try:
                response = await self._allowed(route, request, trace, limits)
            except Exception as error:  # noqa: BLE001  # the border: whatever is raised is one problem
                known = normalize(error)
                if not isinstance(error, DuckError):
                    telemetry.emit("http.failed", route=route.name, error=known.message)
                response = self._problem(known.code, known.message, known.status, trace, retryable=known.retryable)
                if isinstance(known, RateLimited) and known.retry_after_s is not None:
                    response.headers["retry-after"] = str(max(1, round(known.retry_after_s)))
                if known.status == 401:
                    response.headers["www-authenticate"] = "Bearer"
                await _read_on(request)
            response.headers.update(self._fixed | limits | {"x-request-id": trace})
            duration_s = time.monotonic() - began
            self._desk().metrics.answered_http(route.name, response.status_code, duration_s)
            telemetry.emit(
                "http.answered", route=route.name, status=response.status_code, duration_ms=round(duration_s * 1000, 1)
            )
        return response

    async def _allowed(self, route: Route, request: Request, trace: str, limits: dict[str, str]) -> Response:
        guard.check_host(request.headers, self._names)
        desk = self._desk()
        path = {name: str(value) for name, value in request.path_params.items()}
        address = request.client.host if request.client is not None else ""
        call = Call(
            desk, trace, path, request.query_params, None, _pieces(request, route.body_bytes), address, request.headers
        )
        call.remaining, call.cookies = limits, self._cookies
        limits |= await desk.limits.take(Asked(route.cost, address))
        standing = (
            None
            if route.right is None
            else await desk.accounts.standing(self._cookies.credential_in(request.headers, route.method.value))
        )
        project = path.get("project", "")
        if standing is not None and route.right is not None:
            call.known = standing
            if project and route.full_path.startswith("/api/v1/projects/{project}"):
                call.within = await desk.accounts.project_scope(standing, project_in(path), trace)
            limits |= await desk.limits.take(Asked(route.cost, "", standing))
            call.scope.require(route.right)
            if call.within:  # asked only of who may do it: nobody else empties the bucket that members share
                limits |= await desk.limits.take(Asked(route.cost, "", None, project))
        key = request.headers.get("idempotency-key", "")
        if key and route.method is Method.POST and not route.once:
            raise InvalidInput(
                f"{route.name!r} takes no Idempotency-Key: look whether it was carried out before you repeat it"
            )
        content = b""
        if route.body is not None and route.body is not Nothing:
            content = await _content(request, route.body_bytes)
            call.body = _parsed(route, content)
        unknown = set(request.query_params) - set(route.queries)
        if unknown:
            raise InvalidInput(f"there is no parameter {sorted(unknown)[0]!r}")
        if key and standing is not None and route.once:
            return await self._once(route, call, standing, (key, content))
        return _response(route, call, await route.handle(call))

    async def _once(self, route: Route, call: Call, standing: Standing, asked: tuple[str, bytes]) -> Response:
        once = Idempotency(call.desk.database, call.desk.accounts.now)
        key, content = asked
        token = await once.begin(standing.user.id, key, f"{route.name}{sorted(call.path.items())}".encode() + content)
        if token.kept is not None:
            return Response(token.kept, route.status, media_type="application/json")
        call.token = token
        try:
            response = _response(route, call, await route.handle(call))
        except BaseException:
            await once.forget(token)
            raise
        await once.keep(token, b"" if route.secret else bytes(response.body))
        return response

    def _problem(self, code: str, detail: str, status: int, trace: str, *, retryable: bool) -> Response:
        problem = Problem(
            "about:blank", code.replace("_", " "), status, detail, code, retryable, f"urn:request:{trace}"
        )
        response = Response(msgspec.json.encode(problem), status, media_type=PROBLEM)
        response.headers.update(self._fixed | {"x-request-id": trace})
        return response


def _response(route: Route, call: Call, answer: Answer) -> Response:
    status = call.status or route.status
    headers = {"set-cookie": call.cookie} if call.cookie else {}
    if isinstance(answer, Plain):
        return Response(answer.content, status, headers, answer.media_type)
    return Response(msgspec.json.encode(answer), status, headers, "application/json")


def _parsed(route: Route, content: bytes) -> msgspec.Struct:
    assert route.body is not None
    try:
        return msgspec.json.decode(content, type=route.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"the body is not as {route.name!r} takes it: {error}") from error


async def _content(request: Request, most: int) -> bytes:
    return b"".join([piece async for piece in _pieces(request, most)])


async def _pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body's pieces. Raises LimitExceeded for more than `most` bytes, before it is read where it says so itself."""
    said = request.headers.get("content-length", "0")
    if said.isascii() and said.isdecimal() and int(said[:15]) > most:
        raise LimitExceeded(f"a body has at most {most:,} bytes here")
    size, began, stream = 0, time.monotonic(), request.stream()
    while True:
        try:
            async with asyncio.timeout(_SILENT_S):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise InvalidInput(f"nothing of the body came for {_SILENT_S:g} s") from error
        size += len(piece)
        if size > most:
            raise LimitExceeded(f"a body has at most {most:,} bytes here")
        if time.monotonic() - began > _SILENT_S + size / _LEAST_BYTES_S:
            raise InvalidInput(f"the body comes too slowly: send {_LEAST_BYTES_S:,} bytes a second or more")
        yield piece


async def _read_on(request: Request) -> None:
    """Reads what is still being sent after a refusal, and drops it, for a while.

    A connection that is closed on a client in the middle of sending is reset, and the client never sees why it was
    refused. One that asked first (`Expect`) sends nothing more.
    """
    if "expect" in request.headers:
        return
    size = 0
    # RuntimeError is Starlette's word for a body that was read to its end
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(_LINGER_S):
            async for piece in request.stream():
                size += len(piece)
                if size > _LINGER_BYTES:
                    return


def _trace(request: Request) -> str:
    given: Mapping[str, str] = request.headers
    asked = given.get("x-request-id", "")
    return asked if _REQUEST_ID.fullmatch(asked) else new_trace()
