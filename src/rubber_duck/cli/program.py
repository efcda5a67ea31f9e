"""How this program was called, so that a command it tells a person to type works where they stand."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NAME: Final = "duck"
"""The console script, and how commands are written in our own texts."""


@dataclass(frozen=True, slots=True)
class Started:
    """What a process knows of its start: `script` is `sys.argv[0]`, `python` the interpreter's path."""

    script: str
    python: str
    directory: str
    variables: Mapping[str, str]

    def command(self) -> str:
        """What to type for the same program: its name where the shell finds it by that, or else its path.

        Started as `python -m rubber_duck`, it is the console script beside that Python, if there is one.
        """
        script = os.path.join(self.directory, self.script)
        if os.path.basename(script) == "__main__.py" or not os.access(script, os.X_OK):
            script = os.path.join(os.path.dirname(self.python), NAME)
            if not os.access(script, os.X_OK):
                return f"{self._typed(self.python)} -m rubber_duck"
        return self._typed(script)

    def _typed(self, program: str) -> str:
        name = os.path.basename(program)
        if _is_same(self._on_path(name), program):
            return name
        relative = os.path.relpath(program, self.directory)
        relative = relative if os.sep in relative else os.path.join(".", relative)
        return quoted(min(os.path.abspath(program), relative, key=len))

    def _on_path(self, name: str) -> str:
        """Where the shell finds `name`; written out because importing shutil takes a tenth of what help may take."""
        for folder in self.variables.get("PATH", "").split(os.pathsep):
            found = os.path.join(self.directory, folder, name)
            if os.path.isfile(found) and os.access(found, os.X_OK):
                return found
        return ""


def started() -> Started:
    """Of this process."""
    return Started(sys.argv[0], sys.executable, current_folder() or os.sep, os.environ)


def again() -> list[str]:
    """The words that start this program once more."""
    if getattr(sys, "frozen", False):  # one file that brings its own Python
        return [sys.executable]
    if os.path.basename(sys.argv[0]) == "__main__.py":
        return [sys.executable, "-m", "rubber_duck"]
    return [sys.executable, os.path.abspath(sys.argv[0])]


def current_folder() -> str:
    """What relative paths are relative to; empty when somebody removed it."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def quoted(word: str) -> str:
    """`word` as a shell must read it; on one line, which for strange characters only `$'…'` is able to."""
    if not word.isprintable():
        return f"$'{''.join(map(_escaped, word))}'"
    import shlex  # noqa: PLC0415  # only where somebody is told what to type

    return shlex.quote(word)


def _escaped(character: str) -> str:
    """A character inside of `$'…'` (POSIX.1-2024, 2.2.4), as its bytes in octal where it cannot be seen."""
    if character in "\\'":
        return f"\\{character}"
    return character if character.isprintable() else "".join(f"\\{byte:03o}" for byte in os.fsencode(character))


def _is_same(found: str, program: str) -> bool:
    try:
        return os.path.samefile(found, program)
    except OSError:
        return False
