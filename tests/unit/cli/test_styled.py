"""Styled lines look as if rich drew them, which most commands do without."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.console import Console
from rich.text import Text as Rich

from rubber_duck.cli.styled import Text


def looks(text: Rich) -> list[tuple[str, object]]:
    """Each letter with how it looks."""
    console, letters = Console(), list[tuple[str, object]]()
    for at, letter in enumerate(text.plain):
        style = text.get_style_at_offset(console, at)
        colors = (each and each.number for each in (style.color, style.bgcolor))
        letters.append((letter, letter == "\n" or (style.bold, style.dim, style.italic, *colors)))
    return letters


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (("plain", ""),),
        (("a.py:1", "bold"), (" ", ""), ("class", "cyan")),
        (("critical", "bold white on red"), ("", "dim"), ("low", "cyan"), ("x", "dim italic"), ("y", "bright_black")),
        (("  12  ", "dim"), ("if x: return", ""), ("y", "bold yellow")),
        (("heading\n", "bold"), ("a\nb", "green")),
        (("x" * 300, "red"),),
    ],
)
def test_text_looks_as_if_rich_drew_it(pieces: tuple[tuple[str, str], ...]) -> None:
    assert looks(Rich.from_ansi(Text(pieces).drawn(colored=True))) == looks(Rich.assemble(*pieces))
    assert Text(pieces).drawn(colored=False) == Text(pieces).plain
    assert Text(pieces).plain == "".join(content for content, _ in pieces)
    assert bool(Text(pieces)) == bool(Text(pieces).plain)
    assert Text(pieces).__rich__() == Rich.assemble(*pieces)


def test_a_link_is_one_for_terminals_that_know_links() -> None:
    link = Text.of("page", "link file:///a%20b")
    assert link.drawn(colored=True) == "\x1b]8;;file:///a%20b\x1b\\page\x1b]8;;\x1b\\"
    assert link.drawn(colored=False) == "page"


def test_texts_are_put_together_each_in_its_own_style() -> None:
    joined = Text.of(", ").join([Text.of("a", "bold"), Text.of("b"), Text.of("c", "dim") + Text.of("d")])
    assert joined.pieces == (("a", "bold"), (", ", ""), ("b", ""), (", ", ""), ("c", "dim"), ("d", ""))
    assert Text.of(", ").join([]) == Text()


def test_what_draws_lines_imports_no_rich() -> None:
    said = (
        "import sys; from rubber_duck.cli import drawing; drawing.show(drawing.text('x')); print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "x\nFalse\n"
