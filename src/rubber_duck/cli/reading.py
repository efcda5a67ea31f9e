"""Reads what is typed into `duck repl`: with history, completion and several lines at a terminal, else line by line."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from rubber_duck.cli import listing, terminal
from rubber_duck.cli.profiles import home
from rubber_duck.settings.home import make_private_folder

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.document import Document

PROMPT: Final = "duck> "
_MORE: Final = "  ... "


def is_whole(text: str) -> bool:
    """Whether nothing is missing: no `\\` at the end, every quote closed."""
    if text.rstrip(" ").endswith("\\"):
        return False
    try:
        shlex.split(text)
    except ValueError:
        return False
    return True


def words_of(text: str) -> list[str]:
    """The words of a command, as a shell reads them; `\\` at the end of a line joins it with the next."""
    return shlex.split(text.replace("\\\n", " "))


def lines(slashes: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[str]:
    """What is typed, one whole command after the other, until there is no more."""
    if terminal.is_terminal(sys.stdin):
        yield from typed(slashes, variables)
        return
    waiting = ""
    for line in sys.stdin:
        waiting += line
        if is_whole(waiting.rstrip("\n")):
            yield waiting.rstrip("\n")
            waiting = ""
    if waiting.strip():
        yield waiting.rstrip("\n")


def suggestions(before: str, slashes: Iterable[str], options: Callable[[str], list[str]]) -> list[tuple[str, int]]:
    """How the word before the cursor may end, each with how many characters of it are there: names, then options."""
    words = before.split(" ")
    word = words[-1]
    if len(words) == 1:
        known = [*(f"/{each}" for each in slashes), *listing.entries()]
        return [(each, len(word)) for each in sorted(known) if each.startswith(word) and (word or each[0] != "/")]
    if word.startswith("-") or not word:
        found = [each for each in options(" ".join(words[:-1])) if each.startswith(word)]
        return [(each, len(word)) for each in found]
    return _paths(word)


def _paths(word: str) -> list[tuple[str, int]]:
    folder, name = os.path.split(word)
    try:
        with os.scandir(folder or ".") as found:
            there = [(each.name, each.is_dir()) for each in found]
    except OSError:
        return []
    matching = sorted(each for each in there if each[0].startswith(name) and (name or not each[0].startswith(".")))
    return [(shlex.quote(each) + ("/" if is_folder else ""), len(name)) for each, is_folder in matching[:200]]


def typed(slashes: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[str]:
    """What somebody types at a terminal; Ctrl-C gives a line up, Ctrl-D ends."""
    from prompt_toolkit import PromptSession  # noqa: PLC0415  # only where somebody types
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory  # noqa: PLC0415  # as above
    from prompt_toolkit.filters import Condition  # noqa: PLC0415  # as above
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory  # noqa: PLC0415  # as above

    history: History = InMemoryHistory()
    with suppress(OSError):  # a home that cannot be written has no history
        path = home(variables) / "repl_history"
        make_private_folder(path.parent)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        history = FileHistory(str(path))
    session: PromptSession[str] = PromptSession(
        history=history,
        auto_suggest=AutoSuggestFromHistory(),
        completer=completer(slashes),
        complete_while_typing=False,
    )
    multiline = Condition(lambda: not is_whole(session.default_buffer.text))
    while True:
        try:
            yield session.prompt(PROMPT, multiline=multiline, prompt_continuation=_MORE)
        except KeyboardInterrupt:
            continue  # as in every shell: the line is given up, and one goes on
        except EOFError:
            return


def completer(slashes: Mapping[str, str]) -> Completer:
    """Completes names of commands, their sub-commands and options, and paths."""
    from prompt_toolkit.completion import Completer, Completion  # noqa: PLC0415  # as in typed

    class Names(Completer):
        def get_completions(self, document: Document, complete_event: Any) -> Iterator[Completion]:  # Any: unused
            for text, there in suggestions(document.text_before_cursor, slashes, options_of):
                yield Completion(text, start_position=-there)

    return Names()


def options_of(command: str) -> list[str]:
    """Sub-commands and options of a command."""
    import click  # noqa: PLC0415  # commands are imported only when their options are asked for

    from rubber_duck.cli.main import duck  # noqa: PLC0415  # as above

    with suppress(ValueError, click.ClickException):
        words = shlex.split(command)
        context = click.Context(duck, info_name="duck")
        found: click.Command | None = duck.get_command(context, words[0]) if words else None
        if isinstance(found, click.Group) and len(words) > 1:
            found = found.commands.get(words[1], found)
        if found is None:
            return []
        names = sorted(found.commands) if isinstance(found, click.Group) else []
        return names + [max(each.opts, key=len) for each in found.get_params(context) if isinstance(each, click.Option)]
    return []
