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
    """Whether a field with this annotation is a URL that may hold a password."""
    return any(isinstance(note, Meta) and (note.extra or {}).get("secret") == "url" for note in get_args(annotation))


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


def _shown(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    is_shown = name in _HARMLESS and _PLAIN_VALUE.fullmatch(value)
    return parameter if is_shown or not parameter else f"{name if name.isidentifier() else ''}=***"
