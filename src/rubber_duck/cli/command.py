"""The click command that every command is: global options at any place, help in sections, paths as given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from rubber_duck.cli.invocation import current
from rubber_duck.cli.listing import first_sentence

_DIGITS: Final = 9
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


def _remember(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # Any: click's values
        if value not in (None, False):
            found = current()
            setattr(found, attribute, value)
            context.color = {"always": True, "never": False}.get(found.color, context.color)

    return callback


def _global(*names: str, attribute: str, help: str, **more: Any) -> click.Option:  # noqa: A002  # click's own name
    return click.Option(
        [*names], help=help, callback=_remember(attribute), expose_value=False, is_eager=True, default=None, **more
    )


GLOBAL_OPTIONS: Final[tuple[click.Option, ...]] = (
    _global("-q", "--quiet", attribute="quiet", is_flag=True, help="Only the result and errors, no progress."),
    _global("-v", "--verbose", attribute="verbose", is_flag=True, help="Also say who answers."),
    _global(
        "-f",
        attribute="format",
        type=click.Choice(["plain", "json", "jsonl", "table"]),
        help="How an answer is written, where a command can write it so.",
    ),
    _global("--server", attribute="server", metavar="NAME", help="Who answers: a server's name, its address, `local`."),
    _global(
        "--color",
        attribute="color",
        type=click.Choice(["auto", "always", "never"]),
        help="When to colour; auto honours NO_COLOR, FORCE_COLOR and the terminal.",
    ),
    _global("--log-level", attribute="log_level", type=click.Choice(LOG_LEVELS), help="What is logged to stderr."),
    _global("--debug", attribute="debug", is_flag=True, help="Show the code and the traceback of an error."),
)
"""Accepted before and after the name of a command."""


_FORMATS: Final = ("answer_format", "format_")
"""The parameters by which a command says how its answer is written; `as_json` is a flag for one of the ways."""


_HELP: Final = ("-h", "--help")


def _help_names(command: click.Command) -> list[str]:
    """In whichever context: click keeps the option that it made in the first, which may have known no `-h`."""
    taken = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return [name for name in _HELP if name not in taken]


class Command(click.Command):
    """A command with the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: passed on to click
        kwargs.setdefault("context_settings", {}).setdefault("help_option_names", list(_HELP))
        super().__init__(*args, **kwargs)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Those that no parameter has."""
        return _help_names(self)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, then the global ones."""
        return [*super().get_params(ctx), *GLOBAL_OPTIONS]

    def invoke(self, ctx: click.Context) -> Any:  # Any: click's
        """As click's, with `-f` put where the command looks for it."""
        wanted = current().format
        if wanted and "as_json" in ctx.params:
            ctx.params["as_json"] = ctx.params["as_json"] or wanted == "json"
        for name in _FORMATS:
            if wanted and name in ctx.params and _takes(self, name, wanted):
                ctx.params[name] = wanted
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Two sections: the command's own options and the global ones."""
        _write_options(self, ctx, formatter)


def _takes(command: click.Command, name: str, value: str) -> bool:
    kind = next((each.type for each in command.params if each.name == name), None)
    return isinstance(kind, click.Choice) and value in kind.choices


class Count(click.ParamType[int]):
    """A whole number of 0 or more; unlike click's range, it says so only to those who write something else."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; a usage error for anything else."""
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _DIGITS:
            return int(value)
        return (
            value if isinstance(value, int) else self.fail(f"{value!r} is not a whole number of 0 or more", param, ctx)
        )


class Group(click.Group):
    """A command with sub-commands and the global options."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: passed on to click
        kwargs.setdefault("context_settings", {}).setdefault("help_option_names", list(_HELP))
        kwargs.setdefault("subcommand_metavar", "COMMAND …")
        super().__init__(*args, **kwargs)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click's, but with whole sentences."""
        rows = [(name, first_sentence(command.help or "")) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """As Command's."""
        return _help_names(self)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """As Command's."""
        return [*super().get_params(ctx), *GLOBAL_OPTIONS]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sub-commands first: they are what is looked for."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)


def _write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    own: list[tuple[str, str]] = []
    shared: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record = None if isinstance(parameter, click.Argument) else parameter.get_help_record(context)
        if record is not None:
            (shared if parameter in GLOBAL_OPTIONS or "--help" in parameter.opts else own).append(record)
    for heading, records in (("Options", own), ("Global options", shared)):
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)
