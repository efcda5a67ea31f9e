"""The rules that run, with their options, and a fingerprint that changes when any of them does."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from rubber_duck.analysis.rule import Rule, rules
from rubber_duck.code.language import languages
from rubber_duck.errors import InvalidSettings, UnknownName, did_you_mean, normalize

Options = Mapping[str, Mapping[str, object]]

_OWN_PACKAGES: Final = ("rubber_duck.analysis", "rubber_duck.code")
"""A change to any file of these packages can change a result."""

_WORDS: Final[Mapping[type, str]] = {
    bool: "true or false,",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list of texts",
}


class RuleSet:
    """One instance of each rule, made with the options of `[analysis.rules.<name>]`; none of any `without_rules`."""

    def __init__(self, options: Options, *, without_rules: bool = False) -> None:
        """Raises UnknownName for an unknown rule, InvalidSettings for an unknown or mistyped option."""
        known = () if without_rules else rules.discover()
        if not without_rules:
            check_options(options, "duck.toml")
        made = (_made(name, options.get(name, {})) for name in known)
        self.rules: tuple[Rule, ...] = tuple(rule for rule in made if rule is not None)
        chosen = sorted((name, sorted(values.items())) for name, values in options.items() if values)
        self.fingerprint = hashlib.blake2b(f"{program_digest()} {chosen}".encode(), digest_size=16).hexdigest()

    def of(self, language: str, family: str) -> list[tuple[Rule, tuple[str, ...]]]:
        """The rules for a language, each with the node kinds it wants there."""
        chosen: list[tuple[Rule, tuple[str, ...]]] = []
        for rule in self.rules:
            kinds = (*rule.kinds.get(language, ()), *(rule.kinds.get(family, ()) if family != language else ()))
            if kinds:
                chosen.append((rule, kinds))
        return chosen


def _made(name: str, options: Mapping[str, object]) -> Rule | None:
    """The rule of that name; None for one of another distribution that cannot be made, which is left out."""
    try:
        return rules[name](dict(options))
    except Exception as error:
        if not rules.leave_out(name, f"it cannot be made: {normalize(error).message}"):
            raise
        return None


@cache
def program_digest() -> str:
    """A digest of the source of everything that decides what is found: this package, `code`, other rules' modules."""
    digest = hashlib.blake2b(digest_size=16)
    for package in _OWN_PACKAGES:
        found = importlib.util.find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(path.read_bytes())
    for plugin in (*rules.discover().values(), *languages.discover().values()):
        if not plugin.__module__.startswith(_OWN_PACKAGES):
            origin = getattr(importlib.util.find_spec(plugin.__module__), "origin", None)
            digest.update(Path(origin).read_bytes() if origin else plugin.__qualname__.encode())
    return digest.hexdigest()


def check_options(options: Options, where: str) -> None:
    """Raise as RuleSet for the first thing wrong in the `[analysis.rules]` of the file `where`."""
    known = rules.discover()
    for name, given in options.items():
        if name in rules.left_out:
            continue  # it was said already, and stops nothing
        if name not in known:
            place = f" (in [analysis.rules] of {where})"
            raise UnknownName.among("rule", name, known, where=place, hint=rules.hint)
        for key, value in given.items():
            _check_option(known[name], key, value, where)


def _check_option(rule: type[Rule], key: str, value: object, where: str) -> None:
    table = f"[analysis.rules.{rule.name}]"
    if key not in rule.options:
        listed = f"; there {'is' if len(rule.options) == 1 else 'are'} {', '.join(rule.options)}"
        advice = did_you_mean(key, rule.options) or (listed if rule.options else "; the rule has none, take it out")
        raise InvalidSettings(f"{where}: {table} has no option {key!r}{advice}")
    default = rule.options[key]
    wanted = type(default)
    is_whole = wanted is float and isinstance(value, int)  # TOML's 4 is as good as 4.0
    if not (isinstance(value, wanted) or is_whole) or (isinstance(value, bool) and wanted is not bool):
        written, example = (json.dumps(each, ensure_ascii=False) for each in (value, default))
        raise InvalidSettings(f"{where}: {key} of {table} is {written}; write {_WORDS[wanted]} such as {example}")
