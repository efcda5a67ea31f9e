"""How rules of other tools are named here: the tool, a slash, and the code by which the tool knows the rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

RUFF: Final = "ruff/"
"""How the names of ruff's rules begin, e.g. `ruff/F401`; flake8's codes are the same."""

BANDIT: Final = "bandit/"
"""How the names of bandit's tests begin, e.g. `bandit/B307`."""

ESLINT: Final = "eslint/"
"""How the names of ESLint's rules begin, those of its plug-ins with theirs: `eslint/react/no-danger`."""

CREDO: Final = "credo/"
"""How the names of Credo's checks begin, e.g. `credo/Credo.Check.Warning.UnsafeToAtom`."""

CODES: Final[Mapping[str, re.Pattern[str]]] = {
    RUFF: re.compile(r"[A-Z]+[0-9]+"),
    BANDIT: re.compile(r"B[0-9]{3}"),
    ESLINT: re.compile(r"(?:@?[a-z0-9][a-z0-9-]*/){0,2}[a-z0-9]+(?:-[a-z0-9]+)*"),
    CREDO: re.compile(r"[A-Z]\w*(?:\.[A-Z]\w*)+", re.ASCII),
}
"""A tool, with its slash → what its codes look like."""


def is_code(name: str) -> bool:
    """Whether `name` is written as a rule of another tool is: `ruff/S602`, `eslint/no-eval`."""
    tool, slash, code = name.partition("/")
    form = CODES.get(tool + slash)
    return form is not None and form.fullmatch(code) is not None
