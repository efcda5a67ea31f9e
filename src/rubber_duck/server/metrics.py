"""What Prometheus reads: requests and sockets of this process, and the program's own counters."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rubber_duck.telemetry.catalogue import COUNTERS

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "duck_http_requests", "Requests by route and status.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "duck_http_seconds",
            "Seconds until a request was answered.",
            ("route",),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._sockets = Gauge("duck_sockets", "Open sockets.", registry=self._registry)
        self._memory = Gauge("duck_memory_bytes", "Resident memory.", registry=self._registry)
        self._uptime = Gauge("duck_uptime_seconds", "Seconds since it began to serve.", registry=self._registry)
        self._counters = {
            name: Counter(f"duck_{name.replace('.', '_')}", about, registry=self._registry)
            for name, about in COUNTERS.items()
        }

    def answered(self, route: str, status: int, duration_s: float) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(duration_s)

    def add(self, name: str, value: int) -> None:
        """Add to one of the program's own counters."""
        self._counters[name].inc(value)

    def exposed(self, *, sockets: int, memory_bytes: int, uptime_s: float) -> bytes:
        """All of it as text."""
        self._sockets.set(sockets)
        self._memory.set(memory_bytes)
        self._uptime.set(uptime_s)
        return generate_latest(self._registry)
