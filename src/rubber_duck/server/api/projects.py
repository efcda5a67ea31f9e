"""Projects: where they come from, who has which role in them, and what is known of their files."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from rubber_duck.accounts.roles import RIGHTS, Role
from rubber_duck.errors import InvalidInput
from rubber_duck.scope import Right
from rubber_duck.server.api.route import PREFIX, Call, Method, Nothing, Route, flag, paged, project_in
from rubber_duck.server.asking import unplaced
from rubber_duck.server.copies import UPLOAD_BYTES, check_here
from rubber_duck.server.desk import Member, installation
from rubber_duck.server.hooks import BODY_BYTES as HOOK_BYTES
from rubber_duck.server.limits import RouteClass
from rubber_duck.server.own import ProjectOf, projects_of, role_of
from rubber_duck.storage.database import Transaction
from rubber_duck.storage.keys import new_key
from rubber_duck.workspace.project import Project


class ProjectsPage(msgspec.Struct, frozen=True):
    """Projects by name; `next` is the cursor of the next page, "" at the end."""

    projects: tuple[ProjectOf, ...]
    next: str


class ProjectWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project to open: a `folder` below workspace.roots, or a Git `remote` to copy; who opens it owns it."""

    name: Annotated[str, Meta(max_length=200)] = ""
    folder: Annotated[str, Meta(max_length=4096)] = ""
    remote: Annotated[str, Meta(max_length=2000)] = ""


class ProjectView(msgspec.Struct, frozen=True):
    """A project. Moments are UTC, ISO 8601."""

    id: str
    name: str
    description: str
    rights: tuple[str, ...]
    created_at: str
    updated_at: str


class HookMade(msgspec.Struct, frozen=True):
    """Where the host sends its requests, and the secret with which it signs them: it is shown once."""

    path: str
    secret: str


class HookHeard(msgspec.Struct, frozen=True):
    """Whether it will be fetched; not when too many others wait."""

    fetches: bool


class RoleWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The role somebody shall have: owner, maintainer, member, viewer, or none."""

    role: str


async def list_projects(call: Call) -> ProjectsPage:
    """The projects in which one has a role."""
    found = await projects_of(call.desk, Member(call.standing, call.trace))
    projects, more = paged(found.projects, lambda each: f"{each.name.casefold()}\0{each.name}", call.page())
    return ProjectsPage(projects, more)


async def show_project(call: Call) -> ProjectView:
    """One project."""
    return _view(await project_of(call), call.scope.rights)


async def open_project(call: Call) -> ProjectView:
    """Open a folder, or a copy of a remote, as a project."""
    wish: ProjectWish = call.body
    if bool(wish.folder) == bool(wish.remote):
        raise InvalidInput("say either a folder or a remote")
    copies = call.desk.copies
    if wish.folder:
        root = await asyncio.to_thread(copies.own_folder, wish.folder)
        return await _opened(call, root, wish.name)
    root = await copies.clone(wish.remote, str(new_key()))
    return await _copied(call, root, wish.name or wish.remote.rstrip("/").rpartition("/")[2].removesuffix(".git"))


async def upload_project(call: Call) -> ProjectView:
    """Open what an archive (tar, tar.gz, zip) holds as a project; `?name=` is what it is called."""
    name = call.query.get("name", "")
    if not name:
        raise InvalidInput("say with ?name= what the project is called")
    return await _copied(call, await call.desk.copies.receive(call.raw, str(new_key())), name)


async def fetch_project(call: Call) -> ProjectView:
    """Bring the copy of a remote up to date; with `?discard=true` what was changed in it is lost."""
    project = await project_of(call)
    with unplaced(project.root):
        changing = partial(call.desk.app.parts.workspace.fetching, call.tenant, project)
        await call.desk.copies.fetch(project.root, changing, discard=flag(call, "discard"))
    return _view(project, call.scope.rights)


async def make_hook(call: Call) -> HookMade:
    """A hook for the host of the project's remote, in place of the one before."""
    await call.desk.copies.check_remote((await project_of(call)).root)
    return HookMade(f"{PREFIX}/hooks/{call.scope.project}", await call.desk.hooks.make(call.scope))


async def remove_hook(call: Call) -> Nothing:
    """End the project's hook."""
    await call.desk.hooks.remove(call.scope)
    return Nothing()


