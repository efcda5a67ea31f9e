"""Print the script that lets a shell complete commands, options and paths."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

from rubber_duck.cli import terminal
from rubber_duck.cli.command import Command

VARIABLE: Final = "_DUCK_COMPLETE"
"""What the script sets when it asks `duck` for completions."""

_PLACES: Final = {
    "bash": 'eval "$(duck completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(duck completion zsh)" in ~/.zshrc, after compinit',
    "fish": "duck completion fish > ~/.config/fish/completions/duck.fish",
}


@click.command(
    cls=Command, name="completion", epilog="\b\n" + "\n".join(f"{shell}: {place}" for shell, place in _PLACES.items())
)
@click.argument("shell", type=click.Choice(tuple(_PLACES)), help="Which shell.")
def command(shell: str) -> None:
    """Print the script that lets a shell complete commands, options and paths."""
    program = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    assert found is not None  # Choice lets no other through
    # the base class's, because bash's own would start bash to ask for its version
    terminal.write(ShellComplete.source(found(program, {}, "duck", VARIABLE)))
