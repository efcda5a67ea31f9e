"""The entry point of `duck`: finds the command that is called, runs it, and turns every failure into a sentence."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from rubber_duck import __version__
from rubber_duck.cli import listing, terminal
from rubber_duck.cli.command import Group
from rubber_duck.cli.invocation import Invocation, current
from rubber_duck.cli.program import started

_COMPLETION_VARIABLE = "_DUCK_COMPLETE"


class Duck(Group):
    """The program: its commands are files, imported only when called."""

    _found: tuple[str, click.Command | None] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return list(listing.entries())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name; None when there is none."""
        if self._found is not None and self._found[0] == cmd_name:  # click asks twice
            return self._found[1]
        self._found = (cmd_name, self._imported(cmd_name))
        return self._found[1]

    def _imported(self, name: str) -> click.Command | None:
        entry = listing.find(name)
        if entry is None:
            return None
        if ".cli." in entry.module:
            command: click.Command = importlib.import_module(entry.module).command
            return command
        from rubber_duck.cli.generated import command_of  # noqa: PLC0415  # needs the engines' types

        return command_of(entry.name, entry.module)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but a suggestion is looked for among all our commands."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from rubber_duck.errors import did_you_mean  # noqa: PLC0415  # only for mistakes

            known = self.list_commands(ctx)
            message = f"there is no command {args[0]!r}{did_you_mean(args[0], known)}"
            raise click.exceptions.NoSuchCommand(args[0], message, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands under a heading per kind, importing none of them."""
        found = listing.entries().values()
        indent = max((len(entry.name) for entry in found), default=0)
        for kind in listing.Kind:
            rows = [(entry.name.ljust(indent), entry.about) for entry in found if entry.kind is kind]
            if rows:
                with formatter.section(kind.value):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click's, but the commands in it are as a person has to type them."""
        formatter.write_paragraph()
        with formatter.indentation():
            for line in current().as_called(self.epilog or "").splitlines():
                formatter.write_text(line)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:  # Any: click's CompletionItem
        """As click's, importing no command."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  # only for completion

        names = [
            CompletionItem(entry.name, help=entry.about)
            for entry in listing.entries().values()
            if entry.name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> NoReturn:  # Any: click's
        """Run and exit; click's test runner calls this."""
        sys.exit(run(sys.argv[1:] if args is None else args, invocation=extra.get("obj")))


def _show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        terminal.write(f"duck {__version__}")
        ctx.exit()


@click.pass_context
def _without_command(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        terminal.write(context.get_help())


duck = Duck(
    "duck",
    help="RubberDuck knows your code. It runs on this machine alone: nothing leaves it unless you configure so.",
    epilog="Begin with `duck up PROJECT`.\nEach command explains itself: `duck COMMAND --help`.",
    callback=_without_command,
    invoke_without_command=True,
    params=[
        click.Option(
            ["-V", "--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version.",
        )
    ],
)


def run(arguments: Sequence[str], *, invocation: Invocation | None = None) -> int:
    """Run one command; return the exit code. Nothing is raised."""
    invocation = invocation or Invocation()
    try:
        terminal.prepare()
        code = _invoke(arguments, invocation)
        terminal.flush()
    except BaseException as error:  # noqa: BLE001  # the boundary: every failure becomes a sentence
        return _reported(error, invocation)
    return code


def main() -> NoReturn:
    """The console script."""
    if instruction := os.environ.get(_COMPLETION_VARIABLE):
        from click.shell_completion import shell_complete  # noqa: PLC0415  # only for completion

        sys.exit(shell_complete(duck, {}, "duck", _COMPLETION_VARIABLE, instruction))
    sys.exit(run(sys.argv[1:], invocation=Invocation(program=started().command())))


def _invoke(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        with duck.make_context("duck", list(arguments), obj=invocation, terminal_width=terminal.width()) as context:
            result = duck.invoke(context)
    except click.exceptions.Exit as ending:
        return ending.exit_code
    return result if isinstance(result, int) else 0


def _reported(error: BaseException, invocation: Invocation) -> int:
    from rubber_duck.cli import failures  # noqa: PLC0415  # only for failures: it imports the errors

    code = failures.report(error, invocation)
    try:
        terminal.flush()
    except OSError:  # the reader went while the failure was told
        terminal.discard(sys.stdout)
    return code
