"""The secret that tokens are signed with: made at the first start, for its owner alone; a weak one is refused."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from rubber_duck.errors import Denied, InvalidSettings, Unavailable
from rubber_duck.settings import Settings
from rubber_duck.settings.home import make_private_folder

FILE: Final = "server.secret"
_LEAST_CHARACTERS: Final = 32
_LEAST_DIFFERENT: Final = 10
_SAMPLES: Final = ("change", "example", "secret", "password", "sample", "default", "insert", "your-", "12345678")


def server_secret(settings: Settings) -> str:
    """The secret. Raises InvalidSettings for a weak one, Denied for a file that others may read, Unavailable."""
    if settings.server.secret:
        return checked(settings.server.secret, "server.secret")
    path = Path(settings.home) / FILE
    try:
        make_private_folder(path.parent)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            mode = path.stat().st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise Denied(f"others may read '{path}': run chmod 600 on it, and replace what is in it") from None
            return checked(path.read_text(encoding="ascii").strip(), f"'{path}'")
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            made = secrets.token_hex(32)
            file.write(made + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"'{path}' cannot be read or made: {error}") from error
    return made


def checked(secret: str, where: str) -> str:
    """The secret. Raises InvalidSettings for one that is short, monotonous, or copied from a sample."""
    if len(secret) < _LEAST_CHARACTERS or len(set(secret)) < _LEAST_DIFFERENT:
        raise InvalidSettings(f"{where} is too weak: take 32 random characters or more, e.g. of `openssl rand -hex 32`")
    if any(sample in secret.lower() for sample in _SAMPLES):
        raise InvalidSettings(f"{where} looks like a sample: take random characters, e.g. of `openssl rand -hex 32`")
    return secret
