"""Which settings are secret, and how they are shown to people without their secrets."""

from __future__ import annotations

import re
from typing import Any, Final, get_args

from msgspec import Meta

_URL: Final = re.compile(
    r"([a-z][a-z0-9+.-]*://)"  # the scheme
    r"(?:([^:@/?#]*)(:.*)?@)?"  # to the last `@`, as servers' own parsers do: a password may hold any character
    r"([\w.,:%\[\]-]*)"  # hosts and ports
    r"(/[^?#@]*)?"  # a database, or a file
    r"(\?[^#@]*)?",  # parameters
    re.DOTALL,
)
_HARMLESS: Final = frozenset(
    (
        *("application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "gssencmode", "host"),
        *("hostaddr", "keepalives", "port", "sslcert", "sslkey", "sslmode", "sslrootcert", "target_session_attrs"),
        *("tcp_user_timeout", "user"),
    )
)
_PLAIN_VALUE: Final = re.compile(r"[\w.,:/%+-]*")
_FILE: Final = "sqlite:///"
_NOWHERE: Final = ("", "local:")


def is_secret(annotation: Any) -> bool:  # Any: annotations have no common type
    """Whether a field with this annotation is a URL that may hold a password, or secret as a whole."""
    return _secret(annotation) in ("url", "value")


def shown(annotation: Any, value: str) -> str:  # Any: as above
    """The value of a secret field as it may be shown."""
    if _secret(annotation) == "value":
        return "***" if value else ""
    return without_password(value)


def without_password(url: str) -> str:
    """`url` as it may be shown: scheme, user, hosts, database, and the parameters that are known to be harmless.

    It fails closed: what cannot be understood is `***`, because a password may stand anywhere in it.
    """
    if url.startswith(_FILE) or url in _NOWHERE:
        return url
    found = _URL.fullmatch(url)
    if found is None:
        return "***"
    scheme, user, password, hosts, database, parameters = found.groups()
    account = "" if user is None else f"{user}{':***' if password else ''}@"
    asked = "&".join(map(_shown, (parameters or "?")[1:].split("&")))
    return f"{scheme}{account}{hosts}{database or ''}{'?' if parameters else ''}{asked}"


def _secret(annotation: Any) -> str:  # Any: as above
    kinds = ((note.extra or {}).get("secret", "") for note in get_args(annotation) if isinstance(note, Meta))
    return next((kind for kind in kinds if kind), "")


def _shown(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    is_shown = name in _HARMLESS and _PLAIN_VALUE.fullmatch(value)
    return parameter if is_shown or not parameter else f"{name if name.isidentifier() else ''}=***"
