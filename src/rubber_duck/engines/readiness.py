"""What engines declare that they use, and which of it is not there: a model for their role, a program, the sandbox."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from rubber_duck.engines.engine import Engine
from rubber_duck.errors import DuckError
from rubber_duck.llm.roles import Role
from rubber_duck.settings import Settings

_ADVICE: Final = {
    "git": "without git nothing is known of changes that are not committed, nor of earlier ones",
    "ruff": "without ruff only RubberDuck's own rules speak",
    "sandbox": "without a sandbox no command is run",
}

AnyEngine = type[Engine[Any, Any]]  # Any: engines of every request and answer


async def lacking(engines: Iterable[AnyEngine], settings: Settings) -> dict[str, tuple[str, ...]]:
    """For each engine, by name, a sentence for everything that it declares to use and that is not there."""
    known: dict[str, str] = {}
    found: dict[str, tuple[str, ...]] = {}
    for engine in engines:
        lacks: list[str] = []
        for used in (*((engine.role.value,) if engine.role is not None else ()), *engine.uses):
            if used not in known:
                known[used] = await _missing(used, settings)
            if known[used]:
                lacks.append(known[used])
        found[engine.name] = tuple(lacks)
    return found


async def _missing(used: str, settings: Settings) -> str:
    if used == "sandbox":
        from rubber_duck.actions.sandbox import sandbox_problem  # noqa: PLC0415  # only where it is asked

        problem = await sandbox_problem()
        return f"{_ADVICE[used]}: {problem}" if problem else ""
    if used in _ADVICE:
        from rubber_duck.workspace.programs import find_program  # noqa: PLC0415  # as above

        return "" if find_program(used) is not None else _ADVICE[used]
    return _no_model(Role(used), settings)


def _no_model(role: Role, settings: Settings) -> str:
    """Why no model can be asked; "" when one is connected and enabled, whether or not it answers now."""
    from rubber_duck.llm.asking import chain_targets  # noqa: PLC0415  # only where it is asked
    from rubber_duck.llm.connections import chain_of, read_connections, split  # noqa: PLC0415  # as above

    try:
        connections = read_connections(Path(settings.home))
        written = {role.value: getattr(settings.llm, role.value)}
        chain_targets(connections.providers, map(split, chain_of(connections, written, role)), role)
    except DuckError as error:
        return error.message
    return ""
