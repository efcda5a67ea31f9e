"""What a command is given piece by piece, wherever the engine runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a stream: the engine's answer as builtins (dict, list or tuple, str, int, float, bool, None)."""

    payload: Any  # Any: builtins of the engine's own shape
