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
_MOST_CHARACTERS: Final = 2000


@click.command(cls=Command, name="login")
@click.argument("address", default=_DEFAULT, help="Where the server is.")
@click.option("--user", default="", metavar="NAME", help="Sign in with a password, as this user.")
@click.option("--invitation", is_flag=True, help="Become that user by an invitation, whose code is asked for.")
@click.option("--name", default="", help="What to call the server here.  [default: as its host]")
@click.option("--project", default="", help="The project that is meant where none is named.")
def command(address: str, user: str, invitation: bool, name: str, project: str) -> None:
    """Sign in to a server, so that it answers commands.

    With --user the password is asked for, or read from standard input, and a key for this machine is made. With
    --invitation too, its code is asked for before that, or read from the line before, and it becomes the password of a
    new user, or of one who forgot theirs. Otherwise a key is asked for, or read from standard input or DUCK_API_KEY.

    None of them is ever an argument, which others could see, nor sent without TLS to another machine: an address
    without `http://` or `https://` is `https://` unless it is this machine's.

    The key is kept in config.json in the home folder, for its owner alone. `duck auth use local` lets this process
    answer again.
    """
    from rubber_duck.cli import profiles  # noqa: PLC0415  # help needs none of it
    from rubber_duck.cli.serverside import address_of, greet  # noqa: PLC0415  # as above

    address = address_of(address)
    if invitation and not user:
        raise click.UsageError("say with --user what you want to be called")
    key = _key_made(address, user, has_invitation=invitation) if user else _key()
    profile = profiles.Profile(name or _name_for(address), address, key, project)
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


def _key_made(address: str, user: str, *, has_invitation: bool) -> str:
    import asyncio  # noqa: PLC0415  # as above

    from rubber_duck.cli.signing import key_by_password  # noqa: PLC0415  # as above

    invitation = _asked("Invitation") if has_invitation else ""
    password = _asked("Password", again=has_invitation)
    return asyncio.run(key_by_password(address, user, password, invitation=invitation))


def _key() -> str:
    return os.environ.get("DUCK_API_KEY", "") or _asked("Key")


def _asked(what: str, *, again: bool = False) -> str:
    """What a person types unseen, twice with `again`, or the first line of standard input."""
    if terminal.is_terminal(sys.stdin):
        said: str = click.prompt(what, hide_input=True, confirmation_prompt=again, err=True)
    else:
        said = sys.stdin.readline(_MOST_CHARACTERS)
    said = said.rstrip("\r\n") if what == "Password" else said.strip()
    if not said:
        raise click.UsageError(f"no {what.lower()} was given")
    return said


def _name_for(address: str) -> str:
    host = urlsplit(address).hostname or "server"
    return "here" if host in ("127.0.0.1", "localhost", "::1") else host
