"""Which settings are secret, and how they are shown to people without their secrets."""

from __future__ import annotations

import re
from typing import Any, Final, get_args

from msgspec import Meta

# To the last `@`, as the servers' own parsers do: a password may hold any character, and showing too little is safe.
_ACCOUNT: Final = re.compile(r"(://[^:/@\s]*):.*@", re.DOTALL)
_PARAMETER: Final = re.compile(r"(?i)([?&][^=&]*(?:password|passwd|secret|token)[^=&]*=)[^&]*")


def is_secret(annotation: Any) -> bool:  # Any: annotations have no common type
    """Whether a field with this annotation is a URL that may hold a password."""
    return any(isinstance(note, Meta) and (note.extra or {}).get("secret") == "url" for note in get_args(annotation))


def without_password(url: str) -> str:
    """`url` with its password, before the host or among the parameters, replaced by `***`."""
    return _PARAMETER.sub(r"\1***", _ACCOUNT.sub(r"\1:***@", url))
