"""Reads settings: defaults, then the profile's, then the user's duck.toml, then `DUCK_*` variables.

An unknown key anywhere is an error that names the nearest known one.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from rubber_duck.errors import InvalidSettings, did_you_mean
from rubber_duck.settings.tree import PROFILES, PROJECT_SECTIONS, Section, Settings

RESERVED_VARIABLES: Final[dict[str, str]] = {
    "DUCK_CONFIG": "The settings file to read instead of `duck.toml` in the home folder.",
    "DUCK_FAULT": "Kills the process at a named fault point; for tests.",
    "DUCK_BENCH_DATA": "The folder with the public cases that benchmarks run over.",
}
"""`DUCK_` variables that are not settings of the tree."""

_Table = dict[str, Any]  # Any: TOML values of any shape, checked by msgspec.convert below


def home_folder(environment: Mapping[str, str]) -> Path:
    """`$DUCK_HOME`, or `~/.rubber_duck`; it need not exist."""
    chosen = environment.get("DUCK_HOME")
    return Path(chosen).absolute() if chosen else Path.home() / ".rubber_duck"


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings for this process; raises InvalidSettings with the file and the key at fault."""
    environment = os.environ if environment is None else environment
    home = home_folder(environment)
    explicit = environment.get("DUCK_CONFIG")
    path = Path(explicit) if explicit else home / "duck.toml"
    written = _read(path, required=explicit is not None)
    if "home" in written:
        raise InvalidSettings(f"{path}: 'home' is set by the environment variable DUCK_HOME alone, not in a file")
    profiles = written.pop("profiles", {})
    _check_profiles(profiles, str(path))
    _check_keys(Settings, written, str(path))
    variables = _from_environment(environment)
    profile = variables.get("profile", written.get("profile", "dev"))
    if profile not in PROFILES:
        raise InvalidSettings(f"there is no profile {profile!r}; the profiles are {', '.join(PROFILES)}")
    table: _Table = {}
    for layer in (PROFILES[profile], written, profiles.get(profile, {})):
        table = _merged(table, layer)
    _convert(table, str(path))  # so that a wrong value is blamed on the file, not on the environment
    settings = _convert(_merged(table, variables), "the DUCK_ environment variables", strict=False)
    return _with_home(settings, home)


def with_project(settings: Settings, content: bytes, where: str) -> Settings:
    """`settings` with a project's own duck.toml laid over them.

    Only `[analysis]`, `[index]` and `[context]` are allowed in it; anything else raises InvalidSettings.
    """
    table = _parse(content, where)
    for key in table:
        if key not in PROJECT_SECTIONS:
            allowed = ", ".join(f"[{name}]" for name in PROJECT_SECTIONS)
            raise InvalidSettings(
                f"{where}: a project's own duck.toml may set only {allowed}, not {key!r}"
                f"{did_you_mean(key, PROJECT_SECTIONS)}; move it to your own duck.toml"
            )
    _check_keys(Settings, table, where)
    current: _Table = msgspec.to_builtins(settings)
    return _convert(_merged(current, table), where)


def public(settings: Settings) -> dict[str, Any]:  # Any: TOML values
    """The settings as builtins for showing to people, passwords in URLs replaced by `***`."""
    table: _Table = msgspec.to_builtins(settings)
    for field in msgspec.structs.fields(Settings):
        section = _section_of(field.type)
        for inner in msgspec.structs.fields(section) if section else ():
            if _is_secret_url(inner.type):
                table[field.name][inner.name] = without_password(table[field.name][inner.name])
    return table


def without_password(url: str) -> str:
    """`url` with the password replaced by `***`."""
    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", url)


def environment_name(*keys: str) -> str:
    """The variable for a key: `("database", "pool_max")` → `DUCK_DATABASE_POOL_MAX`."""
    return "_".join(("DUCK", *keys)).upper()


def _read(path: Path, *, required: bool) -> _Table:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if required:
            raise InvalidSettings(f"there is no settings file {str(path)!r} (named by DUCK_CONFIG)") from None
        return {}
    except OSError as error:
        raise InvalidSettings(f"the settings file {str(path)!r} cannot be read: {error.strerror}") from error
    return _parse(content, str(path))


