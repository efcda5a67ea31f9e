"""What the declaration of an event is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of event. `fields` maps each field to what it means, with its unit."""

    name: str
    level: Level
    about: str
    fields: Mapping[str, str] = field(default_factory=dict)
