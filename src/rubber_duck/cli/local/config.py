"""Show the settings and where each comes from, or check them."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import current
from rubber_duck.errors import UnknownName
from rubber_duck.settings import Settings, environment_name, home_folder, load, public, with_project
from rubber_duck.settings.tree import PROFILES

PROJECT_FILE: Final = "duck.toml"
_FILE_LIMIT_BYTES: Final = 1_000_000
_EMPTY: Final = "nothing is set here"
_Table = Mapping[str, Any]  # Any: TOML values


@click.group(cls=Group, name="config")
def command() -> None:
    """Show the settings and where each comes from, or check them."""


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(as_json: bool) -> None:
    """Show every setting as TOML, and behind those that are not defaults where they come from.

    Passwords are masked. Without them, the output can be used as a duck.toml.
    """
    settings = load()
    shown = public(settings)
    if as_json:
        drawing.machine(shown)
        return
    origin = Origins(os.environ, settings.profile)
    dim, end = ("\x1b[2m", "\x1b[0m") if terminal.wants_color(sys.stdout, current().color) else ("", "")
    terminal.write(f"{dim}# {origin.about_file()}{end}")
    for line, comment in _toml_lines(shown, origin):
        terminal.write(f"{line:<44}  {dim}# {comment}{end}" if comment else f"{line}\n")


@command.command("check")
@click.argument("project", default="", type=click.Path(), help="A folder whose own duck.toml is checked too.")
def check(project: str) -> int:
    """Check the settings: your own duck.toml, the DUCK_ variables and, if a PROJECT is given, its duck.toml."""
    settings = load()
    path = settings_file(os.environ)
    _check_names(settings, str(path))
    terminal.write(f"✓ {path}" if path.exists() else f"✓ no {path}: defaults and DUCK_ variables hold")
    if not project:
        return 0
    from rubber_duck.workspace.paths import Root  # noqa: PLC0415  # only where a project is given

    root = Root(project)
    own = root.path / PROJECT_FILE
    if not own.exists():
        terminal.write(f"✓ no {own}: your own settings hold")
        return 0
    _check_names(with_project(settings, root.open_bytes(PROJECT_FILE, _FILE_LIMIT_BYTES), str(own)), str(own))
    terminal.write(f"✓ {own}")
    return 0


def settings_file(environment: Mapping[str, str]) -> Path:
    """The user's duck.toml; it need not exist."""
    explicit = environment.get("DUCK_CONFIG")
    return Path(explicit).absolute() if explicit else home_folder(environment) / PROJECT_FILE


class Origins:
    """Tells where a setting's value comes from."""

    def __init__(self, environment: Mapping[str, str], profile: str) -> None:
        self._environment = environment
        self._profile = profile
        self._path = settings_file(environment)
        self._written: _Table = tomllib.loads(self._path.read_text()) if self._path.exists() else {}

    def about_file(self) -> str:
        """The settings file, and whether there is one."""
        return f"{self._path}" if self._path.exists() else f"{self._path} does not exist"

    def of(self, *keys: str) -> str:
        """In words, for a comment; empty for a default."""
        variable = environment_name(*keys)
        if variable in self._environment:
            return variable
        if _holds(self._written.get("profiles", {}).get(self._profile, {}), keys):
            return f"{self._path.name}, [profiles.{self._profile}]"
        if _holds(self._written, keys):
            return self._path.name
        if _holds(PROFILES[self._profile], keys):
            return f"profile {self._profile}"
        return ""


def _holds(table: Any, keys: tuple[str, ...]) -> bool:  # Any: TOML values
    for key in keys:
        if not isinstance(table, Mapping) or key not in table:
            return False
        table = table[key]
    return True


def _toml_lines(shown: _Table, origin: Origins) -> Iterator[tuple[str, str]]:
    """Lines of TOML, each with where its value comes from."""
    yield f"# home = {_value(shown['home'])}", origin.of("home") or "set by DUCK_HOME alone"
    plain = {key: value for key, value in shown.items() if not isinstance(value, Mapping) and key != "home"}
    for key, value in plain.items():
        yield f"{key} = {_value(value)}", origin.of(key)
    for name, section in shown.items():
        if not isinstance(section, Mapping):
            continue
        nested = {key: value for key, value in section.items() if isinstance(value, Mapping)}
        flat = {key: value for key, value in section.items() if key not in nested}
        if flat or not nested:
            yield "", ""
            yield f"[{name}]", "" if flat else _EMPTY
        for key, value in flat.items():
            yield f"{key} = {_value(value)}", origin.of(name, key)
        yield from _nested_lines(name, nested, origin)


def _nested_lines(name: str, nested: _Table, origin: Origins) -> Iterator[tuple[str, str]]:
    """`[analysis.rules.x]`, `[engines.x]` as somebody wrote them; an empty table is shown, so that it is known of."""
    for key, table in nested.items():
        inner = table if all(isinstance(each, Mapping) for each in table.values()) and table else {"": table}
        for last, values in inner.items():
            yield "", ""
            yield f"[{'.'.join(_key(part) for part in (name, key, last) if part)}]", "" if values else _EMPTY
            for option, value in values.items():
                yield f"{_key(option)} = {_value(value)}", origin.of(name, key, *([last] if last else []))


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: Any) -> str:  # Any: TOML values
    match value:
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case str():
            # JSON's strings are TOML's, but for DEL, which TOML wants escaped
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return json.dumps(value)


def _check_names(settings: Settings, where: str) -> None:
    """Raise for what only the plug-ins know: names of engines and rules, and their options, in the file `where`."""
    from rubber_duck.analysis.rule import rules  # noqa: PLC0415  # rules and grammars
    from rubber_duck.analysis.rule_set import check_options  # noqa: PLC0415  # as above
    from rubber_duck.analysis.selection import selection  # noqa: PLC0415  # as above
    from rubber_duck.engines.engine import engine_settings, engines  # noqa: PLC0415  # as above

    known = engines.discover()
    for name, table in settings.engines.items():
        if name in known.left_out:
            continue  # `duck doctor` says why, and nothing is stopped by it
        if name not in known:
            raise UnknownName.among("engine", name, known, where=f" (in [engines] of {where})", hint=known.hint)
        engine_settings(known[name], table)
    check_options(settings.analysis.rules, where)
    selection(settings.analysis, only=(), known=rules.discover())
