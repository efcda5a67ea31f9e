"""Lines with styles, which click colours: what most commands draw, without importing rich, which draws tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    import rich.text

_FORMS: Final = ("bold", "dim", "italic")
_LINK: Final = "link "


@dataclass(frozen=True, slots=True)
class Text:
    """Pieces of text, each with its own style as rich writes it: `bold`, `cyan`, `bold white on red`, `link URI`."""

    pieces: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, content: str, style: str = "") -> Text:
        """One piece."""
        return cls(((content, style),))

    @property
    def plain(self) -> str:
        """The text alone."""
        return "".join(content for content, _ in self.pieces)

    def __bool__(self) -> bool:
        """Whether there is any text."""
        return any(content for content, _ in self.pieces)

    def __add__(self, other: Text) -> Text:
        """Both, each in its own styles."""
        return Text(self.pieces + other.pieces)

    def join(self, texts: Iterable[Text]) -> Text:
        """The texts with this one between them."""
        pieces: list[tuple[str, str]] = []
        for each in texts:
            pieces += (*self.pieces, *each.pieces) if pieces else each.pieces
        return Text(tuple(pieces))

    def drawn(self, *, colored: bool) -> str:
        """As a terminal takes it."""
        return "".join(_styled(content, style) if colored and style else content for content, style in self.pieces)

    def __rich__(self) -> rich.text.Text:
        """For a table or a screen that rich draws."""
        from rich.text import Text as Rich  # noqa: PLC0415  # who has a table has it already

        return Rich.assemble(*self.pieces)


def _styled(content: str, style: str) -> str:
    """Each line by itself, so that what a program takes out of the middle is whole."""
    if style.startswith(_LINK):
        return f"\x1b]8;;{style.removeprefix(_LINK)}\x1b\\{content}\x1b]8;;\x1b\\"
    written, _, behind = style.partition(" on ")
    words = written.split()
    color = next((word for word in words if word not in _FORMS), None)
    forms = {form: True for form in _FORMS if form in words}
    return "\n".join(
        click.style(line, fg=color, bg=behind or None, **forms) if line else "" for line in content.split("\n")
    )
