"""Signs in to a server over HTTP, with a password or an invitation, and has a key made for this machine."""

from __future__ import annotations

import asyncio
import json
import platform
from typing import Any, Final, Literal

from rubber_duck.channels.message import ErrorView
from rubber_duck.channels.wire import check_address
from rubber_duck.egress import Door, Egress
from rubber_duck.errors import DuckError, Unavailable
from rubber_duck.redaction import JsonValue, Redactor

_TIMEOUT_S: Final = 60.0
_ANSWER_BYTES: Final = 1_000_000
_KEY_DAYS: Final = 365


class _OwnServer(Redactor):
    """A password is meant for the server that one signs in to, so it is left in what is sent there."""

    def value(self, value: JsonValue, depth: int = 0) -> JsonValue:
        """As it is."""
        return value


async def key_by_password(url: str, name: str, password: str, *, invitation: str = "") -> str:
    """A key for this machine, after signing in, or after becoming a user by an invitation. Raises a DuckError."""
    check_address(url)
    way = "/invitations/accept" if invitation else "/session"
    who: dict[str, JsonValue] = {"name": name, "password": password}
    session = await _post(url, way, who | ({"invitation": invitation} if invitation else {}))
    bearer = {"Authorization": f"Bearer {session['session']}"}
    label = f"duck on {platform.node()}"[:200]
    made = await _post(url, "/keys", {"label": label, "days": _KEY_DAYS}, headers=bearer)
    await _ask(url, "DELETE", "/session", None, bearer)
    key: str = made["key"]
    return key


async def _post(url: str, path: str, body: JsonValue, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return await _ask(url, "POST", path, body, headers or {})


async def _ask(
    url: str, method: Literal["POST", "DELETE"], path: str, body: JsonValue, headers: dict[str, str]
) -> dict[str, Any]:  # Any: JSON
    egress = Egress(Door(f"{url}/api/v1", headers, is_private=True), _OwnServer())
    try:
        deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
        async with egress.request(method, path, body, deadline=deadline) as reply:
            content = await reply.read(_ANSWER_BYTES)
            said = json.loads(content) if content else {}
    except ValueError as error:
        raise Unavailable(f"what answers at {url} is no server of RubberDuck") from error
    finally:
        await egress.close()
    if reply.status >= 400:
        raise _error(said, url, reply.status)
    answer: dict[str, Any] = said  # Any: JSON
    return answer


def _error(said: Any, url: str, status: int) -> DuckError:  # Any: JSON
    if isinstance(said, dict) and {"code", "detail"} <= said.keys():
        return ErrorView(str(said["code"]), str(said["detail"]), bool(said.get("retryable"))).error()
    return Unavailable(f"the server {url} answers with the status {status}")
