"""Type one command after the other, while what they need stays open."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from rubber_duck.cli import failures, terminal
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import Invocation, current

if TYPE_CHECKING:
    from rubber_duck.cli.sessions import Session

SLASHES: Final = {
    "help": "Say this.",
    "history": "Show what was typed in this session.",
    "save": "NAME: keep this session under a name.",
    "resume": "NAME: go on with a session that was kept.",
    "sessions": "List the sessions that were kept.",
    "server": "NAME: let another server answer, or `local`; without a name, say which does.",
    "project": "NAME: which project on the server is meant where none is named.",
    "format": "plain, json or table: how answers are written.",
    "clear": "Forget what was typed in this session.",
    "quit": "End, as Ctrl-D does.",
}
"""Commands to the prompt itself, after a slash."""

_NOT_HERE: Final = ("repl", "serve", "work")


@click.command(cls=Command, name="repl")
@click.option("--resume", "name", default="", metavar="NAME", help="Go on with a session that was kept.")
def command(name: str) -> int:
    """Type one command after the other, while what they need stays open.

    Every command works as after `duck`. `\\` at the end of a line, or an open quote, goes on in the next; Tab
    completes; /help lists what begins with a slash. Without a terminal, commands are read line by line from standard
    input, and the status is that of the last one.
    """
    from rubber_duck.cli import reading  # noqa: PLC0415  # help needs none of it
    from rubber_duck.cli.warm import kept_warm  # noqa: PLC0415  # as above

    outer = current()
    talk = Talk(outer)
    with kept_warm(outer, lambda sentence: terminal.note(terminal.printable(sentence))) as (warm, close):
        outer.runner = warm.run
        talk.reopen = close
        if name:
            talk.resume(name)
        for text in reading.lines(SLASHES, os.environ):
            if text.strip() and not talk.answer(text.strip()):
                break
    return talk.code


class Talk:
    """A conversation with the prompt."""

    def __init__(self, invocation: Invocation) -> None:
        from rubber_duck.cli.sessions import Session  # noqa: PLC0415  # as above

        self.invocation = invocation
        self.session: Session = Session(server=invocation.server, format=invocation.format)
        self.reopen: Callable[[], None] = lambda: None
        self.code = 0
        self._own_project = os.environ.get("DUCK_PROJECT", "")
        """Which project is meant where the session names none."""

    def answer(self, text: str) -> bool:
        """Carry out what was typed; False when that was the end."""
        from rubber_duck.errors import DuckError, UnknownName  # noqa: PLC0415  # as above

        if not text.startswith("/"):
            self.session.lines.append(text)
            self.code = self._run(text)
            return True
        name, _, rest = text[1:].partition(" ")
        if name in ("quit", "exit", "q"):
            return False
        self.code = 0
        try:
            if name not in SLASHES:
                raise UnknownName.among("command of the prompt", f"/{name}", [f"/{each}" for each in SLASHES])
            getattr(self, name)(rest.strip())
        except DuckError as error:
            self.code = failures.report(error, self.invocation)
        return True

    def _run(self, text: str) -> int:
        from rubber_duck.cli.main import run  # noqa: PLC0415  # it imports the commands
        from rubber_duck.cli.reading import words_of  # noqa: PLC0415  # as above

        try:
            words = words_of(text)
        except ValueError as error:
            failures.say(self.invocation, f"a quote is open: {error}")
            return failures.FAILED
        words = words[1:] if words[:1] == ["duck"] else words
        if words[:1] and words[0] in _NOT_HERE:
            failures.say(self.invocation, f"{words[0]!r} runs by itself: start it outside of this prompt")
            return failures.FAILED
        outer = self.invocation
        inner = Invocation(
            program=outer.program,
            color=outer.color,
            quiet=outer.quiet,
            verbose=outer.verbose,
            server=outer.server,
            format=outer.format,
            debug=outer.debug,
            log_level=outer.log_level,
            runner=outer.runner,
        )
        return run(words, invocation=inner)

    def help(self, rest: str) -> None:
        """Say what there is."""
        for name, about in SLASHES.items():
            terminal.write(f"/{name:<9} {about}")
        terminal.write("Everything else is a command, as after `duck`: --help lists them.")

    def history(self, rest: str) -> None:
        """Show what was typed."""
        for number, line in enumerate(self.session.lines, 1):
            terminal.write(terminal.printable(f"{number:>4}  {line}"))

    def save(self, rest: str) -> None:
        """Keep the session."""
        from rubber_duck.cli import sessions  # noqa: PLC0415  # as above

        sessions.save(rest, self.session, os.environ)
        terminal.write(f"kept as {rest}; `/resume {rest}` goes on with it")

    def resume(self, rest: str) -> None:
        """Go on with a session."""
        from rubber_duck.cli import sessions  # noqa: PLC0415  # as above

        self.session = sessions.resume(rest, os.environ)
        self.invocation.format = self.session.format
        self._choose(self.session.server, self.session.project)
        terminal.write(f"{terminal.counted(len(self.session.lines), 'command')} of {rest}; /history shows them")

    def sessions(self, rest: str) -> None:
        """List them."""
        from rubber_duck.cli import sessions  # noqa: PLC0415  # as above

        for name in sessions.names(os.environ):
            terminal.write(name)

    def server(self, rest: str) -> None:
        """Say who answers, or let another one."""
        from rubber_duck.cli import profiles  # noqa: PLC0415  # as above

        if rest:
            profiles.chosen(rest, os.environ)
            self._choose(rest, self.session.project)
        found = profiles.chosen(self.invocation.server, os.environ)
        terminal.write("this process answers" if found is None else f"{found.name} answers: {found.url}")

    def project(self, rest: str) -> None:
        """Which project is meant."""
        if rest:
            self._choose(self.invocation.server, rest)
        terminal.write(f"the project is {self.session.project}" if self.session.project else "no project in particular")

    def format(self, rest: str) -> None:
        """How answers are written."""
        from rubber_duck.errors import UnknownName  # noqa: PLC0415  # as above

        if rest not in ("plain", "json", "table"):
            raise UnknownName.among("format", rest, ["plain", "json", "table"])
        self.session.format = self.invocation.format = rest

    def clear(self, rest: str) -> None:
        """Forget what was typed."""
        self.session.lines.clear()

    def _choose(self, server: str, project: str) -> None:
        self.session.server = self.invocation.server = server
        self.session.project = project
        if project or self._own_project:
            os.environ["DUCK_PROJECT"] = project or self._own_project
        else:
            os.environ.pop("DUCK_PROJECT", None)
        self.reopen()
