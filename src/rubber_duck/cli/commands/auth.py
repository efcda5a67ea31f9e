"""Say who one is, on which server, and choose the one that answers."""

from __future__ import annotations

import os

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current


@click.group(cls=Group, name="auth")
def command() -> None:
    """Say who one is, on which server, and choose the one that answers."""


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(as_json: bool) -> None:
    """Say who answers commands, and who one is there; the server is asked."""
    from rubber_duck.cli import profiles  # noqa: PLC0415  # help needs none of it
    from rubber_duck.cli.serverside import greet  # noqa: PLC0415  # as above

    profile = profiles.chosen(current().server, os.environ)
    if profile is None:
        said = {"server": profiles.HERE, "url": "", "person": "", "role": ""}
        if as_json:
            drawing.machine(said)
        else:
            terminal.write(current().as_called("this process answers; `duck login ADDRESS` signs in to a server"))
        return
    hello = greet(profile)
    if as_json:
        drawing.machine({"server": profile.name, "url": profile.url, **hello})
        return
    roles = ", ".join(f"{each['name']} ({each['role']})" for each in hello["projects"])
    shown = {
        "server": f"{profile.name}, {profile.url}",
        "version": hello["version"],
        "person": f"{hello['person']} ({hello['role']})",
        "rights": ", ".join(hello["rights"]),
        "projects": roles or "none",
        "key": f"{hello['key']}, {'until ' + hello['expires_at'][:10] if hello['expires_at'] else 'without an end'}",
    }
    drawing.show(drawing.facts(shown))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(as_json: bool) -> None:
    """List the servers that one signed in to; nobody is asked."""
    from rubber_duck.cli import profiles  # noqa: PLC0415  # as above

    kept = profiles.read(os.environ)
    rows = [
        {"name": each.name, "url": each.url, "project": each.project, "used": each.name == kept.current}
        for each in sorted(kept.known.values(), key=lambda each: each.name)
    ]
    if as_json:
        drawing.machine(rows)
        return
    if not rows:
        terminal.note(current().as_called("no server is known; `duck login ADDRESS` signs in to one"))
        return
    table = drawing.table("", "server", "address", "project")
    for row in rows:
        table.add_row("*" if row["used"] else "", *(drawing.text(row[key]) for key in ("name", "url", "project")))
    drawing.show(table)


@command.command("use")
@click.argument("name", help="The server's name, or `local`.")
def use(name: str) -> None:
    """Let a server answer from now on, or, with `local`, this process."""
    from rubber_duck.cli import profiles  # noqa: PLC0415  # as above

    profiles.write(profiles.read(os.environ).using(name), os.environ)
    if not current().quiet:
        terminal.write(f"{name if name != profiles.HERE else 'this process'} answers from now on")


@command.command("logout")
@click.argument("name", default="", help="The server's name.  [default: the one in use]")
def logout(name: str) -> None:
    """Forget the key of a server; the key itself stays valid until it is revoked there."""
    from rubber_duck.cli import profiles  # noqa: PLC0415  # as above

    kept = profiles.read(os.environ)
    name = name or kept.current
    if not name:
        terminal.note("no server is in use")
        return
    profiles.write(kept.without(name), os.environ)
    if not current().quiet:
        terminal.write(f"the key of {name} is forgotten here")
