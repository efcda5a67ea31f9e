"""Short-lived tokens (JWT) for sockets and services: one algorithm, one type, one audience, five minutes at the most.

A token says for which credential it stands, and nothing of rights: those are read anew from the database, so a token is
worth nothing once its credential is revoked. RFC 8725 is what is kept to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from rubber_duck.accounts.user import Credential, CredentialKind
from rubber_duck.errors import Unauthenticated

ALGORITHM: Final = "HS256"
TYPE: Final = "duck+jwt"
AUDIENCE: Final = "rubber-duck"
LASTS: Final = timedelta(minutes=5)
_CHARACTERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says: whose it is, and which credential it stands for."""

    user_id: UUID
    kind: CredentialKind
    credential: str


class Tokens:
    """Signs and reads tokens with one secret. `clock` gives aware moments."""

    def __init__(self, secret: str, clock: Callable[[], datetime]) -> None:
        self._key = OctKey.import_key(secret)
        self._clock = clock

    def issue(self, user_id: UUID, credential: Credential) -> tuple[str, datetime]:
        """A token for the credential, and when it ends: never later than that."""
        now = self._clock()
        until = now + LASTS if credential.expires_at is None else min(now + LASTS, credential.expires_at)
        claims = {
            "sub": str(user_id),
            "aud": AUDIENCE,
            "iat": int(now.timestamp()),
            "exp": int(until.timestamp()),
            "kind": credential.kind.value,
            "cred": credential.id,
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self._key, algorithms=[ALGORITHM]), until

    def read(self, text: str) -> Claim:
        """What a token says. Raises Unauthenticated for one that is forged, over, or of another kind."""
        if len(text) > _CHARACTERS:
            raise _no_token()
        try:
            token = jwt.decode(text, self._key, algorithms=[ALGORITHM])
            claims = token.claims
            fits = token.header.get("typ") == TYPE and claims.get("aud") == AUDIENCE
            now = self._clock().timestamp()
            lasts = int(claims["iat"]) - 60 <= now < int(claims["exp"]) <= int(claims["iat"]) + LASTS.total_seconds()
            claim = Claim(UUID(claims["sub"]), CredentialKind(claims["kind"]), str(claims["cred"]))
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise _no_token() from error
        if not fits or not lasts:
            raise _no_token()
        return claim


def _no_token() -> Unauthenticated:
    return Unauthenticated("this token is not valid, or its five minutes are over; ask for a new one")
