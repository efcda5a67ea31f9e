"""For those who operate a server: health, metrics, users, invitations, the audit, and what the API is."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from rubber_duck.accounts.user import User
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Right
from rubber_duck.server.api.route import Call, Method, Nothing, Plain, Route, paged
from rubber_duck.server.health import HealthView, examine, is_ready
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.metrics import METRICS_TYPE
from rubber_duck.server.own import role_of


class Ok(msgspec.Struct, frozen=True):
    """Whether it is."""

    ok: bool


class UserView(msgspec.Struct, frozen=True):
    """A user."""

    id: str
    name: str
    role: str
    created_at: str
    disabled: bool


class UsersPage(msgspec.Struct, frozen=True):
    """Users by name; `next` is the cursor of the next page, "" at the end."""

    users: tuple[UserView, ...]
    next: str


class InvitationWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to come, as what, and with which role in which project; within so many hours."""

    name: Annotated[str, Meta(max_length=100)]
    role: str = "person"
    project: str = ""
    project_role: str = ""
    hours: Annotated[int, Meta(ge=1, le=720)] = 72


class InvitationMade(msgspec.Struct, frozen=True):
    """An invitation that was just made: it is shown once."""

    invitation: str


class Disabling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a user shall be disabled."""

    disabled: bool


class EntryView(msgspec.Struct, frozen=True):
    """An entry of the audit."""

    number: int
    at: str
    actor: str
    action: str
    subject: str


class AuditView(msgspec.Struct, frozen=True):
    """The last entries, newest first, and whether the audit is whole: "" or what is wrong."""

    entries: tuple[EntryView, ...]
    wrong: str


async def live(call: Call) -> Ok:
    """Whether the process answers."""
    return Ok(True)


async def ready(call: Call) -> Plain | Ok:
    """Whether requests can be answered: the database answers."""
    if await is_ready(call.desk):
        return Ok(True)
    call.status = 503
    return Ok(False)


async def health(call: Call) -> HealthView:
    """How everything is, part by part."""
    found = await examine(call.desk)
    call.status = 200 if found.ok else 503
    return found


async def metrics(call: Call) -> Plain:
    """Counters and gauges of every process of this server, as Prometheus reads them."""
    return Plain(await call.desk.siblings.exposed(), METRICS_TYPE)


async def list_users(call: Call) -> UsersPage:
    """The users."""
    found, more = paged(await call.desk.accounts.users(call.scope), lambda each: each.name, call.page())
    return UsersPage(
        tuple(
            UserView(
                str(each.id), each.name, each.role.value, each.created_at.isoformat(), each.disabled_at is not None
            )
            for each in found
        ),
        more,
    )


async def set_disabled(call: Call) -> Nothing:
    """Disable or enable a user; a disabled one's sessions, keys and sockets end."""
    await call.desk.accounts.disable_user(call.scope, call.path["user"], disabled=call.body.disabled)
    return Nothing()


async def invite(call: Call) -> InvitationMade:
    """Invite somebody."""
    wish: InvitationWish = call.body
    project = None
    if wish.project or wish.project_role:
        try:
            project = (UUID(wish.project), role_of(wish.project_role or "member"))
        except ValueError as error:
            raise InvalidInput(f"{wish.project!r} is not the id of a project") from error
    made = await call.desk.signing_in.invite(
        call.scope, wish.name, role_of(wish.role), project=project, lasts=timedelta(hours=wish.hours)
    )
    return InvitationMade(made.text)


async def reset_password(call: Call) -> InvitationMade:
    """Let a user who forgot their password choose another one."""
    return InvitationMade((await call.desk.accounts.reset_password(call.scope, call.path["user"])).text)


async def audit(call: Call) -> AuditView:
    """The end of the audit."""
    _, limit = call.page()
    entries = await call.desk.accounts.audit(call.scope, limit)
    verdict = await call.desk.accounts.verify_audit(call.scope)
    shown = (EntryView(each.number, each.at.isoformat(), each.actor, each.action, each.subject) for each in entries)
    return AuditView(tuple(shown), verdict.wrong)


def _user(user: User) -> UserView:
    since, is_disabled = user.created_at.isoformat(), user.disabled_at is not None
    return UserView(str(user.id), user.name, user.role.value, since, is_disabled)


_ADMIN, _WRITE = Right.ADMINISTER, RouteClass.WRITE

ROUTES: tuple[Route, ...] = (
    Route(
        Method.GET,
        "/health/live",
        None,
        live,
        "Whether the process answers",
        answer=Ok,
    ),
    Route(
        Method.GET,
        "/health/ready",
        None,
        ready,
        "Whether requests can be answered",
        answer=Ok,
    ),
    Route(
        Method.GET,
        "/health",
        _ADMIN,
        health,
        "How everything is",
        answer=HealthView,
    ),
    Route(
        Method.GET,
        "/metrics",
        _ADMIN,
        metrics,
        "What Prometheus reads",
        answer=None,
    ),
    Route(
        Method.GET,
        "/users",
        _ADMIN,
        list_users,
        "The users",
        answer=UsersPage,
        queries=("cursor", "limit"),
    ),
    Route(
        Method.PUT, "/users/{user}/disabled", _ADMIN, set_disabled, "Disable or enable a user", Disabling, cost=_WRITE
    ),
    Route(
        Method.POST,
        "/users/{user}/reset",
        _ADMIN,
        reset_password,
        "Let a user choose another password",
        None,
        InvitationMade,
        _WRITE,
        201,
        secret=True,
    ),
    Route(
        Method.POST,
        "/invitations",
        _ADMIN,
        invite,
        "Invite somebody",
        InvitationWish,
        InvitationMade,
        _WRITE,
        201,
        once=True,
        secret=True,
    ),
    Route(
        Method.GET,
        "/audit",
        _ADMIN,
        audit,
        "The end of the audit",
        answer=AuditView,
        queries=("limit",),
    ),
)
"""The routes for operators, and those that anybody may take."""
