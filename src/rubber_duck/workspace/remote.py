"""Copies of Git remotes: cloned and fetched with everything off that a repository could run, and nothing asked for.

Credentials come from nowhere: a remote is public, or a path below the administrator's roots. What a repository says of
submodules, filters or hooks is not obeyed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rubber_duck.errors import Denied, InvalidInput, ProgramUnavailable, Unavailable
from rubber_duck.workspace.programs import Limits, find_program, run_program

_HTTPS: Final = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?/[\w./~+-]+", re.IGNORECASE)
_TIMEOUT_S: Final = 600.0
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


async def clone(remote: str, folder: Path) -> None:
    """Copy the remote's default branch, without its history. Raises Unavailable, ProgramUnavailable, TimedOut."""
    arguments = ("clone", "--quiet", "--depth=1", "--no-tags", "--single-branch", "--", _url(remote), os.fspath(folder))
    await _git(folder.parent, remote, *arguments)


async def fetch(remote: str, folder: Path) -> None:
    """Bring a copy up to date; what was changed in it is lost. Raises as `clone`."""
    await _git(folder, remote, "fetch", "--quiet", "--depth=1", "--no-tags", "--", _url(remote), "HEAD")
    await _git(folder, remote, "reset", "--quiet", "--hard", "FETCH_HEAD")
    await _git(folder, remote, "clean", "--quiet", "-ffdx")


def _url(remote: str) -> str:
    return f"file://{remote}" if os.path.isabs(remote) else remote


async def _git(cwd: Path, remote: str, *arguments: str) -> None:
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
        environment=_ENVIRONMENT,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Unavailable(f"git cannot read {remote!r}: {said[-1] if said else f'status {done.returncode}'}")
