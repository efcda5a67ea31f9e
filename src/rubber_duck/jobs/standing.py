"""What a server starts by the clock unless its settings say otherwise."""

from __future__ import annotations

from rubber_duck.settings import Settings
from rubber_duck.settings.tree import ScheduleSettings


def standing(settings: Settings) -> dict[str, ScheduleSettings]:
    """The schedules by the names of their workflows; one whose time is empty is not among them."""
    times = {"consolidate-memories": settings.memory.consolidate, "sweep": settings.privacy.sweep}
    return {name: ScheduleSettings(workflow=name, cron=cron) for name, cron in times.items() if cron}
