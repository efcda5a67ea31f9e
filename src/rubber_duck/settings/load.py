"""Reads settings: defaults, the profile's, the user's duck.toml, its [profiles.x], a project's own, `DUCK_*` variables.

Each is laid over the one before. An unknown key anywhere is an error that names the nearest known one.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from rubber_duck.errors import InvalidSettings, did_you_mean
from rubber_duck.settings.mistakes import in_our_words
from rubber_duck.settings.secrets import is_secret, shown
from rubber_duck.settings.tree import PROFILES, PROJECT_SECTIONS, Option, Section, Settings, is_filled

RESERVED_VARIABLES: Final[dict[str, str]] = {
    "DUCK_CONFIG": "The settings file to read instead of `duck.toml` in the home folder.",
    "DUCK_API_KEY": "The key for a server, instead of the one that `duck login` kept.",
    "DUCK_SERVER": "Which server answers commands: its name, its address, or `local` for this process.",
    "DUCK_PROJECT": "The project on a server that is meant where none is named.",
    "DUCK_FAULT": "Kills the process at a named fault point; for tests.",
    "DUCK_BENCH_DATA": "The folder with the public cases that benchmarks run over.",
    "DUCK_BENCH_DJANGO": "The unpacked source distribution of Django that benchmarks run over.",
}
"""`DUCK_` variables that are not settings of the tree."""

_LIMIT_BYTES: Final = 64_000
_DOTS: Final = 16
_DEEP_KEY: Final = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_DOTS + 1}}}""",
    re.ASCII,
)
"""A dotted key of too many parts: tomllib takes quadratic time over them, 20 s for 80 kB."""

_VARIABLES: Final = "the DUCK_ environment variables"
_WRONG_CHOICE: Final = re.compile(r"Invalid enum value (?P<value>.*) - at `(?P<key>[\w.]+)`", re.DOTALL)

_Table = dict[str, Any]  # Any: TOML values of any shape, checked by msgspec.convert below


def home_folder(environment: Mapping[str, str]) -> Path:
    """`$DUCK_HOME`, or `~/.rubber_duck`; it need not exist. Raises InvalidSettings for a user who has no home."""
    chosen = environment.get("DUCK_HOME")
    if chosen:
        return Path(chosen).absolute()
    try:
        return Path.home() / ".rubber_duck"
    except RuntimeError as error:
        raise InvalidSettings(
            "this user has no home folder; set DUCK_HOME to a folder that RubberDuck may write"
        ) from error


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
    if not isinstance(profile, str) or profile not in PROFILES:
        raise InvalidSettings(f"there is no profile {profile!r}; the profiles are {', '.join(PROFILES)}")
    tables = {each: _merged(_merged(PROFILES[each], written), profiles.get(each, {})) for each in PROFILES}
    for table in tables.values():
        _convert(table, str(path))  # a wrong value is blamed on the file, also one that only prod would meet
    settings = _convert(_merged(tables[profile], variables), _VARIABLES, strict=False)
    return _with_home(msgspec.structs.replace(settings, pinned=_keys(variables), file=str(path)), home)


def with_project(settings: Settings, content: bytes, where: str) -> Settings:
    """`settings` with a project's own duck.toml laid over them, but not over what `DUCK_*` variables set.

    Only `[analysis]`, `[index]` and `[context]` are allowed in it, and a megabyte; anything else raises
    InvalidSettings.
    """
    if len(content) > _LIMIT_BYTES:
        raise InvalidSettings(f"{where}: larger than {_LIMIT_BYTES:,} bytes; leave out what is not needed")
    table = _parse(content, where)
    for key in table:
        if key not in PROJECT_SECTIONS:
            allowed = ", ".join(f"[{name}]" for name in PROJECT_SECTIONS)
            hint = did_you_mean(key, PROJECT_SECTIONS) or "; move it to your own duck.toml"
            raise InvalidSettings(f"{where}: a project's own duck.toml may set only {allowed}, not {_short(key)}{hint}")
    _check_keys(Settings, table, where)
    current: _Table = msgspec.to_builtins(settings)
    merged = _merged(current, table)
    _convert(merged, where)
    return _convert(_merged(merged, _only(current, settings.pinned)), where)


def public(settings: Settings) -> dict[str, Any]:  # Any: TOML values
    """The settings as builtins for showing to people, passwords in URLs replaced by `***`."""
    table: _Table = msgspec.to_builtins(settings)
    _hide(settings, table)
    for field in msgspec.structs.fields(Settings):
        if is_filled(field.type):
            del table[field.name]
    return table


def _hide(section: Section, table: _Table) -> None:
    """Replace what is secret in a table made of `section`, and in the tables within it."""
    for field in msgspec.structs.fields(type(section)):
        value = getattr(section, field.name)
        if is_secret(field.type):
            table[field.name] = shown(field.type, value)
        elif isinstance(value, Section):
            _hide(value, table[field.name])
        elif isinstance(value, dict):
            for name, each in value.items():
                if isinstance(each, Section):
                    _hide(each, table[field.name][name])


def environment_name(*keys: str) -> str:
    """The variable for a key: `("database", "pool_max")` → `DUCK_DATABASE_POOL_MAX`."""
    return "_".join(("DUCK", *keys)).upper()


