"""Which of ruff's rules run, and what each of them means in our terms: kind, severity, confidence, CWE.

CWE numbers follow the documentation of bandit (https://bandit.readthedocs.io), from which ruff's S rules come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from rubber_duck.analysis.codes import CODES, RUFF
from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.rule import stand_ins

SELECT: Final = ("F", "E4", "E7", "E9", "W6", "N", "B", "S", "PLE", "PLW0120", "PLW0127", "PLW0128", "PLW0129",
                 "PLW0131", "PLW0406", "PLW0602", "PLW0711", "PLW1501", "PLW1508", "PLW1509", "ASYNC")  # fmt: skip
"""What runs: faults, names, bugbear, security, pylint's errors. Layout (E1, E2, E5, W) is a formatter's business."""

IGNORE: Final = (
    "E902",  # an unreadable file is ours to report
    "B904", "B905",  # opinions on chaining and zip, hundreds in any code base from before Python 3.10
    "B028", "B009", "B010",  # stack levels, getattr with a constant: harmless
    "B018",  # useless expression: alarms on frameworks that overload operators
    "N802", "N803", "N806", "N815", "N816", "N818", "N999",  # names that an interface dictates: unittest, Qt, Django
    "S101", "S603", "S607", "S311", "S404",  # asserts and subprocess without a shell: noise, as their authors say
)  # fmt: skip
"""What does not run, and why. What rules of our own replace (`Rule.replaces`) does not run either."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A ruff rule in our terms."""

    kind: Kind
    severity: Severity
    confidence: Confidence = Confidence.HIGH
    cwe: int | None = None


_LOW, _MEDIUM, _HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH


def _security(cwe: int, severity: Severity, confidence: Confidence = Confidence.MEDIUM) -> Meaning:
    return Meaning(Kind.SECURITY, severity, confidence, cwe)


_EXACT: Final[dict[str, Meaning]] = {
    "F401": Meaning(Kind.SEMANTIC, _LOW),
    "F403": Meaning(Kind.STYLE, _LOW),
    "F405": Meaning(Kind.SEMANTIC, Severity.INFO, Confidence.LOW),
    "F541": Meaning(Kind.STYLE, Severity.INFO),
    "F811": Meaning(Kind.SEMANTIC, _MEDIUM),
    "F821": Meaning(Kind.SEMANTIC, _HIGH),
    "F822": Meaning(Kind.SEMANTIC, _MEDIUM),
    "F841": Meaning(Kind.SEMANTIC, _LOW),
    "E711": Meaning(Kind.STYLE, _LOW),
    "E712": Meaning(Kind.STYLE, Severity.INFO),
    "E721": Meaning(Kind.SEMANTIC, _LOW),
    "B006": Meaning(Kind.SEMANTIC, _MEDIUM),
    "B008": Meaning(Kind.SEMANTIC, _LOW, Confidence.MEDIUM),
    "B023": Meaning(Kind.SEMANTIC, _MEDIUM),
    "B015": Meaning(Kind.SEMANTIC, _MEDIUM),
    "B007": Meaning(Kind.STYLE, Severity.INFO),
    "B017": Meaning(Kind.SEMANTIC, _LOW),
    "S103": _security(732, _MEDIUM),
    "S104": _security(605, _LOW),
    "S108": _security(377, _LOW, Confidence.LOW),
    "S113": _security(400, _LOW, Confidence.MEDIUM),
    "S201": _security(94, _HIGH),
    "S202": _security(22, _HIGH),
    "S303": _security(327, _MEDIUM),
    "S304": _security(327, _HIGH),
    "S305": _security(327, _MEDIUM),
    "S306": _security(377, _MEDIUM),
    "S310": _security(22, _LOW, Confidence.LOW),
    "S312": _security(319, _HIGH),
    "S321": _security(319, _HIGH),
    "S324": _security(327, _LOW),
    "S502": _security(327, _HIGH),
    "S503": _security(327, _MEDIUM),
    "S504": _security(327, _LOW),
    "S505": _security(326, _HIGH),
    "S507": _security(295, _HIGH),
    "S508": _security(319, _MEDIUM),
    "S509": _security(319, _MEDIUM),
    "S601": _security(78, _MEDIUM),
    "S606": _security(78, _LOW, Confidence.LOW),
    "S609": _security(78, _HIGH),
    "S610": _security(89, _LOW, Confidence.LOW),
    "S611": _security(89, _LOW, Confidence.LOW),
    "S612": _security(94, _MEDIUM),
    "S702": _security(79, _MEDIUM),
}

_BY_PREFIX: Final[tuple[tuple[str, Meaning], ...]] = (
    ("F7", Meaning(Kind.SYNTAX, _HIGH)),
    ("F", Meaning(Kind.SEMANTIC, _MEDIUM)),
    ("E9", Meaning(Kind.SYNTAX, _HIGH)),
    ("E", Meaning(Kind.STYLE, Severity.INFO)),
    ("W", Meaning(Kind.STYLE, Severity.INFO)),
    ("N", Meaning(Kind.STYLE, Severity.INFO)),
    ("B", Meaning(Kind.SEMANTIC, _LOW, Confidence.MEDIUM)),
    ("S31", _security(20, _LOW, Confidence.LOW)),
    ("S4", _security(1104, Severity.INFO, Confidence.LOW)),
    ("S", _security(693, _LOW)),
    ("PLE", Meaning(Kind.SEMANTIC, _MEDIUM)),
    ("PLW", Meaning(Kind.SEMANTIC, _LOW)),
    ("ASYNC", Meaning(Kind.SEMANTIC, _LOW, Confidence.MEDIUM)),
)

INVALID_SYNTAX: Final = "invalid-syntax"
"""What ruff calls a file that it cannot parse."""

SYNTAX_RULE: Final = f"{RUFF}{INVALID_SYNTAX}"
"""The rule name for a file that ruff cannot parse."""

SYNTAX_ERROR: Final = Meaning(Kind.SYNTAX, _MEDIUM)
"""What ruff says of a file it cannot parse; it has no code of its own."""


@cache
def ignored() -> tuple[str, ...]:
    """The codes among SELECT that ruff is not asked for: IGNORE, and those that rules of our own replace."""
    replaced = (code.removeprefix(RUFF) for code in stand_ins() if code.startswith(RUFF))
    return (*IGNORE, *(code for code in replaced if _is_among(code, SELECT)))


def is_selected(code: str) -> bool:
    """Whether ruff is asked for the rule with this code."""
    return code not in ignored() and _is_among(code, SELECT)


def could_select(pattern: str) -> bool:
    """Whether a code, or a beginning of codes with `*` behind it, can name a rule that ruff is asked for."""
    if pattern == INVALID_SYNTAX:
        return True
    if not pattern.endswith("*"):
        return CODES[RUFF].fullmatch(pattern) is not None and is_selected(pattern)
    beginning = pattern[:-1]
    return _is_among(beginning, SELECT) or any(prefix.startswith(beginning) for prefix in SELECT)


def meaning(code: str) -> Meaning:
    """What a ruff code such as `"F401"` means; an unknown one is a low semantic finding."""
    exact = _EXACT.get(code)
    if exact is not None:
        return exact
    return next(
        (meant for prefix, meant in _BY_PREFIX if _is_among(code, (prefix,))),
        Meaning(Kind.SEMANTIC, _LOW, Confidence.LOW),
    )


def _is_among(code: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a prefix of the very same letters covers `code`: `S1` covers `S102`, but `B` does not cover `BLE001`."""
    letters = code.rstrip("0123456789")
    return any(code.startswith(prefix) and prefix.rstrip("0123456789") == letters for prefix in prefixes)
