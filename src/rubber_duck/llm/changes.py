"""What an administrator changed in the connected models, in the words of the audit. Keys are never among them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from rubber_duck.llm.connections import Connection, Connections


def changes(before: Connections, after: Connections) -> Iterator[tuple[str, str]]:
    """Each change as an action and its subject; nothing when both are the same."""
    for name in sorted(before.providers.keys() | after.providers.keys()):
        yield from _of_provider(name, before.providers.get(name), after.providers.get(name))
    for role in sorted(before.roles.keys() | after.roles.keys()):
        chain = after.roles.get(role, ())
        if chain != before.roles.get(role, ()):
            yield "model.use", f"{role.value} {' '.join(chain) or 'none'}"


def _of_provider(name: str, before: Connection | None, after: Connection | None) -> Iterator[tuple[str, str]]:
    if after is None:
        yield "provider.disconnect", name
        return
    if before is not None and before.is_enabled != after.is_enabled:
        yield "provider.enable" if after.is_enabled else "provider.disable", name
        before = replace(before, is_enabled=after.is_enabled)
    if before != after:
        yield "provider.connect", f"{name} {after.flavor} {after.url}"
