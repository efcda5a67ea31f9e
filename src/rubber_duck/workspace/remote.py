"""Copies of Git remotes: cloned and fetched with everything off that a repository could run, and nothing asked for.

Credentials come from files that the administrator names for a host, and from nowhere else: a repository has no say in
them, nor in submodules, filters or hooks.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import stat
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from rubber_duck.errors import (
    Conflict,
    Denied,
    InvalidInput,
    InvalidSettings,
    ProgramUnavailable,
    TimedOut,
    Unavailable,
)
from rubber_duck.settings.tree import WorkspaceSettings
from rubber_duck.workspace.paths import display
from rubber_duck.workspace.programs import Limits, find_program, run_program

_HTTPS: Final = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?/[\w./~+-]+", re.IGNORECASE)
_ANYBODY: Final = "x-access-token"
"""The name that goes with a token that has none; hosts do not look at it."""

_TOKEN_CHARACTERS: Final = 4096
_TIMEOUT_S: Final = 600.0
_BEGUN: Final = "duck-begun"
"""The file beside git's own in which the commit stands that a copy's files are becoming those of."""

_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
}
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "credential.helper=",
    "protocol.allow=never",
    "submodule.recurse=false",
    "filter.lfs.smudge=",
    "filter.lfs.required=false",
    "safe.directory=*",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)


def checked_remote(remote: str, roots: Sequence[str]) -> str:
    """A remote that may be cloned: `https://` without credentials, or a repository below one of the roots.

    Raises InvalidInput, Denied.
    """
    if _HTTPS.fullmatch(remote):
        return remote
    if os.path.isabs(remote):
        real = os.path.realpath(remote)
        if any(real.startswith(os.path.realpath(root) + os.sep) for root in roots):
            return real
        raise Denied(f"{remote!r} does not lie below one of the folders in workspace.roots")
    raise InvalidInput(f"{remote!r} is no remote: write https://HOST/PATH, without a name or a password in it")


def token_for(remote: str, tokens: Sequence[str]) -> str:
    """What the administrator's file for the remote's host holds, `TOKEN` or `NAME:TOKEN`; "" for a host without one.

    `tokens` are of the form `HOST=FILE`, or `HOST:PORT=FILE`. May block on the disk. Raises InvalidSettings, and Denied
    where others may read the file.
    """
    host = remote.lower().removeprefix("https://").partition("/")[0] if _HTTPS.fullmatch(remote) else ""
    for each in tokens:
        name, _, path = each.partition("=")
        if not name or not os.path.isabs(path):
            raise InvalidSettings(f"workspace.git_tokens: write HOST=/PATH/OF/A/FILE, not {each!r}")
        if host and name.lower() == host:
            return _secret_in(path)
    return ""


def _secret_in(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Denied(f"others may read '{path}': run chmod 600 on it, and replace what is in it")
            said = file.read(_TOKEN_CHARACTERS).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"workspace.git_tokens: '{path}' cannot be read: {error}") from error
    if not said or not said.isprintable() or " " in said:
        raise InvalidSettings(f"workspace.git_tokens: '{path}' holds no token: write TOKEN or NAME:TOKEN on one line")
    return said


@dataclass(frozen=True, slots=True)
class Access:
    """How a remote is read: with a token, or as everybody; `authority` is a file with certificates, "" the system's."""

    token: str = field(default="", repr=False)
    authority: str = ""

    @classmethod
    def to(cls, remote: str, settings: WorkspaceSettings) -> Access:
        """As the administrator has it set. May block on the disk; raises as `token_for`."""
        authority = settings.git_authority
        if authority and not os.path.isfile(authority):
            raise InvalidSettings(f"workspace.git_authority: there is no file '{authority}'")
        return cls(token_for(remote, settings.git_tokens), authority)

    def environment(self, remote: str) -> dict[str, str]:
        """How git is told: the token for the remote's host alone, and where no other user of the machine sees it."""
        told = {"GIT_SSL_CAINFO": self.authority} if self.authority else {}
        if not self.token:
            return told
        scheme, _, rest = remote.partition("://")
        named = self.token if ":" in self.token else f"{_ANYBODY}:{self.token}"
        return told | {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{scheme}://{rest.partition('/')[0]}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {base64.b64encode(named.encode()).decode()}",
        }


_AS_EVERYBODY: Final = Access()


async def clone(remote: str, folder: Path, access: Access = _AS_EVERYBODY) -> None:
    """Copy the remote's default branch, without its history.

    Raises Unavailable, ProgramUnavailable, TimedOut, and Denied where the remote's host wants another token.
    """
    arguments = ("clone", "--quiet", "--depth=1", "--no-tags", "--single-branch", "--", _url(remote), os.fspath(folder))
    await _git(folder.parent, remote, arguments, access)


