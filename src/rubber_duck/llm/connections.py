"""Which providers an administrator has connected, with their keys, in a file that only its owner can read."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from rubber_duck.errors import Conflict, InvalidInput, InvalidSettings, NotFound, Unavailable, UnknownName
from rubber_duck.llm.roles import Role
from rubber_duck.settings.home import make_private_folder

FILE: Final = "models.json"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MAX_BYTES: Final = 1_000_000
_LOOKS: Final = 500
_LOOK_EVERY_S: Final = 0.02


class Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One connected provider.

    - `flavor`: its ways, among `FLAVORS`. `is_private`: its name may resolve to a private address.
    """

    name: str
    flavor: str
    url: str
    key: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    is_private: bool = False
    is_enabled: bool = True

    def __repr__(self) -> str:
        return f"Connection(name={self.name!r}, flavor={self.flavor!r}, url={self.url!r}, key=***)"


class Connections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every connected provider by name, and each role's chain of `provider/model`."""

    providers: dict[str, Connection] = msgspec.field(default_factory=dict)
    roles: dict[Role, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def named(self, name: str) -> Connection:
        """The provider of that name; raises UnknownName."""
        if name not in self.providers:
            hint = "`duck llm connect` connects one"
            raise UnknownName.among("connected provider", name, self.providers, hint=hint)
        return self.providers[name]

    def with_provider(self, connection: Connection) -> Connections:
        """One more, or one changed; raises InvalidInput for a name that cannot be one."""
        if not _NAME.fullmatch(connection.name):
            raise InvalidInput(
                f"{connection.name!r} cannot be a provider's name: use lower-case letters, digits, - and _"
            )
        return replace(self, providers=self.providers | {connection.name: connection})

    def without(self, name: str) -> Connections:
        """One less; raises Conflict while a role uses it."""
        self.named(name)
        using = [role.value for role, chain in self.roles.items() if any(each.startswith(f"{name}/") for each in chain)]
        if using:
            raise Conflict(
                f"the provider {name!r} is used for {', '.join(using)}; give that another with `duck llm use`"
            )
        return replace(self, providers={each: held for each, held in self.providers.items() if each != name})

    def with_chain(self, role: Role, chain: tuple[str, ...]) -> Connections:
        """Another chain for a role; none: the role has no model. Raises UnknownName or InvalidInput."""
        for each in chain:
            self.named(split(each)[0])
        roles = {held: models for held, models in self.roles.items() if held is not role}
        return replace(self, roles=roles | {role: chain} if chain else roles)


def split(link: str) -> tuple[str, str]:
    """`provider/model` as its two parts; raises InvalidInput. A model's name may hold further slashes."""
    provider, _, model = link.partition("/")
    if not provider or not model:
        raise InvalidInput(f"a model is written `provider/model`, not {link!r}; `duck llm models` lists them")
    return provider, model


def read_connections(home: Path) -> Connections:
    """What is connected; nothing when there is no file. Raises InvalidSettings for one that others can read."""
    path = home / FILE
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Connections()
    except OSError as error:
        raise Unavailable(f"the connected providers in {str(path)!r} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise InvalidSettings(f"others can read the keys in {str(path)!r}; run: chmod 600 {path}")
    if len(content) > _MAX_BYTES:
        raise InvalidSettings(f"{str(path)!r} is larger than {_MAX_BYTES:,} bytes; that is no list of providers")
    try:
        return msgspec.json.decode(content, type=Connections)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidSettings(f"{str(path)!r} cannot be understood: {error}; put it right, or delete it") from error


def write_connections(home: Path, connections: Connections) -> None:
    """Replace the file, for its owner alone, all or nothing."""
    write_private(home, FILE, msgspec.json.format(msgspec.json.encode(connections), indent=2))


def write_private(home: Path, name: str, content: bytes) -> None:
    """Replace a file of the home folder, for its owner alone, all or nothing. Raises Unavailable."""
    path = home / name
    draft = home / f".{name}.{secrets.token_hex(4)}"
    try:
        make_private_folder(home)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Unavailable(f"the connected providers cannot be written to {str(path)!r}: {error.strerror}") from error


@asynccontextmanager
async def changing(home: Path, sleep: Callable[[float], Awaitable[None]]) -> AsyncIterator[None]:
    """The file for one alone, among all processes, until the block ends; who reads it need not ask.

    Raises Conflict when another process holds it for ten seconds.
    """
    path = home / f".{FILE}.lock"
    try:
        make_private_folder(home)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"the lock {str(path)!r} cannot be made: {error.strerror}") from error
    try:
        for _ in range(_LOOKS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await sleep(_LOOK_EVERY_S)
            except OSError:
                break  # this file system knows no locks
        else:
            raise Conflict("another process is changing the connected providers; try again")
        yield
    finally:
        os.close(lock)


def chain_of(connections: Connections, written: Mapping[str, tuple[str, ...]], role: Role) -> tuple[str, ...]:
    """A role's models in order: what duck.toml says, or what `duck llm use` said."""
    chain = written.get(role.value) or connections.roles.get(role, ())
    for each in chain:
        if split(each)[0] not in connections.providers:
            raise NotFound(f"the role {role.value!r} is to use {each!r}, but that provider is not connected")
    return chain
