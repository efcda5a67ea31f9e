"""What every provider over HTTP does alike: ask, read events, and say in our errors what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final, NoReturn, TypeVar

import msgspec

from rubber_duck.egress import Egress, Reply
from rubber_duck.errors import (
    BadAnswer,
    InvalidInput,
    LimitExceeded,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from rubber_duck.llm.errand import Errand
from rubber_duck.llm.sse import events
from rubber_duck.redaction import JsonValue

T = TypeVar("T")

ERROR_BYTES: Final = 100_000
BODY_BYTES: Final = 32_000_000
TOOL_BYTES: Final = 2_000_000
"""Larger arguments of one call are refused."""

_SAID_CHARACTERS: Final = 300
_RETRIED: Final = frozenset({408, 409, 425, 500, 502, 503, 504, 520, 522, 524, 529})


class Said(msgspec.Struct, frozen=True):
    """What a provider says went wrong; the parts that providers share."""

    message: str = ""
    type: str = ""
    code: str | int | None = None


class Wire:
    """Requests to one provider, each with the deadline of its errand, and at the latest after a time of its own."""

    def __init__(self, egress: Egress, timeout_s: float) -> None:
        self._egress = egress
        self._timeout_s = timeout_s

    @asynccontextmanager
    async def events(self, path: str, body: JsonValue, errand: Errand) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """The data of each event of the answer. Raises the errors of `rubber_duck.egress`, and what `refuse` raises."""
        async with self._asked("POST", path, body, errand) as reply:
            kind = reply.header("content-type")
            if "json" in kind or "html" in kind:
                content = await reply.read(ERROR_BYTES)
                raise_if_error(content)
                raise BadAnswer(f"the provider answered {kind or 'something'!r} where a stream was asked for")
            async with aclosing(events(reply.chunks)) as stream:
                yield stream

    async def json(self, path: str, body: JsonValue, shape: type[T], errand: Errand) -> T:
        """The whole answer, as `shape`; without a body it is a GET."""
        async with self._asked("GET" if body is None else "POST", path, body, errand) as reply:
            content = await reply.read(BODY_BYTES)
        raise_if_error(content)
        errand.has_begun = True
        return decoded(content, msgspec.json.Decoder(shape))

    async def close(self) -> None:
        """Close every connection."""
        await self._egress.close()

    @asynccontextmanager
    async def _asked(self, method: str, path: str, body: JsonValue, errand: Errand) -> AsyncIterator[Reply]:
        deadline = min(errand.deadline, asyncio.get_running_loop().time() + self._timeout_s)
        verb: Final = "GET" if method == "GET" else "POST"
        errand.is_sent = False

        def sending() -> None:
            errand.is_sent = True

        async with self._egress.request(verb, path, body, deadline=deadline, on_sending=sending) as reply:
            if reply.status != 200:
                content = b""
                with contextlib.suppress(LimitExceeded):
                    content = await reply.read(ERROR_BYTES)
                refuse(reply.status, content, seconds_in(reply.header("retry-after"), reply.header("date")))
            yield reply


def decoded(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """`content` as the decoder's type; raises BadAnswer for what is not, lone surrogates among it."""
    try:
        return decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise BadAnswer(f"the provider's answer cannot be read: {error}") from error


class _Failure(msgspec.Struct, frozen=True):
    error: Said | str | None = None
    message: str = ""
    detail: msgspec.Raw = msgspec.Raw(b"")


_failures: Final = msgspec.json.Decoder(_Failure)


def said_in(content: bytes) -> Said | None:
    """The error that a body or an event tells of, in any of the shapes in use; None when it tells of none."""
    try:
        failure = _failures.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if isinstance(failure.error, Said):
        return failure.error
    return Said(failure.error) if failure.error else None


def raise_if_error(content: bytes) -> None:
    """Raise for a body or an event that tells of an error although the status says that all is well."""
    said = said_in(content) if b'"error"' in content[:2000] else None
    if said is not None:
        raise_said(said)


def raise_said(said: Said) -> NoReturn:
    """Raise the error that fits what a provider says in the middle of a stream."""
    about = f"{said.type} {said.code}".lower()
    if "rate_limit" in about or said.code == 429:
        raise RateLimited(f"the provider limits requests: {_short(said.message)}")
    if any(each in about for each in ("invalid_request", "authentication", "permission", "not_found", "billing")):
        raise ProviderRejected(f"the provider refuses: {_short(said.message)}")
    raise ProviderUnavailable(f"the provider failed: {_short(said.message or said.type)}")


def refuse(status: int, content: bytes, wait_s: float | None) -> NoReturn:
    """Raise the error that fits a status other than 200; `wait_s` is what the provider says of when to ask again."""
    said = said_in(content) or Said(content.decode("utf-8", "replace"))
    words, about = _short(said.message), f"{said.type} {said.code} {said.message}".lower()
    if "insufficient_quota" in about or status == 402:
        raise ProviderRejected(f"the provider says that its credit is used up: {words}")
    if status == 429:
        raise RateLimited(f"the provider limits requests: {words}", wait_s)
    if status in {401, 403}:
        raise ProviderRejected(
            f"the provider refuses the key (status {status}): {words}; `duck llm connect` takes another"
        )
    if status == 413 or "context_length" in about or "too long" in about or "maximum context" in about:
        raise LimitExceeded(f"the prompt is too long for the model: {words}")
    if status in {400, 422}:
        raise InvalidInput(f"the provider does not take the request (status {status}): {words}")
    if status == 404:
        raise ProviderRejected(f"the provider has no such model or address (status 404): {words}")
    if status in _RETRIED or status >= 500:
        raise (
            RateLimited(f"the provider is busy (status {status}): {words}", wait_s)
            if wait_s is not None
            else (ProviderUnavailable(f"the provider failed (status {status}): {words}"))
        )
    raise ProviderRejected(f"the provider answered with status {status}; redirects are not followed: {words}")


def seconds_in(retry_after: str, date: str) -> float | None:
    """What a Retry-After header says, in seconds; None for none, or one that cannot be read.

    A moment is compared with the answer's own `date`, so that this machine's clock does not matter.
    """
    text = retry_after.strip()
    if text.replace(".", "", 1).isdigit() and text.isascii() and len(text) < 12:
        return float(text)
    try:
        moment, now = map(email.utils.parsedate_to_datetime, (text, date))
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def is_object(text: str) -> bool:
    """Whether `text` is a JSON object."""
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SAID_CHARACTERS else f"{flat[:_SAID_CHARACTERS]}…"
