"""Frames of tracebacks, as Python, JavaScript and Elixir print them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Frame:
    """One call that was under way: the file as it was printed, the 1-based line, the function's name or `""`."""

    path: str
    line: int
    function: str = ""


_PYTHON: Final = re.compile(
    r'\s*File "(?P<path>[^"\n]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<function>\S{1,200}))?'
)
_PYTEST: Final = re.compile(
    r"(?P<path>[\w./\\-]{1,500}\.py):(?P<line>\d{1,9}):(?: in (?P<function>\w{1,200})| \w{1,100})?\s*"
)
_JAVASCRIPT: Final = re.compile(
    r"\s*at (?:(?:async |new )?(?P<function>[^\s()]{1,200})(?: \[as [^\]]{1,200}\])? \()?"
    r"(?:file://)?(?P<path>[^\s():][^\n():]{0,500}|[A-Za-z]:[^\n():]{1,500}):(?P<line>\d{1,9}):\d{1,9}\)?\s*"
)
_ELIXIR: Final = re.compile(
    r"\s*(?:\([\w.+-]{1,100}(?: [\w.+-]{1,100})?\) )?(?P<path>[\w./-]{1,500}\.exs?):(?P<line>\d{1,9}): "
    r"(?P<function>\S{1,200})\s*"
)
_INNERMOST_FIRST: Final = (_JAVASCRIPT, _ELIXIR)


def read_frame(line: str) -> Frame | None:
    """The frame that a line of a traceback tells of, or None."""
    found = next((each for form in (_PYTHON, _ELIXIR, _JAVASCRIPT, _PYTEST) if (each := form.fullmatch(line))), None)
    if found is None:
        return None
    function = re.split(r"[/(]", found["function"] or "")[0].rpartition(".")[2].strip("<>")
    return Frame(found["path"].replace("\\", "/"), int(found["line"]), "" if function in _NO_NAMES else function)


_NO_NAMES: Final = frozenset({"module", "anonymous", "lambda", "listcomp", "genexpr", "dictcomp", "setcomp"})


def innermost_last(lines: Sequence[str]) -> tuple[Frame, ...]:
    """The frames of these lines in the order of calls: Python prints them so, JavaScript and Elixir the other way."""
    found = [frame for line in lines if (frame := read_frame(line)) is not None]
    turned = any(form.fullmatch(line) for form in _INNERMOST_FIRST for line in lines)
    return tuple(reversed(found) if turned else found)
