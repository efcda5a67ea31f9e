"""What is said when a command fails: one sentence, an exit code, and a file with the traceback of a crash."""

from __future__ import annotations

import errno
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Final

import click

from rubber_duck.cli import terminal
from rubber_duck.cli.invocation import Invocation
from rubber_duck.cli.program import NAME, current_folder
from rubber_duck.errors import DuckError, brief

FAILED: Final = 2
"""Usage or internal error."""
INTERRUPTED: Final = 130
"""Ended by Ctrl-C, as a shell counts it."""
READER_GONE: Final = 141
"""Standard output was closed by its reader, as a shell counts it."""


def report(error: BaseException, invocation: Invocation) -> int:
    """Tell the person what went wrong; return the exit code."""
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        terminal.note(_prefix(invocation, "interrupted"))
        return INTERRUPTED
    if isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and error.errno == errno.EPIPE):
        terminal.discard(sys.stdout)
        return READER_GONE
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        terminal.note(error.format_message())
        return FAILED
    if isinstance(error, click.ClickException):
        say(invocation, _sentence(error.format_message()))
        if isinstance(error, click.UsageError) and error.ctx is not None:
            command = error.ctx.command_path.removeprefix(NAME)
            terminal.note(f"\n{error.ctx.get_usage()}\nTry `{invocation.program}{command} --help`.")
        return FAILED
    if isinstance(error, DuckError):
        say(invocation, error.message, code=error.code)
        if invocation.debug:
            terminal.note(_traceback(error))
        return FAILED
    if isinstance(error, FileNotFoundError) and not error.filename and not current_folder():
        say(invocation, "the current folder was removed; change to one that is there, and try again")
        return FAILED
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT) and not error.filename:
        terminal.discard(sys.stdout)
        say(invocation, f"the output cannot be written: {error.strerror}")
        return FAILED
    return _crashed(error, invocation)


def _crashed(error: BaseException, invocation: Invocation) -> int:
    said = terminal.printable(f"{type(error).__name__}: {error}".split("\n", 1)[0])[:300]
    text = _traceback(error)
    if invocation.debug:
        say(invocation, f"RubberDuck itself failed: {said}", code="internal")
        terminal.note(text)
        return FAILED
    kept = _keep(text)
    if kept is None:
        terminal.note(text)
        say(invocation, f"RubberDuck itself failed: {said}; please report this with the traceback above")
    else:
        say(invocation, f"RubberDuck itself failed: {said}; please report this with {kept}")
    return FAILED


def _keep(text: str) -> Path | None:
    """Write a traceback where only its owner can read it; None where that is not possible."""
    try:
        home = Path(os.environ.get("DUCK_HOME") or Path.home() / ".rubber_duck").absolute()
        path = home / f"crash-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.txt"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(terminal.encoded(text + "\n"))
    except (OSError, RuntimeError):  # not writable, a current folder that is gone, a user without a home
        return None
    return path


def _traceback(error: BaseException) -> str:
    return terminal.printable("".join(traceback.format_exception(error)).rstrip())


def say(invocation: Invocation, message: str, code: str = "") -> None:
    """Write one sentence about what went wrong to stderr."""
    shown = f" [{code}]" if code and invocation.debug else ""
    terminal.note(f"{_prefix(invocation, 'error')}: {terminal.printable(invocation.as_called(message))}{shown}")


def warn(invocation: Invocation, message: str) -> None:
    """Write one sentence to stderr about what did not work and was worked around."""
    terminal.note(f"{_prefix(invocation, 'warning')}: {terminal.printable(invocation.as_called(message))}")


def _prefix(invocation: Invocation, word: str) -> str:
    if terminal.wants_color(sys.stderr, invocation.color):
        return f"\x1b[1mduck:\x1b[0m \x1b[1;{33 if word == 'warning' else 31}m{word}\x1b[0m"
    return f"duck: {word}"


def _sentence(message: str) -> str:
    """click's messages in our form: no capital at the start, no full stop at the end."""
    message = brief(" ".join(message.split()).rstrip("."))
    return message[:1].lower() + message[1:] if message[1:2].islower() else message
