"""Asks an engine on behalf of a command, showing how far it is, until it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rubber_duck.cli.invocation import current


def ask(
    name: str, request: dict[str, Any], *, on_text: Callable[[str], None] | None = None
) -> Any:  # Any: builtins of the engine's own shape
    """The answer of the engine that answers to `name`, as builtins.

    `on_text` gets each piece of text as it comes. Raises a DuckError, KeyboardInterrupt on Ctrl-C (the engine was
    cancelled and everything is closed then), SystemExit on SIGTERM and SIGHUP.
    """
    import asyncio  # noqa: PLC0415  # help and completion, which read every command's module, need none of this

    from rubber_duck.cli.conversation import converse  # noqa: PLC0415  # as above: it opens the application

    return asyncio.run(converse(current(), name, request, on_text))