def _read(path: Path, *, required: bool) -> _Table:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise InvalidSettings(f"there is no settings file {str(path)!r} (named by DUCK_CONFIG)") from None
        return {}
    except OSError as error:
        raise InvalidSettings(f"the settings file {str(path)!r} cannot be read: {error.strerror}") from error
    return _parse(content, str(path))


def _parse(content: bytes, where: str) -> _Table:
    try:
        text = content.decode()
        if _DEEP_KEY.search(text):
            raise InvalidSettings(f"{where}: a key has more than {_DOTS} dots; no setting is that deep")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"{where}: not valid UTF-8 at byte {error.start}") from error
    except ValueError as error:  # TOMLDecodeError, and what `int` says of a number of many thousand digits
        raise InvalidSettings(f"{where}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise InvalidSettings(f"{where}: nested too deeply") from error


def _check_profiles(profiles: object, where: str) -> None:
    if not isinstance(profiles, dict):
        raise InvalidSettings(f"{where}: `profiles` must be tables such as [profiles.prod.log]")
    for name, table in profiles.items():
        if name not in PROFILES:
            known = ", ".join(PROFILES)
            raise InvalidSettings(f"{where}: there is no profile {_short(name)}; the profiles are {known}")
        _check_keys(Settings, table, where, prefix=f"profiles.{name}.")
        for key in ("profile", "home"):
            if key in table:
                raise InvalidSettings(f"{where}: {key!r} cannot be set by [profiles.{name}]; take it out")


def _check_keys(section: type[Section], table: object, where: str, prefix: str = "") -> None:
    """Raise for the first key of `table` that `section` does not have; values are checked by msgspec."""
    if not isinstance(table, dict):
        raise InvalidSettings(f"{where}: `{prefix.rstrip('.')}` must be a table")
    fields = {field.name: field.type for field in msgspec.structs.fields(section) if not is_filled(field.type)}
    for key, value in table.items():
        if key not in fields:
            near = did_you_mean(f"{prefix}{key}", [prefix + name for name in fields])
            raise InvalidSettings(f"{where}: there is no setting {_short(prefix + key)}{near}")
        nested = _section_of(fields[key])
        if nested is not None:
            for each in value if isinstance(value, list) else [value]:
                _check_keys(nested, each, where, prefix=f"{prefix}{key}.")


def _short(name: str) -> str:
    """A name from outside as a message shows it: quoted, its beginning only."""
    return repr(_cut(name))


def _cut(name: str) -> str:
    return name if len(name) <= 100 else f"{name[:100]}…"


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
        if is_filled(field.type):
            continue
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


def _keys(variables: _Table) -> tuple[str, ...]:
    """The dotted names of what the variables set."""
    return tuple(
        f"{name}.{key}" if isinstance(value, dict) else name
        for name, value in sorted(variables.items())
        for key in (sorted(value) if isinstance(value, dict) else [name])
    )


def _only(table: _Table, keys: Iterable[str]) -> _Table:
    """Of `table`, the values with these dotted names of at most two parts."""
    result: _Table = {}
    for dotted in keys:
        name, _, key = dotted.partition(".")
        if key:
            result.setdefault(name, {})[key] = table[name][key]
        else:
            result[name] = table[name]
    return result


def _convert(table: _Table, where: str, *, strict: bool = True) -> Settings:
    try:
        return msgspec.convert(table, Settings, strict=strict)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"{where}: {_explained(error, table, where)}") from error
    except UnicodeEncodeError as error:
        raise InvalidSettings(f"{where}: a value is not valid UTF-8") from error


def _explained(error: msgspec.ValidationError, table: _Table, where: str) -> str:
    """The key and what is wrong with it, with the choices, which msgspec does not name, as they were declared."""
    message = str(error).replace("`$.", "`")
    wrong = _WRONG_CHOICE.fullmatch(message)
    if wrong is None:
        key, said = in_our_words(message, table, _is_option)
        if where == _VARIABLES and key.count(".") <= 1:
            key = environment_name(*key.split("."))
        return f"`{_cut(key)}` {said}" if key else said
    *sections, key = wrong["key"].split(".")
    section: type[Section] = Settings
    for name in sections:
        section = _section_of(_annotation(section, name)) or section
    choices = next(get_args(each) for each in get_args(_annotation(section, key)) if get_origin(each) is Literal)
    place = environment_name(*sections, key) if where == _VARIABLES else wrong["key"]
    return f"`{place}` is {wrong['value']}; write one of {', '.join(choices)}"


def _is_option(value: object) -> bool:
    try:
        msgspec.convert(value, Option)
    except msgspec.ValidationError:
        return False
    return True


def _annotation(section: type[Section], name: str) -> Any:  # Any: annotations have no common type
    return next(field.type for field in msgspec.structs.fields(section) if field.name == name)


def _with_home(settings: Settings, home: Path) -> Settings:
    settings = msgspec.structs.replace(settings, home=str(home))
    if settings.database.url:
        return settings
    database = msgspec.structs.replace(settings.database, url=f"sqlite:///{home / 'duck.db'}")
    return msgspec.structs.replace(settings, database=database)
