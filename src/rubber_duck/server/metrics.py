"""What Prometheus reads: requests, sockets and channels of this process, and the program's own counters."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from rubber_duck.channels.meter import Meter
from rubber_duck.server.census import Census
from rubber_duck.telemetry.catalogue import COUNTERS

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_BOUNDS: Final = (*map(str, _SECONDS), "+Inf")


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One number: its name, its labels, its value."""

    name: str
    labels: dict[str, str]
    value: float


class Family(msgspec.Struct, frozen=True, array_like=True):
    """Numbers of one metric. `kind` is Prometheus's: counter, gauge, histogram."""

    name: str
    about: str
    kind: str
    samples: tuple[Sample, ...]


class Metrics(Meter):
    """The numbers of one process, and of all its sockets."""

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
        self._tasks = Gauge("duck_tasks", "Tasks on the event loop.", registry=own)
        self._uptime = Gauge("duck_uptime_seconds", "Seconds since it began to serve.", registry=own)
        self._channels = _ChannelNumbers()
        own.register(self._channels)
        self._counters = {
            name: Counter(f"duck_{name.replace('.', '_')}", about, registry=own) for name, about in COUNTERS.items()
        }
        self._kinds: set[str] = set()

    def answered_http(self, route: str, status: int, duration_s: float) -> None:
        """A request over HTTP was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(duration_s)

    def add(self, name: str, value: int) -> None:
        """Add to one of the program's own counters; from any thread."""
        self._counters[name].inc(value)

    def received(self, kind: str, size_bytes: int) -> None:
        """As the meter has it."""
        came = self._channels.came[kind]
        came[0] += 1
        came[1] += size_bytes

    def sent(self, size_bytes: int) -> None:
        """As the meter has it."""
        self._channels.frames_sent += 1
        self._channels.bytes_sent += size_bytes

    def joined(self, kind: str, members: int) -> None:
        """As the meter has it."""
        self._channels.members[kind] += members
        if members > 0:
            self._channels.joins[kind] += members

    def answered(self, kind: str, event: str, duration_s: float, *, is_ok: bool) -> None:
        """As the meter has it."""
        spread = self._channels.seconds[kind, event, is_ok]
        spread[bisect_left(_SECONDS, duration_s)] += 1
        spread[-1] += duration_s

    def dropped(self, reason: str) -> None:
        """As the meter has it."""
        self._channels.drops[reason] += 1

    def families(self, census: Census, *, memory_bytes: int, uptime_s: float, tasks: int) -> tuple[Family, ...]:
        """All of them as they are now."""
        self._kinds |= set(census.by_kind)
        for kind in self._kinds:
            self._sockets.labels(kind).set(census.by_kind.get(kind, 0))
        self._waiting_frames.set(census.waiting_frames)
        self._waiting_bytes.set(census.waiting_bytes)
        self._memory.set(memory_bytes)
        self._uptime.set(uptime_s)
        self._tasks.set(tasks)
        return tuple(
            Family(
                each.name,
                each.documentation,
                each.type,
                tuple(Sample(sample.name, dict(sample.labels), sample.value) for sample in each.samples),
            )
            for each in self._registry.collect()
        )


def exposed(told: Mapping[str, Iterable[Family]]) -> bytes:
    """The numbers of processes as Prometheus reads them, by the processes' names; "" is one that has none."""
    merged: dict[str, Metric] = {}
    for process, families in told.items():
        named = {"process": process} if process else {}
        for family in families:
            metric = merged.setdefault(family.name, Metric(family.name, family.about, family.kind))
            for sample in family.samples:
                metric.add_sample(sample.name, {**sample.labels, **named}, sample.value)
    registry = CollectorRegistry()
    registry.register(_Collected(merged))
    return generate_latest(registry)


class _Collected(Collector):
    """What was collected already."""

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics.values()


class _ChannelNumbers(Collector):
    """Numbers of channels, which are counted for each frame and put into Prometheus's form when somebody looks.

    Only the event loop counts.
    """

    def __init__(self) -> None:
        self.members: dict[str, int] = defaultdict(int)
        self.joins: dict[str, int] = defaultdict(int)
        self.drops: dict[str, int] = defaultdict(int)
        self.came: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.seconds: dict[tuple[str, str, bool], list[float]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))
        self.frames_sent = 0
        self.bytes_sent = 0

    def collect(self) -> Iterator[Metric]:
        members = GaugeMetricFamily("duck_channel_members", "Members of topics now, by topic.", labels=("topic",))
        joins = CounterMetricFamily("duck_channel_joined", "Joins by topic.", labels=("topic",))
        drops = CounterMetricFamily("duck_channel_drops", "Messages dropped, clients cut off.", labels=("reason",))
        frames = CounterMetricFamily("duck_channel_frames", "Frames that came, by topic.", labels=("topic",))
        size = CounterMetricFamily(
            "duck_channel_bytes", "Characters of text and bytes that came, by topic.", labels=("topic",)
        )
        for metric, counted in ((members, self.members), (joins, self.joins), (drops, self.drops)):
            for label, value in counted.items():
                metric.add_metric((label,), value)
        for kind, (count, size_bytes) in self.came.items():
            frames.add_metric((kind,), count)
            size.add_metric((kind,), size_bytes)
        yield from (members, joins, drops, frames, size, self._seconds())
        yield CounterMetricFamily("duck_socket_frames_sent", "Frames sent.", value=self.frames_sent)
        yield CounterMetricFamily("duck_socket_bytes_sent", "Characters of text and bytes sent.", value=self.bytes_sent)

    def _seconds(self) -> Metric:
        seconds = HistogramMetricFamily(
            "duck_channel_seconds", "Seconds until a message was answered.", labels=("topic", "event", "status")
        )
        for (kind, event, is_ok), (*counts, total) in self.seconds.items():
            below, buckets = 0.0, []
            for bound, count in zip(_BOUNDS, counts, strict=True):
                below += count
                buckets.append((bound, below))
            seconds.add_metric((kind, event, "ok" if is_ok else "error"), buckets, total)
        return seconds
