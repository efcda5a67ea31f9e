"""What a project's own duck.toml keeps from a report, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rubber_duck.analysis.report.model import Narrowing
from rubber_duck.analysis.report.words import counted
from rubber_duck.analysis.visible import shortened, visible_name

CAVEAT: Final = "rules narrowed by the project's duck.toml"
"""What stands behind "No findings" when that is no all-clear."""

_NAMES_SHOWN: Final = 3
_NAME_CHARACTERS: Final = 60


def sentences(narrowing: Narrowing) -> tuple[str, ...]:
    """One or two sentences that name the first few rules and places, and a number of findings if there is one."""
    said: list[str] = []
    if narrowing.off:
        names = "all rules" if narrowing.is_total else _few(narrowing.off)
        said.append(f"Switched off by the project's duck.toml: {names}.")
    narrowed = [_first([f"{_name(each.path)} without {_few(each.rules)}" for each in narrowing.paths])]
    narrowed.append(f"nothing below {narrowing.min_severity.label}" if narrowing.min_severity is not None else "")
    narrowed.append(f"options of {_few(narrowing.options)}" if narrowing.options else "")
    if any(narrowed):
        said.append(f"Narrowed by the project's duck.toml: {'; '.join(filter(None, narrowed))}.")
    if narrowing.withheld:
        said.append(f"Not shown for it: {counted(narrowing.withheld, 'finding')}.")
    return (*said[:-2], " ".join(said[-2:])) if narrowing.withheld else tuple(said)


def _few(names: Sequence[str]) -> str:
    return _first([_name(name) for name in names])


def _first(shown: Sequence[str]) -> str:
    more = f" and {len(shown) - _NAMES_SHOWN:,} more" if len(shown) > _NAMES_SHOWN else ""
    return ", ".join(shown[:_NAMES_SHOWN]) + more


def _name(text: str) -> str:
    return shortened(visible_name(text), _NAME_CHARACTERS)