Changing = Callable[[], Awaitable[None]]
"""Awaited once before the files of a copy change, and only if they do."""


async def fetch(remote: str, folder: Path, access: Access, changing: Changing, *, discard: bool = False) -> None:
    """Bring a copy up to date. Raises as `clone`, and Conflict where something was changed in the copy.

    With `discard` that is lost, and what git ignores besides. A lock that a killed git left is broken once none can
    still hold it.
    """
    await asyncio.to_thread(_unlock, folder, _TIMEOUT_S)
    try:
        await _brought_up_to_date(remote, folder, access, changing, discard=discard)
    except (asyncio.CancelledError, TimedOut):
        await asyncio.to_thread(_unlock, folder, 0)  # git was killed
        raise


async def _brought_up_to_date(remote: str, folder: Path, access: Access, changing: Changing, *, discard: bool) -> None:
    arguments = ("fetch", "--quiet", "--depth=1", "--no-tags", "--", _url(remote), "HEAD")
    await _git(folder, remote, arguments, access)
    begun = folder / ".git" / _BEGUN
    half = await asyncio.to_thread(_read, begun)
    if not discard:
        changed = await _changed(folder, remote, half)
        if changed:
            raise Conflict(
                f"the copy was changed since it was fetched, and that would be lost: {len(changed):,} paths, such as "
                f"'{display(changed[0])}'; undo it, or fetch with discard=true"
            )
    before, now = (await _git(folder, remote, ("rev-parse", "HEAD", "FETCH_HEAD"))).split()
    if now == before and not discard and not half:
        return
    await changing()
    await asyncio.to_thread(begun.write_text, now)
    await _git(folder, remote, ("reset", "--quiet", "--hard", "FETCH_HEAD"))
    if discard:
        await _git(folder, remote, ("clean", "--quiet", "-ffdx"))
    await asyncio.to_thread(begun.unlink)


def _read(file: Path) -> str:
    with suppress(FileNotFoundError):
        return file.read_text()
    return ""


async def _changed(folder: Path, remote: str, half: str) -> list[str]:
    """The paths that somebody changed; not those that were to become others of the commit `half`, when git was killed.

    What a person did to just those since then cannot be told from that, and is not kept.
    """
    status = ("status", "--porcelain", "--no-renames", "--untracked-files=all", "-z")
    changed = [each[3:] for each in (await _git(folder, remote, status)).split("\0") if each]
    if not changed or not half:
        return changed
    meant = (await _git(folder, remote, ("diff", "--name-only", "--no-renames", "-z", "HEAD", half, "--"))).split("\0")
    return [each for each in changed if each not in set(meant)]


def _unlock(copy: Path, older_than_s: float, clock: Callable[[], float] = time.time) -> None:
    """Remove the locks of git in a copy that are so old; only fetching makes any there."""
    now = clock()
    for lock in [*copy.glob(".git/*.lock"), *copy.glob(".git/refs/**/*.lock")]:
        with suppress(FileNotFoundError):
            if now - lock.lstat().st_mtime >= older_than_s:
                lock.unlink()


def _url(remote: str) -> str:
    return f"file://{quote(remote, errors='surrogateescape')}" if os.path.isabs(remote) else remote


async def _git(cwd: Path, remote: str, arguments: Sequence[str], access: Access = _AS_EVERYBODY) -> str:
    program = find_program("git")
    if program is None:
        raise ProgramUnavailable("git is not installed, so no remote can be copied")
    protocol = "file" if os.path.isabs(remote) else "https"
    settings = [part for each in (*_SETTINGS, f"protocol.{protocol}.allow=always") for part in ("-c", each)]
    done = await run_program(
        [program, *settings, *arguments],
        cwd=cwd,
        timeout_s=_TIMEOUT_S,
        limits=Limits(output_bytes=1 << 20),
        environment={**_ENVIRONMENT, **access.environment(remote)},
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _failure(remote, said[-1] if said else f"status {done.returncode}", access)
    return done.stdout.decode("utf-8", "replace")


def _failure(remote: str, said: str, access: Access) -> Denied | Unavailable:
    """What git said last, with what is to be done about it where that is known."""
    host = remote.removeprefix("https://").partition("/")[0]
    if "could not read Username" in said or "Authentication failed" in said:
        if access.token:
            return Denied(
                f"{host} does not accept the token that workspace.git_tokens names for it: it needs another one"
            )
        return Denied(f"{host} wants to know who reads {remote!r}: name a file with a token in workspace.git_tokens")
    hint = "; an authority of your own is named in workspace.git_authority" if "certificate" in said else ""
    return Unavailable(f"git cannot read {remote!r}: {said}{hint}")
