"""What models are asked for: the roles, each of which has a chain of models."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Which chain of models an engine asks; the chains are settings."""

    COMPLETION = "completion"
    CHAT = "chat"
    EDIT = "edit"
    PLAN = "plan"
    EMBED = "embed"
