"""Say who one is, on which server, and choose the one that answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current

if TYPE_CHECKING:
    from rubber_duck.cli.remote import Server

_ROLE: Final = click.Choice(["owner", "maintainer", "member", "viewer"])


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


@command.group("key", cls=Group)
def key() -> None:
    """Make, list, replace and end keys of one's own."""


@key.command("add")
@click.option("--label", default="", help="What it is for.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=None, help="Days until it expires.  [default: as this one]"
)
@click.option("--right", "rights", multiple=True, help="Only this right, of all that you have; may be repeated.")
def key_add(label: str, days: int | None, rights: tuple[str, ...]) -> None:
    """Make another key for oneself. It is shown now and never again."""
    _made("key_add", {"label": label, "days": days, "rights": list(rights) or None})


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def key_list(as_json: bool) -> None:
    """List one's own keys, without what is secret in them."""
    found = _asked("keys")["keys"]
    if as_json:
        drawing.machine(found)
        return
    table = drawing.table("key", "made", "with", "state", "for")
    for each in found:
        until = f"until {each['expires_at'][:10]}" if each["expires_at"] else "valid"
        state = "revoked" if each["revoked_at"] else until
        table.add_row(
            each["id"], each["created_at"][:10], each.get("made_with", ""), state, drawing.text(each["label"])
        )
    drawing.show(table)


@key.command("rotate")
@click.argument("key_id", metavar="ID", help="The key's id.")
def key_rotate(key_id: str) -> None:
    """Make a key like another one, which is good for one more hour."""
    _made("key_rotate", {"id": key_id})


@key.command("revoke")
@click.argument("key_id", metavar="ID", help="The key's id.")
def key_revoke(key_id: str) -> None:
    """End a key of one's own, at once, and every key that was made with it."""
    _asked("key_revoke", {"id": key_id})
    if not current().quiet:
        terminal.write(f"the key {key_id} is revoked")


@command.command("invite")
@click.argument("name", help="What they will be called: lower-case letters, digits and `.`, `_`, `@`, `-`.")
@click.option("--project", default="", help="The project, by its name or id, in which they get a role.")
@click.option("--role", type=_ROLE, default="member", show_default=True, help="Their role there.")
@click.option("--administrator", is_flag=True, help="They administer the server.")
def invite(name: str, project: str, role: str, administrator: bool) -> None:
    """Invite somebody to the server, which its administrators may. The code is shown now and never again."""
    wish = {"name": name, "project": project, "role": role, "administrator": administrator}
    code = _asked("invite", wish)["invitation"]
    terminal.write(code)
    if not current().quiet:
        terminal.note(f"within three days: duck login ADDRESS --user {name} --invitation, which asks for the code")


@command.command("reset")
@click.argument("name", help="Who forgot their password.")
def reset(name: str) -> None:
    """Let a user who forgot their password choose another one, which administrators may. The code is shown once."""
    terminal.write(_asked("reset", {"name": name})["invitation"])
    if not current().quiet:
        terminal.note(f"within a day: duck login ADDRESS --user {name} --invitation, which asks for the code")


@command.command("role")
@click.argument("project", help="The project's name or id.")
@click.argument("name", help="Whose role.")
@click.argument("role", type=click.Choice([*_ROLE.choices, "none"]), help="owner, maintainer, member, viewer, or none.")
def role_set(project: str, name: str, role: str) -> None:
    """Give somebody a role in a project of the server, which its administrators may."""
    _asked("role_set", {"project": project, "name": name, "role": role})
    if not current().quiet:
        terminal.write(f"{name} has the role {role} in {project}")


@command.command("share")
@click.argument("conversation", help="Its id, the beginning of it, or `last`.")
@click.argument("name", help="Who may read it: a member of its project.")
@click.option("--no-more", is_flag=True, help="They may not any more.")
def share(conversation: str, name: str, no_more: bool) -> None:
    """Show a conversation of one's own to somebody. They read and hear it, and say nothing in it."""
    from rubber_duck.cli.asking import ask  # noqa: PLC0415  # help needs none of it
    from rubber_duck.cli.serverside import with_server  # noqa: PLC0415  # as above

    meant = {"conversation": conversation, "directory": os.getcwd()}
    known = ask("chat", meant)["conversation"]
    wish = {"name": name, "role": "none" if no_more else "viewer"}
    with_server(lambda server: server.ask(f"chat:{known}", "share", wish))
    if not current().quiet:
        way = "not read it any more" if no_more else f"read it: duck auth shared {known}"
        terminal.write(f"{name} may {way}")


@command.command("shared")
@click.argument("conversation", help="Its id, as whoever shares it says.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def shared(conversation: str, as_json: bool) -> None:
    """Read a conversation that somebody showed to one."""
    from rubber_duck.cli.serverside import with_server  # noqa: PLC0415  # as above

    async def read(server: Server) -> list[dict[str, Any]]:  # Any: JSON
        turns: list[dict[str, Any]] = []  # Any: as above
        while True:
            after = turns[-1]["number"] if turns else 0
            found = await server.ask(f"chat:{conversation}", "history", {"after": after})
            turns += found["turns"]
            if not found["more"]:
                return turns

    turns = with_server(read)
    if as_json:
        drawing.machine(turns)
        return
    for each in turns:
        drawing.show(drawing.text("they" if each["speaker"] == "person" else each["model"] or "model", "bold"))
        drawing.show(drawing.text(each["text"]))


@command.command("settings")
@click.argument("name", default="", help="Which one; nothing: all of them.")
@click.argument("value", default=None, required=False, help="What it shall be, as JSON or as a word.")
@click.option("--drop", is_flag=True, help="Have it no more.")
def settings(name: str, value: str | None, drop: bool) -> None:
    """Show or change the settings of one's own that every face shares: terminal, editor and browser."""
    from rubber_duck.cli.serverside import with_server  # noqa: PLC0415  # help needs none of it

    if name and (drop or value is not None):
        wish = {"name": name, "value": None if drop or value is None else _value(value)}
        with_server(lambda server: server.ask("user:me", "set", wish))
        return
    found = with_server(lambda server: server.ask("user:me", "settings"))["settings"]
    drawing.machine({key: each for key, each in found.items() if not name or key == name})


def _value(written: str) -> object:
    import json  # noqa: PLC0415  # as above

    try:
        return json.loads(written)
    except ValueError:
        return written


@command.command("signout")
@click.option("--keys", is_flag=True, help="End every key too, this one among them.")
def signout(keys: bool) -> None:
    """End every session of one's own, everywhere, within seconds."""
    ended = _asked("sign_out", {"keys": keys})
    if not current().quiet:
        terminal.write(
            f"{terminal.counted(ended['sessions'], 'session')} and {terminal.counted(ended['keys'], 'key')} ended"
        )


def _made(event: str, wish: dict[str, Any]) -> None:  # Any: JSON
    made = _asked(event, wish)
    terminal.write(made["key"])
    if not current().quiet:
        terminal.note(
            current().as_called(f"keep it well: it is not shown again; `duck auth key revoke {made['id']}` ends it")
        )


def _asked(event: str, payload: object = None) -> Any:  # Any: JSON
    from rubber_duck.cli.serverside import with_server  # noqa: PLC0415  # help needs none of it

    return with_server(lambda server: server.ask("cli:me", event, payload))
