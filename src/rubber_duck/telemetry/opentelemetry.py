"""A recorder on the OpenTelemetry SDK that appends finished spans to a local file, one JSON value a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from rubber_duck import __version__
from rubber_duck.telemetry.correlation import correlation_id
from rubber_duck.telemetry.recorder import Attribute


class OpenTelemetryRecorder:
    """Spans through OpenTelemetry's SDK into `path`; counters become attributes of a closing span."""

    def __init__(self, path: Path) -> None:
        resource = Resource({"service.name": "rubber-duck", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(SimpleSpanProcessor(_FileExporter(path)))
        self._tracer = self._provider.get_tracer("rubber_duck", __version__)
        self._sums: dict[str, int] = {}

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[None]:
        """Record the block; an exception is recorded in the span and goes on."""
        trace = correlation_id()
        marked = {**attributes, **({"rubber_duck.trace": trace} if trace else {})}
        with self._tracer.start_as_current_span(name, attributes=marked):
            yield

    def count(self, name: str, value: int, attributes: Mapping[str, Attribute]) -> None:
        """Add to the sum that is written at the end."""
        self._sums[name] = self._sums.get(name, 0) + value

    def close(self) -> None:
        """Write the counters and close the file."""
        if self._sums:
            self._tracer.start_span("counters", attributes=self._sums).end()
        self._provider.shutdown()


class _FileExporter(SpanExporter):
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            self._file.write(span.to_json(indent=None) + "\n")
        self._file.flush()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._file.close()
