"""Where the database is: a URL, taken apart and shown without its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from rubber_duck.errors import InvalidSettings

_SECRET_PARAMETER: Final = re.compile(r"(?i)((?:^|&)(?:password|sslpassword|passwd)=)[^&]*")


@dataclass(frozen=True, slots=True)
class Location:
    """A database's place. `path` is the file of SQLite, None for a server; `shown` may be printed and logged."""

    dialect: str
    url: str
    shown: str
    path: Path | None = None

    @classmethod
    def parse(cls, url: str) -> Location:
        """The location that `url` names, or InvalidSettings.

        `sqlite:///absolute/path` is a file: whatever follows `sqlite://` is the path as it stands, with one or
        more slashes before it. `postgresql://user:password@host:port/name?sslmode=…` is a server, with every
        parameter that libpq knows (PostgreSQL documentation, section "Connection URIs").
        """
        scheme, separator, rest = url.partition("://")
        if separator and scheme == "sqlite":
            return cls._file(url, rest)
        if separator and scheme in ("postgresql", "postgres"):
            return cls._server(url)
        raise InvalidSettings(
            f"database.url {_without_secrets(url)!r} is neither 'sqlite:///absolute/path' nor "
            "'postgresql://user:password@host:5432/name'"
        )

    @classmethod
    def _file(cls, url: str, rest: str) -> Location:
        if ":memory:" in rest:
            raise InvalidSettings(
                f"database.url {url!r} is in memory, which the threads of one process cannot share; "
                "name a file, e.g. in a temporary folder"
            )
        if not rest.startswith("/") or not rest.strip("/") or "\0" in rest:
            raise InvalidSettings(f"database.url {url!r} needs an absolute path: 'sqlite:///absolute/path'")
        path = Path("/" + rest.lstrip("/"))
        return cls("sqlite", url, f"sqlite://{path}", path)

    @classmethod
    def _server(cls, url: str) -> Location:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise InvalidSettings(f"database.url {_without_secrets(url)!r} is not a URL: {error}") from error
        return cls("postgresql", url, _without_secrets(url))


def _without_secrets(url: str) -> str:
    """The URL with every password replaced; cut hard when it cannot be understood."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0] + "://…"
    account, at, host = parts.netloc.rpartition("@")
    user, colon, _ = account.partition(":")
    netloc = f"{user}{':***' if colon else ''}{at}{host}"
    query = _SECRET_PARAMETER.sub(r"\1***", parts.query)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))
