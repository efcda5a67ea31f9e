"""A notice as a signed request to a webhook that an administrator made.

The signature is over the moment and the bytes that are sent, so that it cannot be used for others or much later:
`X-Duck-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body", in hexadecimal>`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from rubber_duck.egress import Door, Egress
from rubber_duck.errors import Denied, Unavailable
from rubber_duck.redaction import JsonValue, Redactor
from rubber_duck.settings.telling import WebhookSettings

SIGNATURE: Final = "X-Duck-Signature"
DELIVERY: Final = "X-Duck-Delivery"

_TIMEOUT_S: Final = 20.0
_WELL: Final = range(200, 300)
_TRY_AGAIN: Final = frozenset({408, 425, 429, *range(500, 600)})


def signature(secret: str, at_s: int, body: bytes) -> str:
    """What a request of that body carries at that moment, in seconds since 1970."""
    digest = hmac.new(secret.encode(), str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


async def post(hook: WebhookSettings, body: JsonValue, *, delivery: str, now_s: Callable[[], float]) -> None:
    """Send `body`; `delivery` is the same whenever the same is sent again.

    Raises Unavailable when it may be tried again, Denied when the other side will not take it.
    """

    def sign(sent: bytes) -> Mapping[str, str]:
        return {SIGNATURE: signature(hook.secret, int(now_s()), sent), DELIVERY: delivery}

    door = Door(hook.url, is_private=hook.private, silence_s=_TIMEOUT_S, sign=sign)
    egress = Egress(door, Redactor([hook.secret]))
    try:
        deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
        async with egress.request("POST", "", body, deadline=deadline) as reply:
            status = reply.status
    finally:
        await egress.close()
    if status in _TRY_AGAIN:
        raise Unavailable(f"the webhook at {door.host!r} answered {status}")
    if status not in _WELL:
        raise Denied(f"the webhook at {door.host!r} refused it with {status}")
