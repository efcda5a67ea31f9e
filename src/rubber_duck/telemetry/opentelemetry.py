"""A recorder on the OpenTelemetry SDK that appends finished spans to a local file, one JSON value a line."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

from rubber_duck import __version__
from rubber_duck.errors import Unavailable
from rubber_duck.settings.home import make_private_folder
from rubber_duck.telemetry.correlation import correlation_id
from rubber_duck.telemetry.recorder import Attribute, recording

_TRACE_ID: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
"""A trace id that OpenTelemetry takes (W3C Trace Context, section 3.2.2.3): not all of it zero."""


class OpenTelemetryRecorder:
    """Spans through OpenTelemetry's SDK into `path`; counters become attributes of a closing span.

    A span belongs to the trace of its request: its trace id is the correlation id. `ids` makes the others.
    """

    def __init__(self, path: Path, *, ids: IdGenerator | None = None) -> None:
        resource = Resource({"service.name": "rubber-duck", "service.version": __version__})
        self._provider = TracerProvider(
            resource=resource, shutdown_on_exit=False, id_generator=_Correlated(ids or RandomIdGenerator())
        )
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


class _Correlated(IdGenerator):
    """Ids of spans as another generator makes them; of traces too, outside any request."""

    def __init__(self, others: IdGenerator) -> None:
        self._others = others

    def generate_span_id(self) -> int:
        return self._others.generate_span_id()

    def generate_trace_id(self) -> int:
        trace = correlation_id()
        if trace is not None and _TRACE_ID.fullmatch(trace):
            return int(trace, 16)
        return self._others.generate_trace_id()


class _FileExporter(SpanExporter):
    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file = open(descriptor, "a", encoding="utf-8")  # noqa: SIM115  # closed by shutdown
        state = os.fstat(descriptor)
        if stat.S_ISREG(state.st_mode) and state.st_mode & 0o077 and state.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            self._file.write(span.to_json(indent=None) + "\n")
        self._file.flush()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._file.close()


@contextmanager
def traced(path: Path) -> Iterator[None]:
    """Append spans to the file `path` until the block ends. Raises Unavailable."""
    try:
        make_private_folder(path.parent)
        recorder = OpenTelemetryRecorder(path)
    except OSError as error:
        raise Unavailable(f"no traces can be written to {str(path.parent)!r}: {error.strerror}") from error
    try:
        with recording(recorder):
            yield
    finally:
        recorder.close()
