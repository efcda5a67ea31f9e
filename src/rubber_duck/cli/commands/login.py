"""Sign in to a server, so that it answers commands."""

from __future__ import annotations

import os
import sys
from typing import Final
from urllib.parse import urlsplit

import click

from rubber_duck.cli import terminal
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current

_DEFAULT: Final = "http://127.0.0.1:4010"
_KEY_CHARACTERS: Final = 1000


@click.command(cls=Command, name="login")
@click.argument("address", default=_DEFAULT, help="Where the server is.")
@click.option("--name", default="", help="What to call it here.  [default: as its host]")
@click.option("--project", default="", help="The project that is meant where none is named.")
def command(address: str, name: str, project: str) -> None:
    """Sign in to a server, so that it answers commands.

    The key is asked for, or read from standard input or DUCK_API_KEY; it is never an argument, which others could
    see. It is kept in config.json in the home folder, for its owner alone. `duck auth use local` lets this process
    answer again.
    """
    from rubber_duck.cli import profiles  # noqa: PLC0415  # help needs none of it
    from rubber_duck.cli.serverside import greet  # noqa: PLC0415  # as above

    address = address if "://" in address else f"http://{address}"
    profile = profiles.Profile(name or _name_for(address), address.rstrip("/"), _key(), project)
    hello = greet(profile)
    path = profiles.write(profiles.read(os.environ).with_profile(profile), os.environ)
    if current().quiet:
        return
    terminal.write(terminal.printable(f"signed in to {profile.url} as {hello['person']} ({hello['role']})"))
    for each in hello["projects"]:
        terminal.write(terminal.printable(f"  {each['name']}  {each['role']}"))
    if not hello["projects"]:
        terminal.note("you have no role in any project there yet; its administrator can give you one")
    terminal.note(current().as_called(f"the key is kept in {path}; `duck auth logout` forgets it"))


def _key() -> str:
    if key := os.environ.get("DUCK_API_KEY", ""):
        return key
    if terminal.is_terminal(sys.stdin):
        key = click.prompt("Key", hide_input=True, err=True)
    else:
        key = sys.stdin.readline(_KEY_CHARACTERS)
    if not key.strip():
        raise click.UsageError("no key was given; who administers the server makes one with `duck admin key add`")
    return key.strip()


def _name_for(address: str) -> str:
    host = urlsplit(address).hostname or "server"
    return "here" if host in ("127.0.0.1", "localhost", "::1") else host
