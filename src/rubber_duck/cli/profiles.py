"""The servers that a person signed in to, and their keys: `config.json` in the home folder, for its owner alone."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rubber_duck.errors import Denied, InvalidInput, Unavailable, UnknownName

FILE: Final = "config.json"
HERE: Final = "local"
"""The name that means no server: this process answers."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A server, the key that one has there, and the project that is meant where none is named."""

    name: str
    url: str
    key: str = field(default="", repr=False)
    project: str = ""


@dataclass(frozen=True, slots=True)
class Profiles:
    """Every server by name, and which of them answers; "" when this process does."""

    current: str = ""
    known: Mapping[str, Profile] = field(default_factory=dict)

    def with_profile(self, profile: Profile) -> Profiles:
        """With this one added or replaced, which answers from now on."""
        return Profiles(profile.name, {**self.known, profile.name: profile})

    def without(self, name: str) -> Profiles:
        """Without the one of that name. Raises UnknownName."""
        self.named(name)
        current = "" if self.current == name else self.current
        return Profiles(current, {each: kept for each, kept in self.known.items() if each != name})

    def using(self, name: str) -> Profiles:
        """With this one, or with `local`, answering from now on. Raises UnknownName."""
        return replace(self, current="" if name == HERE else self.named(name).name)

    def named(self, name: str) -> Profile:
        """The one of that name. Raises UnknownName."""
        if name not in self.known:
            hint = "`duck login` signs in to a server"
            raise UnknownName.among("server", name, [*self.known, HERE] if self.known else [], hint=hint)
        return self.known[name]


def home(variables: Mapping[str, str]) -> Path:
    """The home folder."""
    return Path(variables.get("DUCK_HOME") or Path.home() / ".rubber_duck").absolute()


def read(variables: Mapping[str, str]) -> Profiles:
    """What is kept. Raises Denied where others may read it, InvalidInput where it cannot be understood."""
    path = home(variables) / FILE
    try:
        mode = path.stat().st_mode
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Profiles()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"'{path}' cannot be read: {error}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise Denied(f"'{path}' holds keys and others may read it: run chmod 600 on it, and have the keys replaced")
    try:
        kept = json.loads(content)
        known = {
            name: Profile(name, str(each["url"]), str(each.get("key", "")), str(each.get("project", "")))
            for name, each in kept.get("servers", {}).items()
        }
        return Profiles(str(kept.get("current", "")), known)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidInput(
            f"'{path}' cannot be understood: {error}; `duck login` writes it anew if it is gone"
        ) from error


def write(profiles: Profiles, variables: Mapping[str, str]) -> Path:
    """Keep them, for their owner alone; after a crash the file is the old one or the new."""
    from rubber_duck.settings.home import make_private_folder  # noqa: PLC0415  # reading them needs no settings

    folder = home(variables)
    kept = {
        "version": 1,
        "current": profiles.current,
        "servers": {
            each.name: {"url": each.url, "key": each.key, "project": each.project} for each in profiles.known.values()
        },
    }
    path, draft = folder / FILE, folder / f".{FILE}.{os.getpid()}"
    try:
        make_private_folder(folder)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(kept, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Unavailable(f"'{path}' cannot be written: {error.strerror}") from error
    return path


def chosen(server: str, variables: Mapping[str, str]) -> Profile | None:
    """Which server answers; None for this process.

    `server` is what `--server` said, else DUCK_SERVER, else the one in use: a name, an address, or `local`.
    DUCK_API_KEY replaces its key, DUCK_PROJECT its project. Raises UnknownName, InvalidInput, Denied.
    """
    wanted = server or variables.get("DUCK_SERVER", "")
    if wanted == HERE:
        return None
    profiles = read(variables)
    wanted = wanted or profiles.current
    if not wanted:
        return None
    if "://" in wanted:
        same = (each for each in profiles.known.values() if each.url.rstrip("/") == wanted.rstrip("/"))
        profile = next(same, Profile(wanted, wanted))
    else:
        profile = profiles.named(wanted)
    profile = replace(
        profile,
        key=variables.get("DUCK_API_KEY") or profile.key,
        project=variables.get("DUCK_PROJECT") or profile.project,
    )
    if not profile.key:
        raise InvalidInput(
            f"no key is known for {profile.url}: `duck login {profile.url}` asks for it, or set DUCK_API_KEY"
        )
    return profile
