"""The fields of a request as click parameters, and the values of those as a request."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec
from msgspec import inspect

from rubber_duck.cli.program import current_folder
from rubber_duck.engines.choices import Choices
from rubber_duck.workspace.paths import absolute

_LISTS: Final = (inspect.VarTupleType, inspect.ListType, inspect.SetType, inspect.FrozenSetType)


class Json(click.ParamType[Any]):  # Any: whatever the text says
    """For fields that no simpler option fits: their value as JSON."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Builtins from JSON text."""
        if not isinstance(value, str):
            return value
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError as error:
            return self.fail(f"{value!r} is not JSON: {error}", param, ctx)


def parameter_of(field: inspect.Field, taken: set[str], choices: Choices) -> click.Parameter:
    """The argument or option for one field.

    What decides is its type, `Meta(description=…)` for the help, and of `Meta(extra=…)` the keys `"argument"`
    (positional) and `"path"` (made absolute; the shell completes file names). An option whose name is among
    `taken` is called `--request-…` instead. `choices` give the order in which values are offered.
    """
    inner, extra, description = _unwrapped(field.type)
    listed = isinstance(inner, _LISTS)
    kind = _kind(_item(inner) if listed else inner, extra, choices)
    if extra.get("argument"):
        return click.Argument(
            [field.name],
            nargs=-1 if listed else 1,
            required=field.required,
            type=kind,
            help=description,
            metavar=field.encode_name.replace("_", "-").upper(),
        )
    name = "--" + field.encode_name.replace("_", "-")
    if name in taken or name == "--help":
        name = "--request-" + name[2:]
    declaration = f"{name}/--no-{name[2:]}" if kind is click.BOOL and not listed else name
    more: dict[str, Any] = {"required": True} if field.required else {"default": None}
    return click.Option(
        [declaration, field.name], type=kind, multiple=listed, help=_with_default(description, field), **more
    )


def request_from(fields: Sequence[inspect.Field], values: dict[str, Any]) -> dict[str, Any]:
    """The request as builtins; what was not given is left to the request's own defaults.

    A field marked `extra={"directory": True}` that was not given is the current folder.
    """
    request: dict[str, Any] = {}
    for field in fields:
        _, extra, _ = _unwrapped(field.type)
        value = values.get(field.name)
        if value is None or (value == () and not field.required):
            if extra.get("directory"):
                request[field.encode_name] = current_folder()
            continue
        if extra.get("path"):
            value = [_absolute(each) for each in value] if isinstance(value, tuple) else _absolute(value)
        request[field.encode_name] = list(value) if isinstance(value, tuple) else value
    return request


def _absolute(path: str) -> str:
    return os.path.normpath(absolute(path, "")) if path else path


def _unwrapped(declared: inspect.Type) -> tuple[inspect.Type, dict[str, Any], str]:
    """The type without annotations and without None, what `extra` says, and the description."""
    extra: dict[str, Any] = {}
    description = ""
    while True:
        if isinstance(declared, inspect.Metadata):
            extra |= declared.extra or {}
            description = description or (declared.extra_json_schema or {}).get("description", "")
            declared = declared.type
        elif isinstance(declared, inspect.UnionType):
            others = [each for each in declared.types if not isinstance(each, inspect.NoneType)]
            if len(others) != 1:
                return declared, extra, description
            declared = others[0]
        else:
            return declared, extra, description


def _item(listed: inspect.Type) -> inspect.Type:
    assert isinstance(listed, _LISTS)
    return _unwrapped(listed.item_type)[0]


def _kind(
    declared: inspect.Type, extra: dict[str, Any], choices: Choices
) -> click.ParamType[Any]:  # Any: of whichever values
    match declared:
        case inspect.BoolType():
            return click.BOOL
        case inspect.IntType():
            return click.IntRange(min=_above(declared.gt, declared.ge), max=_below(declared.lt, declared.le))
        case inspect.FloatType():
            return click.FLOAT
        case inspect.StrType():
            return click.Path(path_type=str) if extra.get("path") else click.STRING
        case inspect.LiteralType() if all(isinstance(each, str) for each in declared.values):
            return click.Choice([str(each) for each in choices.get(frozenset(declared.values), declared.values)])
        case inspect.EnumType():
            return click.Choice([str(each.value) for each in declared.cls])
        case _:
            return Json()


def _above(more_than: float | None, at_least: float | None) -> int | None:
    if at_least is not None:
        return int(at_least)
    return None if more_than is None else int(more_than) + 1


def _below(less_than: float | None, at_most: float | None) -> int | None:
    if at_most is not None:
        return int(at_most)
    return None if less_than is None else int(less_than) - 1


def _with_default(description: str, field: inspect.Field) -> str:
    default = field.default
    if field.required or default is msgspec.NODEFAULT or default in ((), "", None):
        return description
    shown = {True: "yes", False: "no"}.get(default, default) if isinstance(default, bool) else default
    return f"{description}  [default: {shown}]".lstrip()
