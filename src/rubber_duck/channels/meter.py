"""What may be counted of sockets; this counts nothing, and whoever wants numbers gives them another."""

from __future__ import annotations


class Meter:
    """Is told what sockets do. `kind` is the part of a topic before the colon, `other` for one that there is not."""

    def received(self, kind: str, size_bytes: int) -> None:
        """A frame came."""

    def sent(self, size_bytes: int) -> None:
        """A frame went."""

    def joined(self, kind: str, members: int) -> None:
        """Somebody joined a topic (1), or left it (-1)."""

    def answered(self, kind: str, event: str, duration_s: float, *, is_ok: bool) -> None:
        """A request was worked on to its end."""

    def dropped(self, reason: str) -> None:
        """A message was not worked on, or a client was cut off: `too_often`, `stale`, `too_slow`, `unreadable`."""
