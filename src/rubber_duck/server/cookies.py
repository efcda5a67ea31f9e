"""Sessions of browsers: a cookie that no script reads, and a token that only our own pages can send with it.

The token is made of the session, so nothing is kept for it. Over TLS the cookie has the prefix `__Host-`, which ties it
to this very host; over plain loopback, where browsers refuse that, it goes without. Sockets take tickets.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from rubber_duck.accounts.references import Kind, kind_of
from rubber_duck.errors import Denied
from rubber_duck.server import guard

HEADER: Final = "x-csrf-token"
_SAFE: Final = frozenset({"GET", "HEAD"})


class Cookies:
    """How this server's cookie is called and written. `is_secure`: clients come over TLS."""

    def __init__(self, *, is_secure: bool) -> None:
        self.name = "__Host-duck-session" if is_secure else "duck-session"
        self._rest = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_secure else "")

    def written(self, session: str, lasts_s: int) -> str:
        """What sets it; 0 seconds: what ends it."""
        return f"{self.name}={session}; Max-Age={lasts_s}{self._rest}"

    def session_in(self, headers: Mapping[str, str]) -> str:
        """The session in a request's cookie; "" without one. Cookies of other servers on this host do not matter."""
        for pair in headers.get("cookie", "").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.name and kind_of(value) is Kind.SESSION:
                return value
        return ""

    def credential_in(self, headers: Mapping[str, str], method: str) -> str:
        """What a request comes with: a header, or else the cookie, which changes nothing without its token.

        Raises Unauthenticated, and Denied for a cookie that comes without the token.
        """
        session = "" if "authorization" in headers else self.session_in(headers)
        if not session:
            return guard.key_in(headers)
        if method not in _SAFE and not hmac.compare_digest(
            headers.get(HEADER, "").encode(), token_of(session).encode()
        ):
            raise Denied(f"a cookie alone changes nothing: send the token of GET /session as {HEADER.upper()}")
        return session


def token_of(session: str) -> str:
    """The token that belongs to a session."""
    return hmac.digest(session.encode(), b"csrf", "sha256").hex()
