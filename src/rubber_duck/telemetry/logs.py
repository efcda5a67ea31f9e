"""Writes events to standard error through structlog, which is imported when the first line is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

from rubber_duck.settings import LogSettings

_ORDER: Final = ("debug", "info", "warning", "error")

_threshold = _ORDER.index("error")
_format = "console"
_stream: TextIO | None = None
_logger: Any = None  # structlog's bound loggers have no static type


def configure_logs(settings: LogSettings, *, stream: TextIO | None = None) -> None:
    """Log from now on as `settings` say, to `stream` (standard error when None)."""
    global _threshold, _format, _stream, _logger  # noqa: PLW0603  # a process has one log
    _threshold = _ORDER.index(settings.level)
    _format = settings.format
    _stream = stream
    _logger = None


def enabled(level: str) -> bool:
    """Whether a line of `level` would be written."""
    return _ORDER.index(level) >= _threshold


def write(level: str, name: str, fields: Mapping[str, object]) -> None:
    """Write one event."""
    global _logger  # noqa: PLW0603  # built at the first line
    if _logger is None:
        _logger = _build()
    record: Callable[..., None] = getattr(_logger, level)
    written = {key: value for key, value in fields.items() if value is not None}
    if _format == "console" and "traceback" in written:
        written["exception"] = _visible(str(written.pop("traceback")))  # structlog writes that one below the line
    record(name, **written)


def _visible(text: str) -> str:
    """`text` with control characters as escapes; line ends stay."""
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text.rstrip())


def _build() -> Any:  # see _logger
    import structlog  # noqa: PLC0415  # 0.2 s, paid only by those who log

    stream = _stream or sys.stderr
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if _format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), repr_native_str=True)  # control characters shown
    )
    return structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.UnicodeDecoder(),
            renderer,
        ],
    )
