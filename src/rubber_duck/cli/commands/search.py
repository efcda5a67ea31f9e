"""Find code: words, identifiers, "phrases", /regular expressions/, by path, language and symbol."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder

if TYPE_CHECKING:
    from rubber_duck.cli.styled import Text

NOTHING_FOUND: Final = 1
"""The exit status of a search without a hit, as grep's."""

UNFINISHED: Final = 2
"""The exit status of one that took too long, and had no hit so far."""

_WHY: Final = {
    "declares": "declares",
    "name": "named",
    "arguments": "takes",
    "documentation": "documented",
    "comment": "commented",
    "body": "uses",
    "path": "in",
    "related": "related",
    "meaning": "means something alike",
    "phrase": "says",
    "pattern": "matches",
}
"""Kinds of reasons in a word."""


class _Search(Command):
    """`-path:tests` is query text, wherever it stands: a dash before what is no option says what must not be there."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, with a blank before such text, so that click takes it for what it is."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        takes_value = {name for each in options if not each.is_flag for name in each.opts}
        flags = "".join(name[1] for each in options if each.is_flag for name in each.opts if len(name) == _SHORT)
        is_option = re.compile(rf"-[{flags}]*(?:[{flags}]|n(?:[0-9]+)?)")
        end = args.index("--") if "--" in args else len(args)
        shown = [
            f" {arg}"
            if len(arg) > 1
            and arg.startswith("-")
            and not arg.startswith("--")
            and not is_option.fullmatch(arg)
            and not (at and args[at - 1] in takes_value)
            else arg
            for at, arg in enumerate(args[:end])
        ]
        return super().parse_args(ctx, shown + args[end:])


_SHORT: Final = 2


@click.command(cls=_Search, name="search")
@click.argument("query", nargs=-1, required=True, help="What to look for; see below.")
@click.option("--project", type=click.Path(), default="", help="The project's folder.  [default: this one]")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Hits at the most.")
@click.option(
    "--tests/--no-tests",
    default=None,
    help="Tests and generated files among the others, or not at all.  [default: last]",
)
@click.option("--refresh/--no-refresh", default=True, help="Bring the index up to date first.  [default: yes]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(query: tuple[str, ...], project: str, limit: int, tests: bool | None, refresh: bool, as_json: bool) -> int:
    """Find code, definitions before their uses. The status is 1 when nothing was found.

    \b
    order by date            words: the more and the rarer, the better
    get_queryset  get_*      identifiers, whole or by their beginning
    "select related"         this text, in whatever case
    /def \\w+_view\\(/i        a regular expression (RE2); i for any case
    path:models lang:python symbol:Model.save
    -path:tests -"old"       not there, not with that

    The project is indexed first if need be; nothing is written into it.
    """
    request = {
        "query": " ".join(part[1:] if part.startswith(" -") else part for part in query),
        "project": project,
        "directory": current_folder(),
        "limit": limit,
        "tests": tests,
        "refresh": refresh,
    }
    answer = ask("search", request)
    if as_json:
        drawing.machine(answer)
        return _status(answer)
    for number, hit in enumerate(answer["hits"]):
        drawing.show(*([""] if number else []), *_drawn(hit))
    _remark(answer)
    return _status(answer)


def _status(answer: dict[str, Any]) -> int:
    """A search that was ended before it found anything has not found that there is nothing."""
    if answer["hits"]:
        return 0
    return NOTHING_FOUND if answer["complete"] else UNFINISHED


def _remark(answer: dict[str, Any]) -> None:
    for note in answer.get("notes", ()):
        terminal.note(terminal.printable(note))
    if answer["unknown"]:
        terminal.note(terminal.printable(f"nowhere in {answer['project']}: {', '.join(answer['unknown'])}"))
    if not answer["complete"]:
        terminal.note("the search took too long and was ended early: say a path: or a lang: to look in less")
    elif not answer["hits"] and not current().quiet:
        terminal.note(terminal.printable(f"nothing was found in {answer['project']}"))


def _drawn(hit: dict[str, Any]) -> Iterator[Text]:
    place = drawing.text(f"{hit['path']}:{hit['start_line']}", "bold")
    what = [hit["kind"] if hit["kind"] not in ("code", "text") else "", hit.get("name", "")]
    yield drawing.line(place, drawing.text(" ".join(word for word in what if word), "cyan"))
    digits = len(str(hit["end_line"]))
    for line in hit.get("lines", []):
        yield drawing.text(f"  {line['number']:>{digits}}  ", "dim") + _marked(line)
    if hit.get("outdated"):
        yield drawing.text("  it has changed since it was indexed", "yellow")
    reasons = " · ".join(f"{_WHY[each['kind']]} {', '.join(each['words'])}".rstrip() for each in hit.get("reasons", []))
    remark = " ".join(filter(None, (reasons, "(test or generated)" if hit.get("test") else "")))
    if remark:
        yield drawing.text(f"  {remark}", "dim")


def _marked(line: dict[str, Any]) -> Text:
    """The line with what was found in bold; tabs count as one."""
    written = line["text"]
    parts: list[Text] = []
    at = 0
    for start, end in line["spans"]:
        if start >= at:
            parts += [drawing.text(written[at:start]), drawing.text(written[start:end], "bold yellow")]
            at = end
    joined = drawing.text("")
    for part in (*parts, drawing.text(written[at:])):
        joined += part
    return joined
