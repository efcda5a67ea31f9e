"""The order in which choices were declared, which msgspec's types and schemas lose: severities go by severity."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from enum import Enum
from types import UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

Choices: TypeAlias = Mapping[frozenset[Any], tuple[Any, ...]]  # Any: texts and numbers
"""The values of each Literal and Enum, as a set → in the order of the declaration."""


def choices_of(declared: type[msgspec.Struct] | UnionType) -> Choices:
    """The choices anywhere in a Struct, or in a union of them."""
    found: dict[frozenset[Any], tuple[Any, ...]] = {}  # Any: as in Choices
    waiting: list[Any] = [declared]  # Any: annotations have no common type
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if get_origin(each) is Literal:
            found.setdefault(frozenset(get_args(each)), get_args(each))
        elif isinstance(each, type) and issubclass(each, Enum):
            values = tuple(member.value for member in each)
            found.setdefault(frozenset(values), values)
        elif isinstance(each, type) and issubclass(each, msgspec.Struct):
            waiting += get_type_hints(each, include_extras=True).values()
        else:
            waiting += get_args(each)
    return found


def in_order(schema: Any, choices: Choices) -> Any:  # Any: a JSON Schema is a tree of plain JSON
    """A JSON Schema whose `enum` lists are in the order of the declaration.

    Descriptions that are docstrings lose their indentation, which Python itself takes away from 3.13 on.
    """
    match schema:
        case {"enum": [*values], **rest}:
            return in_order(rest, choices) | {"enum": list(choices.get(frozenset(values), values))}
        case dict():
            return {
                key: inspect.cleandoc(value)
                if key == "description" and isinstance(value, str)
                else in_order(value, choices)
                for key, value in schema.items()
            }
        case list():
            return [in_order(each, choices) for each in schema]
        case _:
            return schema
