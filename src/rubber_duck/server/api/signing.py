"""Coming in and going out: invitations, sessions, tickets, tokens, passwords, one's own keys."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from rubber_duck.accounts.signing_in import SESSION_LASTS
from rubber_duck.errors import NotFound
from rubber_duck.scope import Right
from rubber_duck.server.api.route import Call, Method, Nothing, Route
from rubber_duck.server.cookies import token_of
from rubber_duck.server.limits import RouteClass, network_of
from rubber_duck.server.own import KeyMade, KeysView, KeyWish, SignedOut, key_view, rights_of

Name = Annotated[str, Meta(max_length=100, description="The user's name.")]
Password = Annotated[str, Meta(max_length=1000, description="12 characters or more.")]


class Acceptance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Become a user by an invitation; the first of a server is printed by `duck serve`."""

    invitation: Annotated[str, Meta(max_length=200)]
    name: Name
    password: Password
    cookie: bool = False


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who one is. With `cookie` the session comes as one, for browsers."""

    name: Name
    password: Annotated[str, Meta(max_length=1000)]
    cookie: bool = False


class SessionView(msgspec.Struct, frozen=True):
    """A session: send it as `Authorization: Bearer`. It is shown once.

    In a browser it is in the cookie and not here, and `csrf` is to be sent as `X-CSRF-Token` with whatever changes
    something.
    """

    name: str
    role: str
    session: str
    expires_at: str
    csrf: str = ""


class TicketView(msgspec.Struct, frozen=True):
    """A ticket for one socket: its `authToken`, within 30 seconds and one time."""

    ticket: str
    expires_at: str


class TokenView(msgspec.Struct, frozen=True):
    """A token (JWT) for sockets and services, for five minutes."""

    token: str
    expires_at: str


class Me(msgspec.Struct, frozen=True):
    """Who one is, and what one may do outside of projects. `expires_at` is of what one came with; "" for no end."""

    id: str
    name: str
    role: str
    rights: tuple[str, ...]
    came_with: str
    expires_at: str


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password in place of the old one."""

    old: Annotated[str, Meta(max_length=1000)]
    new: Password


async def accept(call: Call) -> SessionView:
    """Become a user, and be signed in at once."""
    body: Acceptance = call.body
    await call.desk.signing_in.accept(body.invitation, body.name, body.password)
    return await _session(call, body)


async def sign_in(call: Call) -> SessionView:
    """Sign in by name and password."""
    body: Login = call.body
    network = network_of(call.address)
    is_known = await call.desk.signing_in.is_known_from(body.name, network)
    call.remaining |= await call.desk.limits.take_name(body.name, network, is_known=is_known)
    return await _session(call, body)


async def _session(call: Call, asked: Login | Acceptance) -> SessionView:
    network = network_of(call.address)
    user, session, until = await call.desk.signing_in.sign_in(asked.name, asked.password, network=network)
    if not asked.cookie:
        return SessionView(user.name, user.role.value, session.text, until.isoformat())
    call.cookie = call.cookies.written(session.text, int(SESSION_LASTS.total_seconds()))
    return SessionView(user.name, user.role.value, "", until.isoformat(), token_of(session.text))


async def show_session(call: Call) -> SessionView:
    """Who one is by the cookie of one's browser, and the token that goes with it."""
    session = call.cookies.session_in(call.headers)
    if not session:
        raise NotFound("this request came without the cookie of a session")
    user, until = call.standing.user, call.standing.credential.expires_at
    return SessionView(user.name, user.role.value, "", "" if until is None else until.isoformat(), token_of(session))


async def sign_out(call: Call) -> SignedOut:
    """End the session one came with; with `?everywhere=true` every one, and with `&keys=true` every key too."""
    call.cookie = call.cookies.written("", 0) if call.cookies.session_in(call.headers) else ""
    if call.query.get("everywhere") == "true":
        keys = call.query.get("keys") == "true"
        return SignedOut(*await call.desk.signing_in.sign_out_everywhere(call.standing, keys=keys))
    await call.desk.signing_in.sign_out(call.standing)
    return SignedOut(1, 0)


