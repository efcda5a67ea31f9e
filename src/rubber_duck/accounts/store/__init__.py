"""What accounts keep: people with their keys and roles, how they come in, and the trail of it. Their only SQL."""

from rubber_duck.accounts.store import coming, own, people, trail

__all__ = ["coming", "own", "people", "trail"]