def _parse(content: bytes, where: str) -> _Table:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"{where}: not valid UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(f"{where}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise InvalidSettings(f"{where}: nested too deeply") from error


def _check_profiles(profiles: object, where: str) -> None:
    if not isinstance(profiles, dict):
        raise InvalidSettings(f"{where}: `profiles` must be tables such as [profiles.prod.log]")
    for name, table in profiles.items():
        if name not in PROFILES or not isinstance(table, dict):
            known = ", ".join(PROFILES)
            raise InvalidSettings(f"{where}: there is no profile {name!r}; the profiles are {known}")
        _check_keys(Settings, table, where, prefix=f"profiles.{name}.")


def _check_keys(section: type[Section], table: object, where: str, prefix: str = "") -> None:
    """Raise for the first key of `table` that `section` does not have; values are checked by msgspec."""
    if not isinstance(table, dict):
        raise InvalidSettings(f"{where}: `{prefix.rstrip('.')}` must be a table")
    fields = {field.name: field.type for field in msgspec.structs.fields(section)}
    for key, value in table.items():
        if key not in fields:
            near = did_you_mean(f"{prefix}{key}", [prefix + name for name in fields])
            raise InvalidSettings(f"{where}: there is no setting {prefix + key!r}{near}")
        nested = _section_of(fields[key])
        if nested is not None:
            for each in value if isinstance(value, list) else [value]:
                _check_keys(nested, each, where, prefix=f"{prefix}{key}.")


def _is_secret_url(annotation: Any) -> bool:  # Any: annotations have no common type
    return any(isinstance(note, msgspec.Meta) and (note.extra or {}).get("secret") for note in get_args(annotation))


def _section_of(annotation: Any) -> type[Section] | None:  # Any: annotations have no common type
    for inner in (annotation, *get_args(annotation)):
        if isinstance(inner, type) and issubclass(inner, Section):
            return inner
        deeper = next((arg for arg in get_args(inner) if isinstance(arg, type)), None)
        if deeper is not None and issubclass(deeper, Section):
            return deeper
    return None


def _from_environment(environment: Mapping[str, str]) -> _Table:
    known: dict[str, tuple[str, str | None, bool]] = {}
    for field in msgspec.structs.fields(Settings):
        section = _section_of(field.type)
        if section is None:
            known[environment_name(field.name)] = (field.name, None, False)
            continue
        for inner in msgspec.structs.fields(section):
            listed = "tuple[" in str(inner.type)
            known[environment_name(field.name, inner.name)] = (field.name, inner.name, listed)
    table: _Table = {}
    for variable, text in environment.items():
        if not variable.startswith("DUCK_") or variable in RESERVED_VARIABLES:
            continue
        if variable not in known:
            near = did_you_mean(variable, [*known, *RESERVED_VARIABLES])
            raise InvalidSettings(f"the environment variable {variable} is not a setting{near}")
        section_name, key, listed = known[variable]
        value = [part.strip() for part in text.split(",") if part.strip()] if listed else text
        if key is None:
            table[section_name] = value
        else:
            table.setdefault(section_name, {})[key] = value
    return table


def _merged(below: _Table, above: Mapping[str, Any]) -> _Table:  # Any: see _Table
    """`above` laid over `below`: tables are merged, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        held = result.get(key)
        both = isinstance(held, dict) and isinstance(value, Mapping)
        result[key] = _merged(held, value) if both and held is not None else value
    return result


def _convert(table: _Table, where: str, *, strict: bool = True) -> Settings:
    try:
        return msgspec.convert(table, Settings, strict=strict)
    except msgspec.ValidationError as error:
        message = str(error).replace("`$.", "`")
        raise InvalidSettings(f"{where}: {message}") from error


def _with_home(settings: Settings, home: Path) -> Settings:
    settings = msgspec.structs.replace(settings, home=str(home))
    if settings.database.url:
        return settings
    database = msgspec.structs.replace(settings.database, url=f"sqlite:///{home / 'duck.db'}")
    return msgspec.structs.replace(settings, database=database)
