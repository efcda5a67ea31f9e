"""How tables, severities and code are drawn: calm, without boxes, the same in every command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rubber_duck.cli import terminal
from rubber_duck.cli.invocation import current

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

SEVERITY_STYLES: Final = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "blue",
}
"""As in the text report."""

_LEXERS: Final = {"ecmascript": "javascript", "tsx": "tsx"}


def console() -> Console:
    """Standard output as the global options want it coloured."""
    return terminal.console(current().color)


def table(*columns: str, right: Sequence[str] = (), wrap: Sequence[str] = ()) -> Table:
    """An empty table; numbers stand in `right` columns, only the `wrap` ones may take several lines."""
    from rich.table import Table  # noqa: PLC0415  # rich is for those who draw

    made = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for name in columns:
        made.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name not in wrap,
            overflow="fold" if name in wrap else "ellipsis",
        )
    return made


def text(content: object, style: str = "") -> Text:
    """`content` as it is, with nothing in it taken for markup or control."""
    from rich.text import Text  # noqa: PLC0415  # as in table

    return Text(terminal.printable(str(content)), style=style)


def severity(label: str) -> Text:
    """A severity in its colour."""
    return text(label, SEVERITY_STYLES.get(label, ""))


def code(content: str, language: str) -> RenderableType:
    """A snippet with its syntax coloured, indented."""
    from rich.padding import Padding  # noqa: PLC0415  # as in table
    from rich.syntax import Syntax  # noqa: PLC0415  # brings Pygments

    shown = Syntax(
        terminal.printable(content), _LEXERS.get(language, language), theme="ansi_dark", background_color="default"
    )
    return Padding(shown, (0, 0, 0, 4))


def markdown(content: str) -> RenderableType:
    """Documentation, indented like the rest."""
    from rich.markdown import Markdown  # noqa: PLC0415  # as in table
    from rich.padding import Padding  # noqa: PLC0415  # as in table

    return Padding(Markdown(terminal.printable(content), code_theme="ansi_dark"), (0, 0, 0, 2))


def machine(answer: Any) -> None:  # Any: builtins of any shape
    """The answer as JSON."""
    import json  # noqa: PLC0415  # only for machines

    terminal.write_utf8(json.dumps(answer, indent=2, ensure_ascii=False))
