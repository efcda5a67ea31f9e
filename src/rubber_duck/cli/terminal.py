"""What the two output streams can show: colours, width, characters; writes to them without ever a traceback."""

from __future__ import annotations

import codecs
import os
import sys
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

_DEFAULT_WIDTH: Final = 100
_LEAST_WIDTH: Final = 40
_MOST_WIDTH: Final = 400
_NARROW: Final = {
    "✓": "ok", "✗": "x", "…": "...", "─": "-", "━": "-", "│": "|", "╭": "+", "╰": "`", "╮": "+", "╯": "'", "┌": "+",
    "└": "`", "├": "|", "┬": "+", "┴": "+", "┼": "+", "→": "->", "←": "<-", "·": "-", "•": "*", "–": "-", "—": "-",
    "‘": "'", "’": "'", "“": '"', "”": '"', "×": "x", "≥": ">=", "≤": "<=", "▲": "^", "▸": ">", "\xa0": " ",
}  # fmt: skip
"""What stands for our typographic characters where the stream's encoding lacks them."""


def prepare() -> None:
    """Make both streams take any text: what they cannot show is written as an escape."""
    codecs.register_error("duck", _shown_otherwise)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="duck")


def wants_color(stream: IO[str] | None, choice: str) -> bool:
    """Whether to colour `stream`: the option decides, then NO_COLOR, FORCE_COLOR, the kind of terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def draws_color(choice: str) -> bool:
    """Whether to colour what is drawn on standard output; a terminal that says it is dumb takes no colour."""
    return wants_color(sys.stdout, choice) and os.environ.get("TERM", "").strip().lower() not in ("dumb", "unknown")


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether somebody looks at `stream`."""
    return stream is not None and not stream.closed and stream.isatty()


def width() -> int:
    """The columns to write in: COLUMNS, the terminal's, or 100 where there is none; from 40 to 400."""
    try:
        columns = int(os.environ.get("COLUMNS", "0")) or _columns()
    except (ValueError, OSError):  # not a number, closed, not a terminal
        columns = 0
    return min(max(_LEAST_WIDTH, columns or _DEFAULT_WIDTH), _MOST_WIDTH)


def write(text: str) -> None:
    """Write `text` to standard output for people; a line end is added where it lacks one."""
    if sys.stdout is not None:
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def write_piece(text: str) -> None:
    """Write a piece of a longer text at once."""
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def write_utf8(text: str) -> None:
    """Write `text` for machines: UTF-8 whatever the locale says, as JSON and HTML demand."""
    if sys.stdout is None:
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded(text if text.endswith("\n") else text + "\n"))


def encoded(text: str) -> bytes:
    """`text` as UTF-8; a lone surrogate becomes `\\udcNN`, which JSON reads as itself."""
    return text.encode("utf-8", "backslashreplace")


def note(text: str) -> None:
    """Write a line to standard error; nothing happens when it is closed, full or has no reader."""
    if sys.stderr is not None and not sys.stderr.closed:
        try:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        except OSError:  # there is no better place to say so
            discard(sys.stderr)


def flush() -> None:
    """Write out what is buffered; a failure to do so with standard output is met here."""
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()
    if sys.stderr is not None and not sys.stderr.closed:
        try:
            sys.stderr.flush()
        except OSError:  # as in note
            discard(sys.stderr)


def discard(stream: IO[str] | None) -> None:
    """Let whatever is still buffered for `stream` go nowhere: its reader has gone, or its disk is full."""
    if stream is None:
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return  # a test's stream has no descriptor, and nothing is buffered in it


def counted(number: int, noun: str) -> str:
    """`no files`, `1 file`, `2,818 files`."""
    return f"{number or 'no':{',' if number else ''}} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """`text` with what cannot be seen, or not for what it is, as visible escapes; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in "\n\t" else _visible(each) for each in text)


def printable_name(text: str) -> str:
    """As `printable`, but on one line: line ends and tabs are escaped too, because they are part of a name."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def console(color: str = "auto", *, stderr: bool = False) -> Console:
    """A rich console on one of the streams; rich is imported here, by those who draw tables."""
    from rich.console import Console  # noqa: PLC0415  # 50 ms that most commands do not need

    stream: Any = sys.stderr if stderr else sys.stdout  # Any: rich wants IO[str], None is handled by `file`
    colored = wants_color(stream, color)
    return Console(
        file=stream,
        width=width(),
        force_terminal=colored,
        no_color=not colored,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )


def _columns() -> int:
    return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ is not None else 0


def _shown_otherwise(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    known = "".join(_NARROW.get(each) or each.encode("ascii", "backslashreplace").decode() for each in lost)
    return known, error.end


def _visible(character: str) -> str:
    from rubber_duck.analysis.visible import is_visible  # noqa: PLC0415  # help and completion need it not

    return character if is_visible(character) else character.encode("unicode_escape").decode("ascii")
