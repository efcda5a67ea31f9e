"""Say who may use the server: users, their keys, their roles in projects; and look at the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import click

from rubber_duck.cli import connection, drawing, terminal
from rubber_duck.cli.command import Group
from rubber_duck.cli.failures import FAILED
from rubber_duck.cli.invocation import current
from rubber_duck.errors import UnknownName
from rubber_duck.scope import Right, Scope
from rubber_duck.settings import Settings
from rubber_duck.telemetry.libraries import libraries_heard

if TYPE_CHECKING:
    from rubber_duck.accounts.accounts import Accounts

T = TypeVar("T")
Work = Callable[["Accounts", Scope], Awaitable[T]]


@click.group(cls=Group, name="admin")
def command() -> None:
    """Say who may use the server: users, their keys, their roles in projects; and look at the audit.

    Whoever can write this machine's database is its administrator; each change is recorded.
    """


@command.group("user", cls=Group)
def user() -> None:
    """Add, list, disable and enable users."""


@user.command("add")
@click.argument("name", help="Lower-case letters, digits and `.`, `_`, `@`, `-`.")
@click.option(
    "--role", type=click.Choice(["administrator", "person"]), default="person", show_default=True, help="On the server."
)
def user_add(name: str, role: str) -> None:
    """Add a user, who needs a key then: `duck admin key add NAME`."""
    from rubber_duck.accounts.roles import Role  # noqa: PLC0415  # help needs no accounts

    _do(lambda accounts, scope: accounts.add_user(scope, name, Role(role)))
    terminal.write(current().as_called(f"{name} is there; `duck admin key add {name}` makes a key"))


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def user_list(as_json: bool) -> None:
    """List the users by name."""
    found = _do(lambda accounts, scope: accounts.users(scope))
    rows = [
        {"name": each.name, "role": each.role.value, "id": str(each.id), "disabled": each.disabled_at is not None}
        for each in found
    ]
    if as_json:
        drawing.machine(rows)
        return
    for row in rows:
        terminal.write(f"{row['name']}  {row['role']}{'  disabled' if row['disabled'] else ''}")


@user.command("disable")
@click.argument("name", help="Whose keys say nothing any more.")
def user_disable(name: str) -> None:
    """Let a user's keys say nothing any more; open connections end within seconds."""
    _do(lambda accounts, scope: accounts.disable_user(scope, name))
    terminal.write(f"{name} is disabled")


@user.command("enable")
@click.argument("name", help="Who was disabled.")
def user_enable(name: str) -> None:
    """Let a disabled user in again."""
    _do(lambda accounts, scope: accounts.disable_user(scope, name, disabled=False))
    terminal.write(f"{name} is enabled")


@user.command("password")
@click.argument("name", help="Who forgot theirs.")
def user_password(name: str) -> None:
    """Let a user choose another password, once and within a day. The code is shown now and never again."""
    terminal.write(_do(lambda accounts, scope: accounts.reset_password(scope, name)).text)
    if not current().quiet:
        terminal.note(f"within a day: duck login ADDRESS --user {name} --invitation, which asks for the code")


@command.group("key", cls=Group)
def key() -> None:
    """Make, list and revoke keys."""


@key.command("add")
@click.argument("name", help="Whose key.")
@click.option("--label", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), default=None, help="Days until it expires.  [default: never]")
@click.option("--right", "rights", multiple=True, help="Only this right, of all that the user has; may be repeated.")
def key_add(name: str, label: str, days: int | None, rights: tuple[str, ...]) -> None:
    """Make a key for a user. It is shown now and never again."""
    only = frozenset(map(_right, rights)) or None
    made = _do(lambda accounts, scope: accounts.add_key(scope, name, label=label, rights=only, days=days))
    terminal.write(made.text)
    if not current().quiet:
        terminal.note(
            current().as_called(f"keep it well: it is not shown again; `duck admin key revoke {made.id}` ends it")
        )


@key.command("list")
@click.argument("name", help="Whose keys.")
def key_list(name: str) -> None:
    """List a user's keys, without what is secret in them."""
    for each in _do(lambda accounts, scope: accounts.keys(scope, name)):
        state = "revoked" if each.revoked_at else f"until {each.expires_at:%Y-%m-%d}" if each.expires_at else "valid"
        terminal.write(terminal.printable(f"{each.id}  {each.created_at:%Y-%m-%d}  {state}  {each.label}".rstrip()))


@key.command("revoke")
@click.argument("key_id", metavar="ID", help="The id, which stands in the key after duck_.")
def key_revoke(key_id: str) -> None:
    """End a key; open connections end within seconds."""
    _do(lambda accounts, scope: accounts.revoke_key(scope, key_id))
    terminal.write(f"the key {key_id} is revoked")


@command.group("role", cls=Group)
def role() -> None:
    """Give and take roles in projects."""


@role.command("set")
@click.argument("project", metavar="PROJECT-ID", type=click.UUID, help="The id of the project.")
@click.argument("name", help="Whose role.")
@click.argument(
    "role_name",
    metavar="ROLE",
    type=click.Choice(["owner", "maintainer", "member", "viewer", "none"]),
    help="owner, maintainer, member, viewer, or none.",
)
def role_set(project: UUID, name: str, role_name: str) -> None:
    """Give a user a role in a project, or none any more."""
    from rubber_duck.accounts.roles import Role  # noqa: PLC0415  # as above

    given = None if role_name == "none" else Role(role_name)
    _do(lambda accounts, scope: accounts.set_role(scope, project, name, given))
    terminal.write(f"{name} is {role_name} there" if given else f"{name} has no role there")


@command.group("audit", cls=Group)
def audit() -> None:
    """Look at the record of changes, and whether it is whole."""


@audit.command("list")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Entries at most.")
def audit_list(limit: int) -> None:
    """List the last entries, newest first."""
    for each in _do(lambda accounts, scope: accounts.audit(scope, limit)):
        line = f"{each.number}  {each.at:%Y-%m-%d %H:%M:%S}  {each.actor}  {each.action}  {each.subject}"
        terminal.write(terminal.printable(line))


@audit.command("verify")
def audit_verify() -> int:
    """Say whether no entry was changed, taken out or cut off. The status is 2 when one was."""
    verdict = _do(lambda accounts, scope: accounts.verify_audit(scope))
    if verdict.wrong:
        terminal.note(f"the audit is not whole: {verdict.wrong}")
        return FAILED
    terminal.write(f"the audit is whole: {verdict.entries:,} in all")
    return 0


def _right(name: str) -> Right:
    try:
        return Right(name)
    except ValueError:
        raise UnknownName.among("right", name, [each.value for each in Right]) from None


def _do(work: Work[T]) -> T:
    settings = connection.settings_for(current().log_level)
    with libraries_heard():
        return asyncio.run(_done(settings, work))


async def _done(settings: Settings, work: Work[T]) -> T:
    from rubber_duck.accounts.accounts import Accounts  # noqa: PLC0415  # SQLAlchemy costs 0.45 s
    from rubber_duck.cluster.cluster import open_cluster  # noqa: PLC0415  # as above
    from rubber_duck.storage.database import open_database  # noqa: PLC0415  # as above
    from rubber_duck.storage.installation import shared_key  # noqa: PLC0415  # as above

    async with (
        open_database(settings.database) as database,
        open_cluster(settings.cluster, partial(shared_key, database, "cluster")) as cluster,
    ):
        return await work(Accounts(database, cluster, clock=lambda: datetime.now(UTC)), Scope.local())
