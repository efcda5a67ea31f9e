"""What is wrong with a value in the settings, in our words instead of those of the library that checks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_PLACED: Final = re.compile(r"(?P<what>.*) - at `\$?\.?(?P<key>[^`]*)`", re.DOTALL)
_WRONG_TYPE: Final = re.compile(r"Expected `(?P<wanted>[\w |]+)`, got `(?P<given>\w+)`")
_BEYOND: Final = re.compile(r"Expected `(?P<wanted>\w+)` (?P<sign>[<>]=?) (?P<limit>\S+)")
_TOO_LONG: Final = re.compile(r"Expected `(?P<wanted>\w+)` of length (?P<sign>[<>]=?) (?P<limit>\d+)")
_MISSING: Final = re.compile(r"Object missing required field `(?P<key>\w+)`")

_WORDS: Final = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
_GIVEN: Final = _WORDS | {"date": "a date", "datetime": "a moment", "time": "a time"}
_SIGNS: Final = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}


def in_our_words(message: str, table: Mapping[str, Any], fits: Callable[[Any], bool]) -> tuple[str, str]:
    """The dotted key at fault and what is wrong, from msgspec's message about `table`; the key may be empty.

    msgspec does not name keys that people choose, such as those of rules: `fits` tells whether a value could stand
    there, and so which one is meant.
    """
    placed = _PLACED.fullmatch(message)
    if placed is None:
        return "", message
    what, key = placed["what"], _named(placed["key"], table, fits)
    if found := _WRONG_TYPE.fullmatch(what):
        wanted = [_WORDS.get(each, each) for each in found["wanted"].split(" | ")]
        listed = " or ".join([", ".join(wanted[:-1]), wanted[-1]] if len(wanted) > 1 else wanted)
        return key, f"is {_GIVEN.get(found['given'], found['given'])}; write {listed}"
    if found := _BEYOND.fullmatch(what):
        limit = found["limit"].removesuffix(".0")
        shown = f"{int(limit):,}" if limit.lstrip("-").isdecimal() else limit
        of = "of " if found["sign"].endswith("=") else ""
        return key, f"is out of bounds; write {_WORDS[found['wanted']]} {of}{_SIGNS[found['sign']]} {shown}"
    if found := _TOO_LONG.fullmatch(what):
        of = "entries" if found["wanted"] == "array" else "characters"
        return key, f"has a wrong length; write {_SIGNS[found['sign']]} {int(found['limit']):,} {of}"
    if found := _MISSING.fullmatch(what):
        return key, f"lacks `{found['key']}`; add it"
    return key, f"is wrong: {what}"


def _named(key: str, table: Mapping[str, Any], fits: Callable[[Any], bool]) -> str:
    """`analysis.rules[...][...]` with the names of the first rule and option that do not fit."""
    place, unnamed, rest = key.partition("[...]")
    if not unnamed:
        return key
    held: Any = table  # Any: TOML values of any shape
    for part in place.split("."):
        held = held[part]
    for name, options in held.items():
        if not isinstance(options, Mapping):
            return f"{place}.{name}"
        for option, value in options.items():
            if not fits(value):
                return f"{place}.{name}.{option}{rest.removeprefix('[...]')}"
    return key