async def me(call: Call) -> Me:
    """Who one is."""
    user, credential = call.standing.user, call.standing.credential
    until = "" if credential.expires_at is None else credential.expires_at.isoformat()
    rights = tuple(sorted(call.standing.rights))
    return Me(str(user.id), user.name, user.role.value, rights, credential.kind.value, until)


async def change_password(call: Call) -> Nothing:
    """Replace one's password; every session ends."""
    await call.desk.signing_in.change_password(call.standing, call.body.old, call.body.new)
    return Nothing()


async def ticket(call: Call) -> TicketView:
    """A ticket for one socket."""
    made, until = await call.desk.signing_in.ticket(call.standing)
    return TicketView(made.text, until.isoformat())


async def token(call: Call) -> TokenView:
    """A short-lived token."""
    made, until = call.desk.signing_in.token(call.standing)
    return TokenView(made, until.isoformat())


async def keys(call: Call) -> KeysView:
    """One's own keys."""
    return KeysView(tuple(key_view(each) for each in await call.desk.signing_in.keys(call.standing)))


async def add_key(call: Call) -> KeyMade:
    """Make a key for oneself."""
    body: KeyWish = call.body
    made = await call.desk.signing_in.add_key(
        call.standing, label=body.label, rights=rights_of(body.rights), days=body.days
    )
    return KeyMade(made.id, made.text)


async def rotate_key(call: Call) -> KeyMade:
    """A new key like this one, which is good for another hour."""
    made = await call.desk.signing_in.rotate_key(call.standing, call.path["key"])
    return KeyMade(made.id, made.text)


async def revoke_key(call: Call) -> Nothing:
    """End a key of one's own, at once."""
    await call.desk.signing_in.revoke_key(call.standing, call.path["key"])
    return Nothing()


_OWN, _SIGN_IN, _WRITE = Right.ACCOUNT_OWN, RouteClass.SIGN_IN, RouteClass.WRITE

ROUTES: tuple[Route, ...] = (
    Route(
        Method.POST,
        "/invitations/accept",
        None,
        accept,
        "Become a user by an invitation",
        Acceptance,
        SessionView,
        _SIGN_IN,
        201,
        secret=True,
    ),
    Route(
        Method.POST,
        "/session",
        None,
        sign_in,
        "Sign in by name and password",
        Login,
        SessionView,
        _SIGN_IN,
        201,
        secret=True,
    ),
    Route(
        Method.GET,
        "/session",
        Right.CATALOG_READ,
        show_session,
        "Who one is by a browser's cookie",
        answer=SessionView,
    ),
    Route(
        Method.DELETE,
        "/session",
        _OWN,
        sign_out,
        "Sign out, here or everywhere",
        answer=SignedOut,
        cost=_WRITE,
        queries=("everywhere", "keys"),
    ),
    Route(
        Method.GET,
        "/me",
        Right.CATALOG_READ,
        me,
        "Who one is",
        answer=Me,
    ),
    Route(
        Method.PUT,
        "/password",
        _OWN,
        change_password,
        "Replace one's password",
        PasswordChange,
        cost=_SIGN_IN,
    ),
    Route(
        Method.POST,
        "/tickets",
        Right.CATALOG_READ,
        ticket,
        "A ticket for one socket",
        answer=TicketView,
        cost=_WRITE,
        status=201,
        secret=True,
    ),
    Route(
        Method.POST,
        "/tokens",
        Right.CATALOG_READ,
        token,
        "A token for sockets and services",
        answer=TokenView,
        cost=_WRITE,
        status=201,
        secret=True,
    ),
    Route(
        Method.GET,
        "/keys",
        _OWN,
        keys,
        "One's own keys",
        answer=KeysView,
    ),
    Route(
        Method.POST,
        "/keys",
        _OWN,
        add_key,
        "Make a key for oneself",
        KeyWish,
        KeyMade,
        _WRITE,
        201,
        once=True,
        secret=True,
    ),
    Route(
        Method.POST,
        "/keys/{key}/rotate",
        _OWN,
        rotate_key,
        "Replace a key of one's own",
        answer=KeyMade,
        cost=_WRITE,
        status=201,
        once=True,
        secret=True,
    ),
    Route(
        Method.DELETE,
        "/keys/{key}",
        _OWN,
        revoke_key,
        "End a key of one's own",
        cost=_WRITE,
    ),
)
"""The routes about oneself."""