async def hear_hook(call: Call) -> HookHeard:
    """Hear from the host of a remote that something was pushed: the copy is brought up to date soon."""
    project, owner = project_in(call.path), installation(call.trace)
    await call.desk.hooks.expect(project, call.headers)
    await check_here((await call.desk.app.parts.workspace.project(owner, str(project))).root)
    content = b"".join([piece async for piece in call.raw])
    await call.desk.hooks.check(project, call.headers, content)
    return HookHeard(call.desk.remotes.want(project))


async def remove_project(call: Call) -> Nothing:
    """Remove a project, which an administrator can undo."""
    await call.desk.app.parts.workspace.remove(call.tenant, str(call.scope.project))
    return Nothing()


async def set_member(call: Call) -> Nothing:
    """Give somebody a role in a project, or none."""
    role = None if call.body.role == "none" else role_of(call.body.role)
    await call.desk.accounts.set_role(call.scope, project_in(call.path), call.path["user"], role)
    return Nothing()


async def project_of(call: Call) -> Project:
    """The project of the path."""
    return await call.desk.app.parts.workspace.project(call.tenant, str(call.scope.project))


async def _opened(call: Call, root: str, name: str) -> ProjectView:
    """The new project at `root`, of which whoever asked is the owner."""
    opening = replace(call.tenant, rights=call.tenant.rights | installation(call.trace).rights)

    async def own(tx: Transaction, project: Project) -> None:
        await call.desk.accounts.own(call.scope, tx, project.id, call.standing.user)

    project = await call.desk.app.parts.workspace.add_project(opening, root, name=name, also=own)
    return _view(project, RIGHTS[Role.OWNER])


async def _copied(call: Call, copy: str, name: str) -> ProjectView:
    """The new project in a folder that was made for it, and goes away when there is none."""
    try:
        return await _opened(call, copy, name)
    except BaseException:
        await call.desk.copies.forget(copy)
        raise


def _view(project: Project, rights: frozenset[Right]) -> ProjectView:
    moments = (project.created_at.isoformat(), project.updated_at.isoformat())
    return ProjectView(str(project.id), project.name, project.description, tuple(sorted(rights)), *moments)


_P, _ADMIN, _READ = "/projects/{project}", Right.ADMINISTER, Right.FILE_READ
_WRITE, _RUN, _PAGES = RouteClass.WRITE, RouteClass.RUN, ("cursor", "limit")

ROUTES: tuple[Route, ...] = (
    Route(
        Method.GET,
        "/projects",
        Right.CATALOG_READ,
        list_projects,
        "The projects in which one has a role",
        answer=ProjectsPage,
        queries=_PAGES,
    ),
    Route(
        Method.POST,
        "/projects",
        _ADMIN,
        open_project,
        "Open a folder or a Git remote as a project",
        ProjectWish,
        ProjectView,
        _RUN,
        201,
        once=True,
    ),
    Route(
        Method.POST,
        "/projects/upload",
        _ADMIN,
        upload_project,
        "Open an uploaded archive as a project",
        None,
        ProjectView,
        _RUN,
        201,
        queries=("name",),
        body_bytes=UPLOAD_BYTES,
    ),
    Route(
        Method.GET,
        _P,
        Right.PROJECT_READ,
        show_project,
        "One project",
        answer=ProjectView,
    ),
    Route(
        Method.DELETE,
        _P,
        Right.PROJECT_PURGE,
        remove_project,
        "Remove a project",
        cost=_WRITE,
    ),
    Route(
        Method.POST,
        _P + "/fetch",
        Right.PROJECT_WRITE,
        fetch_project,
        "Bring the copy of a Git remote up to date",
        answer=ProjectView,
        cost=_RUN,
        queries=("discard",),
    ),
    Route(
        Method.POST,
        _P + "/hook",
        Right.PROJECT_WRITE,
        make_hook,
        "A hook that fetches a project's remote",
        answer=HookMade,
        cost=_WRITE,
        status=201,
        secret=True,
    ),
    Route(
        Method.DELETE,
        _P + "/hook",
        Right.PROJECT_WRITE,
        remove_hook,
        "End a project's hook",
        cost=_WRITE,
    ),
    Route(
        Method.POST,
        "/hooks/{project}",
        None,
        hear_hook,
        "Hear that something was pushed to a project's remote",
        None,
        HookHeard,
        _WRITE,
        202,
        body_bytes=HOOK_BYTES,
    ),
    Route(
        Method.PUT,
        "/members/{project}/{user}",
        _ADMIN,
        set_member,
        "Give somebody a role in a project",
        RoleWish,
        cost=_WRITE,
    ),
)
"""The routes about projects."""
