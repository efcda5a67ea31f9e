"""What is known of a project's files at one moment, kept in memory for every ask until one of them changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from rubber_duck.code.symbols import FileSymbols
from rubber_duck.context.repository_map import Ground
from rubber_duck.workspace.listing import LeftOut
from rubber_duck.workspace.paths import display

_DAY_NS: Final = 86_400_000_000_000


class Picture:
    """A project's files, what is in them, and how they lean on each other.

    - `facts`: path → what is in it. `imports`: path → the files it imports.
    - `changed_ns`: the path of every file of the project → when it was changed, in nanoseconds since 1970; files that
      are in no language are among them. `left_out`: what is no part of the project although it lies there.
    """

    def __init__(
        self,
        facts: Mapping[str, FileSymbols],
        imports: Mapping[str, Sequence[str]],
        changed_ns: Mapping[str, int],
        left_out: Sequence[LeftOut] = (),
    ) -> None:
        self.facts = facts
        self.imports = imports
        self.changed_ns = changed_ns
        self._left_out = {each.path: each for each in left_out}
        self._newest_ns = max(changed_ns.values(), default=0)

    def age_days(self, path: str) -> float:
        """How many days a file is older than the newest one of the project, so that no clock is asked."""
        return (self._newest_ns - self.changed_ns.get(path, self._newest_ns)) / _DAY_NS

    def is_there(self, path: str) -> bool:
        """Whether `path` lies in the project's folder, be it a part of the project or not."""
        return path in self.changed_ns or path in self._left_out

    def why_not(self, path: str) -> str:
        """Why `path` is no part of the project; empty where it is one."""
        if path in self.changed_ns:
            return ""
        parts = path.split("/")
        for end in range(len(parts), 0, -1):
            above = "/".join(parts[:end])
            left = self._left_out.get(above)
            if left is not None:
                which = "it" if end == len(parts) else f"the folder '{display(above)}'"
                return f"{which} is left out ({str(left.reason).replace('_', ' ')}: {left.detail})"
        return "there is no such file"

    @cached_property
    def importers(self) -> Mapping[str, Sequence[str]]:
        """Path → the files that import it, sorted."""
        found: dict[str, list[str]] = {}
        for source in sorted(self.imports):
            for target in self.imports[source]:
                found.setdefault(target, []).append(source)
        return found

    @cached_property
    def definers(self) -> Mapping[str, Sequence[tuple[str, int]]]:
        """Name → (path, index of the symbol) of every definition, by path."""
        found: dict[str, list[tuple[str, int]]] = {}
        for path in sorted(self.facts):
            for index, symbol in enumerate(self.facts[path].symbols):
                found.setdefault(symbol.name, []).append((path, index))
        return found

    @cached_property
    def ground(self) -> Ground:
        """What the map is drawn from."""
        return Ground(self.facts, self.imports)
