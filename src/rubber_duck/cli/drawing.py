"""How tables, severities and code are drawn: calm, without boxes, the same in every command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rubber_duck.cli import terminal
from rubber_duck.cli.invocation import current
from rubber_duck.cli.styled import Text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

SEVERITY_STYLES: Final = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "blue",
}
"""As in the text report."""

_LEXERS: Final = {"ecmascript": "javascript", "tsx": "tsx"}


def show(*drawn: RenderableType) -> None:
    """Write each of `drawn`, from a new line, to standard output, coloured as the global options want it.

    Plain lines are as long as they are: the terminal breaks them, and what is copied from them is whole.
    """
    color = current().color
    colored, written = terminal.draws_color(color), ""
    for each in drawn:
        if isinstance(each, str | Text):
            plain = Text.of(each) if isinstance(each, str) else each
            written += plain.drawn(colored=colored) + "\n"
        else:
            console = terminal.console(color)
            with console.capture() as capture:
                console.print(each)
            written += capture.get()
    # rich fills tables up with blanks, which are in the way when lines are copied or searched
    terminal.write("\n".join(line.rstrip() for line in written.split("\n")))


def line(*parts: Text) -> Text:
    """Texts beside each other."""
    return Text.of(" ").join(part for part in parts if part)


def facts(pairs: Mapping[str, object]) -> Text:
    """Names beside their values, a line each; what has several lines has them below each other."""
    column = max(map(len, pairs), default=0)
    return Text.of("\n").join(
        text(f"{name:<{column}}  ", "dim")
        + (value if isinstance(value, Text) else text(str(value).replace("\n", "\n" + " " * (column + 2))))
        for name, value in pairs.items()
    )


def table(*columns: str, right: Sequence[str] = (), wrap: Sequence[str] = ()) -> Table:
    """An empty table; numbers stand in `right` columns, only the `wrap` ones may take several lines."""
    from rich.table import Table  # noqa: PLC0415  # rich is for those who draw

    made = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        made.add_column(
            text(name, "dim"),
            justify="right" if name in right else "left",
            no_wrap=name not in wrap,
            overflow="fold" if name in wrap else "ellipsis",
        )
    return made


def text(content: object, style: str = "") -> Text:
    """`content` as it is, with nothing in it taken for markup or control."""
    return Text.of(terminal.printable(str(content)), style)


def name(content: str, style: str = "") -> Text:
    """As `text`, and on one line: a line end in the name of a file or a project is a part of it."""
    return Text.of(terminal.printable_name(content), style)


def wrapped(content: str, *, indent: int) -> str:
    """A sentence in lines that fit the terminal, each indented by `indent` columns."""
    from textwrap import fill  # noqa: PLC0415  # only where sentences are listed

    margin = " " * indent
    return fill(content, terminal.width(), initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def link(path: Path) -> Text:
    """A path that a terminal which can do so opens."""
    return name(str(path), f"link {path.as_uri()}")


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
    """The answer as JSON, its strange characters in JSON's own escapes: it may be printed to a terminal.

    A byte of a file's name that is not UTF-8 is shown as `\\xff`, because a lone surrogate is refused by many readers.
    """
    import json  # noqa: PLC0415  # only for machines

    from rubber_duck.analysis.visible import valid, visible_json  # noqa: PLC0415  # as above

    terminal.write_utf8(visible_json(json.dumps(valid(answer), indent=2, ensure_ascii=False)))
