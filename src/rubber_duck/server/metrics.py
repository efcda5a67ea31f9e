"""What Prometheus reads: requests, sockets and channels of this process, and the program's own counters."""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rubber_duck.channels.meter import Meter
from rubber_duck.server.census import Census
from rubber_duck.telemetry.catalogue import COUNTERS

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics(Meter):
    """The numbers of one server, and of all its sockets."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        self._requests = Counter(
            "duck_http_requests", "Requests by route and status.", ("route", "status"), registry=own
        )
        self._seconds = Histogram(
            "duck_http_seconds", "Seconds until a request was answered.", ("route",), registry=own, buckets=_SECONDS
        )
        self._sockets = Gauge("duck_sockets", "Open sockets by what their members came with.", ("kind",), registry=own)
        self._waiting_frames = Gauge("duck_socket_waiting_frames", "Frames that wait to be sent.", registry=own)
        self._waiting_bytes = Gauge("duck_socket_waiting_bytes", "Bytes that wait to be sent.", registry=own)
        self._memory = Gauge("duck_memory_bytes", "Resident memory.", registry=own)
        self._uptime = Gauge("duck_uptime_seconds", "Seconds since it began to serve.", registry=own)
        self._channels = _ChannelMetrics(own)
        self._counters = {
            name: Counter(f"duck_{name.replace('.', '_')}", about, registry=own) for name, about in COUNTERS.items()
        }
        self._kinds: set[str] = set()

    def answered_http(self, route: str, status: int, duration_s: float) -> None:
        """A request over HTTP was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(duration_s)

    def add(self, name: str, value: int) -> None:
        """Add to one of the program's own counters."""
        self._counters[name].inc(value)

    def received(self, kind: str, size_bytes: int) -> None:
        """As the meter has it."""
        frames, received = self._channels.received(kind)
        frames.inc()
        received.inc(size_bytes)

    def sent(self, size_bytes: int) -> None:
        """A frame was sent."""
        self._channels.frames_sent.inc()
        self._channels.bytes_sent.inc(size_bytes)

    def joined(self, kind: str, members: int) -> None:
        """As the meter has it."""
        self._channels.members.labels(kind).inc(members)
        if members > 0:
            self._channels.joins.labels(kind).inc(members)

    def answered(self, kind: str, event: str, duration_s: float, *, is_ok: bool) -> None:
        """As the meter has it."""
        self._channels.answer(kind, event, "ok" if is_ok else "error").observe(duration_s)

    def dropped(self, reason: str) -> None:
        """As the meter has it."""
        self._channels.drops.labels(reason).inc()

    def exposed(self, *, census: Census, memory_bytes: int, uptime_s: float) -> bytes:
        """All of it as text."""
        self._kinds |= set(census.by_kind)
        for kind in self._kinds:
            self._sockets.labels(kind).set(census.by_kind.get(kind, 0))
        self._waiting_frames.set(census.waiting_frames)
        self._waiting_bytes.set(census.waiting_bytes)
        self._memory.set(memory_bytes)
        self._uptime.set(uptime_s)
        return generate_latest(self._registry)


class _ChannelMetrics:
    """Numbers of channels. What each frame needs is looked up once for its labels, which cost more than adding."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.members = Gauge("duck_channel_members", "Members of topics now, by topic.", ("topic",), registry=own)
        self.joins = Counter("duck_channel_joined", "Joins by topic.", ("topic",), registry=own)
        self.drops = Counter("duck_channel_drops", "Messages dropped, clients cut off.", ("reason",), registry=own)
        self.frames_sent = Counter("duck_socket_frames_sent", "Frames sent.", registry=own)
        self.bytes_sent = Counter("duck_socket_bytes_sent", "Characters of text and bytes sent.", registry=own)
        frames = Counter("duck_channel_frames", "Frames that came, by topic.", ("topic",), registry=own)
        size = Counter(
            "duck_channel_bytes", "Characters of text and bytes that came, by topic.", ("topic",), registry=own
        )
        seconds = Histogram(
            "duck_channel_seconds",
            "Seconds until a message was answered.",
            ("topic", "event", "status"),
            registry=own,
            buckets=_SECONDS,
        )
        self.received = cache(lambda kind: (frames.labels(kind), size.labels(kind)))
        self.answer = cache(seconds.labels)
