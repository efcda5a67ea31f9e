"""Makes the command of an engine from its request type, so that registering an engine is enough."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import UnionType
from typing import Any, Final, get_args

import click
import msgspec

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import GLOBAL_OPTIONS, Command, Group
from rubber_duck.cli.plain import plain
from rubber_duck.cli.request import parameter_of, request_from
from rubber_duck.cli.tabled import tabled
from rubber_duck.engines.choices import choices_of
from rubber_duck.engines.engine import Engine, engines

AnyEngine = Engine[Any, Any]  # Any: a command is made for engines of every request and answer

FORMAT: Final = "answer_format"
"""The parameter that every generated command has beside those of its request."""


def command_of(name: str, module: str) -> click.Command:
    """The command of the engine called `name`; `module` is its file's, "" for an engine of a plug-in."""
    if module:
        importlib.import_module(module)
    else:
        engines.discover()
    return command_for(engines[name])


def command_for(engine: type[AnyEngine]) -> click.Command:
    """The command of an engine class: one command, or for a union of requests a group with one for each tag."""
    if not isinstance(engine.request, UnionType):
        return _command(engine.name, engine.name, engine.request, engine.__doc__ or "", tag=None)
    group = Group(engine.name, help=_help(engine.__doc__ or ""))
    for request in get_args(engine.request):
        field, tag = request.__struct_config__.tag_field, request.__struct_config__.tag
        name = str(tag).replace("_", "-")
        group.add_command(_command(engine.name, name, request, request.__doc__ or "", tag=(field, tag)))
    return group


def _command(
    engine: str, name: str, request: type[msgspec.Struct], documentation: str, *, tag: tuple[str, object] | None
) -> click.Command:
    declared = msgspec.inspect.type_info(request)
    assert isinstance(declared, msgspec.inspect.StructType)  # checked when the engine's class was made
    taken = {name for option in GLOBAL_OPTIONS for name in option.opts}
    choices = choices_of(request)
    parameters = [parameter_of(field, taken, choices) for field in declared.fields]
    own = f"--{'answer-' if '--format' in {each for p in parameters for each in p.opts} else ''}format"
    parameters.append(
        click.Option(
            [own, FORMAT],
            type=click.Choice(["plain", "json", "table"]),
            default="plain",
            show_default=True,
            help="How the answer is written.",
        )
    )
    arguments = [each for each in parameters if isinstance(each, click.Argument)]
    # click fills arguments in order, and after an optional one no required one can be told apart
    arguments.sort(key=lambda argument: (not argument.required, argument.nargs == -1))
    options = [each for each in parameters if isinstance(each, click.Option)]

    def callback(**values: Any) -> int:  # Any: click's values
        chosen = values.pop(FORMAT)
        fields = request_from(declared.fields, values)
        return _answer(engine, fields if tag is None else {tag[0]: tag[1], **fields}, chosen)

    return Command(name, params=[*arguments, *options], callback=callback, help=_help(documentation))


def _answer(engine: str, request: dict[str, Any], chosen: str) -> int:
    streamed: list[str] = []

    def on_text(text: str) -> None:
        streamed.append(text)
        terminal.write_piece(terminal.printable(text))

    show: Callable[[str], None] | None = on_text if chosen == "plain" else None
    answer = ask(engine, request, on_text=show)
    if chosen == "json":
        drawing.machine(answer)
    elif chosen == "table":
        drawing.show(*tabled(answer))
    elif streamed:
        terminal.write("" if streamed[-1].endswith("\n") else "\n")
    else:
        terminal.write(plain(answer, terminal.width()))
    return 0


def _help(documentation: str) -> str:
    """A docstring as click's help: paragraphs stay, single line ends do not matter."""
    return documentation.strip()
