"""Open, list, rename, remove and restore projects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Group
from rubber_duck.cli.failures import FAILED
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder
from rubber_duck.errors import InvalidInput

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_which = click.argument("project", help="Its name, its id or its folder.")
_DAY: Final = len("2026-01-31")


@click.group(cls=Group, name="projects")
def command() -> None:
    """Open, list, rename, remove and restore projects."""


@command.command("add")
@click.argument("root", type=click.Path(), metavar="FOLDER", help="The project's folder.")
@click.option("--name", default="", help="What to call it.  [default: as the folder]")
@click.option("--description", default="", help="A few words about it.")
@_json
def add(root: str, name: str, description: str, as_json: bool) -> None:
    """Open a folder as a project, without analysing it; `duck up` does both."""
    request = {"root": root, "name": name, "description": description, "directory": current_folder()}
    _change("add", request, as_json, lambda project: f"{project['name']} is open: {project['root']}")


@command.command("list")
@click.option("--removed", is_flag=True, help="Those that were removed and can be restored.")
@_json
def list_(removed: bool, as_json: bool) -> None:
    """List the projects by name."""
    answer = ask("projects", {"type": "list", "removed": removed})
    if as_json:
        drawing.machine(answer)
    elif answer["projects"]:
        _show_table(answer["projects"])
    elif not current().quiet:
        opening = current().as_called("no project is open; `duck up FOLDER` opens one")
        terminal.note("no project was removed" if removed else opening)


@command.command("show")
@_which
@_json
def show(project: str, as_json: bool) -> None:
    """Show one project and how many files of which language it has."""
    answer = ask("projects", {"type": "show", **_named(project)})
    if as_json:
        drawing.machine(answer)
    else:
        _show_one(answer["projects"][0])


@command.command("rename")
@_which
@click.argument("name", help="The new name.")
@_json
def rename(project: str, name: str, as_json: bool) -> None:
    """Give a project another name."""
    request = {**_named(project), "name": name}
    _change("rename", request, as_json, lambda changed: f"it is called {changed['name']} now: {changed['root']}")


@command.command("remove")
@_which
@_json
def remove(project: str, as_json: bool) -> None:
    """Remove a project, which `restore` undoes; its folder is not touched."""

    def said(gone: dict[str, Any]) -> str:
        return current().as_called(f"{gone['name']} is removed; `duck projects restore {gone['id']}` brings it back")

    _change("remove", _named(project), as_json, said)


@command.command("restore")
@_which
@_json
def restore(project: str, as_json: bool) -> None:
    """Bring a removed project back."""
    _change("restore", _named(project), as_json, lambda back: f"{back['name']} is back: {back['root']}")


@command.command("purge")
@_which
@click.option("--yes", is_flag=True, help="Do not ask.")
@_json
def purge(project: str, yes: bool, as_json: bool) -> int:
    """Forget a removed project and all that is kept of it, for good, a server's copy too; another folder stays."""
    if not yes and not terminal.is_terminal(sys.stdin):
        raise InvalidInput("nobody is there to be asked: say --yes to forget a project for good")
    if not yes and not click.confirm(f"Forget {terminal.printable(project)} for good?", err=True):
        terminal.note("nothing was changed")
        return FAILED
    _change("purge", _named(project), as_json, lambda gone: f"{gone['name']} is forgotten")
    return 0


def _named(project: str) -> dict[str, Any]:
    return {"project": project, "directory": current_folder()}


def _change(kind: str, request: dict[str, Any], as_json: bool, said: Callable[[dict[str, Any]], str]) -> None:
    answer = ask("projects", {"type": kind, **request})
    if as_json:
        drawing.machine(answer)
    elif not current().quiet:
        terminal.write(terminal.printable(said(answer["projects"][0])))


def _show_table(projects: list[dict[str, Any]]) -> None:
    """A row each; the id only where several may have one name."""
    removed = "removed_at" in projects[0]
    columns = ("project", "folder", "removed", "id") if removed else ("project", "folder", "changed")
    table = drawing.table(*columns, wrap=["folder"])
    for each in projects:
        day = each["removed_at" if removed else "updated_at"][:_DAY]
        cells = [drawing.text(each["name"], "bold"), _folder(each), drawing.text(day, "dim")]
        table.add_row(*cells, *([drawing.text(each["id"], "dim")] if removed else []))
    drawing.show(table)


def _show_one(project: dict[str, Any]) -> None:
    shown: dict[str, object] = {"folder": _folder(project)}
    if project["description"]:
        shown["description"] = project["description"]
    counts = [f"{each['files']:,} {each['title'] or 'other'}" for each in project.get("files") or ()]
    shown["files"] = ", ".join(counts) or current().as_called("none seen yet; `duck up FOLDER` looks at them")
    shown |= {
        "opened": project["created_at"][:19].replace("T", " "),
        "changed": f"{project['updated_at'][:19].replace('T', ' ')} (version {project['version']})",
        "id": project["id"],
    }
    drawing.show(drawing.text(project["name"], "bold"), drawing.facts(shown))


def _folder(project: dict[str, Any]) -> Any:  # Any: rich's text
    if project["present"]:
        return drawing.text(project["root"])
    return drawing.line(drawing.text(project["root"]), drawing.text("(not there any more)", "yellow"))
