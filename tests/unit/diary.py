"""Parts of an application that write down what becomes of them, and an application that only opens and closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from rubber_duck.app import PARTS, Opened, Part, open_app
from rubber_duck.settings import LogSettings, Settings


class Diary:
    """Parts that write down when they are opened and closed, and fail when told."""

    def __init__(self, fails: Collection[str] = ()) -> None:
        self.lines: list[str] = []
        self._fails = fails

    def part(self, name: str, *needs: str) -> Part:
        """A part called `name`."""

        def opening(settings: Settings, opened: Opened) -> AbstractAsyncContextManager[object]:
            return self._opened(name, opened)

        return Part(name, needs, opening)

    @asynccontextmanager
    async def _opened(self, name: str, opened: Opened) -> AsyncIterator[str]:
        self._write(f"open {name}")
        try:
            yield f"the {name}, opened after {' '.join(opened) or 'nothing'}"
        finally:
            self._write(f"close {name}")

    def _write(self, line: str) -> None:
        self.lines.append(line)
        if line in self._fails:
            raise OSError(line)


def settings_at(home: Path, **sections: Any) -> Settings:  # Any: sections of Settings
    """Settings with this home folder, which are quiet."""
    return Settings(home=str(home), log=LogSettings(level="error"), **sections)


async def visit(settings: Settings, parts: Sequence[Part], for_engines: Collection[str] | None = None) -> None:
    """Open an application of these parts, and close it."""
    async with open_app(settings, for_engines=for_engines, parts=parts):
        pass


def declared_parts(diary: Diary) -> list[Part]:
    """Parts called as the real ones, which need the same."""
    return [diary.part(part.name, *part.needs) for part in PARTS]
