"""Where the database is: a URL, taken apart and shown without its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rubber_duck.errors import InvalidSettings
from rubber_duck.settings import without_password

_EXAMPLE: Final = "sqlite:////absolute/path.db"
_BROKEN_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


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

        `sqlite:////absolute/path.db` is a file: whatever follows `sqlite:///` is its absolute path as it stands,
        which begins with a slash, so that there are four (SQLAlchemy documentation, "SQLite: Connect Strings");
        three would be a relative path, which is refused: it would depend on the folder of the moment.
        `postgresql://user:password@host:port/name?sslmode=…` is a server, with every parameter that libpq knows
        (PostgreSQL documentation, section "Connection URIs").
        """
        scheme, separator, rest = url.partition("://")
        if separator and scheme == "sqlite":
            return cls._file(url, rest)
        if separator and scheme in ("postgresql", "postgres"):
            return cls._server(url)
        raise InvalidSettings(
            f"database.url {without_password(url)!r} is neither {_EXAMPLE!r} nor "
            "'postgresql://user:password@host:5432/name'"
        )

    @classmethod
    def _file(cls, url: str, rest: str) -> Location:
        if "@" in rest and not rest.startswith("/"):
            raise InvalidSettings(f"database.url {without_password(url)!r} names a host: write {_EXAMPLE!r}")
        name = rest.lstrip("/")
        if name.startswith(":memory:"):
            raise InvalidSettings(
                f"database.url {url!r} is in memory, which the threads of one process cannot share; "
                "name a file, e.g. in a temporary folder"
            )
        if not name:
            raise InvalidSettings(f"database.url {url!r} names no file: write {_EXAMPLE!r}")
        if "\0" in name:
            raise InvalidSettings(f"database.url {url!r} has a zero byte, which no path has: write {_EXAMPLE!r}")
        path = Path(f"/{name}")
        if not rest.startswith("//"):
            raise InvalidSettings(
                f"database.url {url!r} names the relative path {name!r}, which is not allowed: "
                f"write {_EXAMPLE!r}, with four slashes; for {str(path)!r} that is {f'sqlite:///{path}'!r}"
            )
        return cls("sqlite", url, f"sqlite:///{path}", path)

    @classmethod
    def _server(cls, url: str) -> Location:
        if _BROKEN_ESCAPE.search(url):
            raise InvalidSettings(
                f"database.url {without_password(url)!r} has a '%' without two hexadecimal digits: write %25 for '%'"
            )
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            # Without the reason, which may quote a part of the password.
            raise InvalidSettings(
                f"database.url {without_password(url)!r} is not a URL: look at its host and port, and write "
                "'/', '?', '#' and '@' in a password as %2F, %3F, %23 and %40"
            ) from error
        return cls("postgresql", url, without_password(url))
