"""The classes of a project: what they have, what they inherit from, and what inherits from them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence


class Classes:
    """Classes and their members by number."""

    def __init__(self) -> None:
        self.members: defaultdict[int, dict[str, int]] = defaultdict(dict)
        self.owner: dict[int, int] = {}
        self.bases: dict[int, tuple[int, ...]] = {}
        self._below: defaultdict[int, list[int]] = defaultdict(list)
        self._foreign: set[int] = set()
        self._ancestries: dict[int, list[int]] = {}
        self._descents: dict[int, list[int]] = {}
        self._family: dict[tuple[int, str, bool], list[int]] = {}

    def add_member(self, owner: int, name: str, number: int) -> None:
        """A class has a member; of several of one name the first counts."""
        self.owner[number] = owner
        self.members[owner].setdefault(name, number)

    def link(self, number: int, bases: Iterable[int], *, is_foreign: bool) -> None:
        """A class names its bases; `is_foreign`: one of them is outside of the project."""
        self.bases[number] = tuple(dict.fromkeys(bases))
        for each in self.bases[number]:
            self._below[each].append(number)
        if is_foreign:
            self._foreign.add(number)

    def ancestry(self, number: int) -> list[int]:
        """The class and what it inherits from, nearest first."""
        return _following(self._ancestries, number, self.bases)

    def descent(self, number: int) -> list[int]:
        """The class and what inherits from it, nearest first."""
        return _following(self._descents, number, self._below)

    def in_family(self, number: int, name: str, *, upwards: bool = False) -> list[int]:
        """The member that an instance of the class, or of one below it unless `upwards`, may have under that name."""
        key = (number, name, upwards)
        known = self._family.get(key)
        if known is None:
            heirs = () if upwards else self.descent(number)[1:]
            own = (self.members[each][name] for each in self.ancestry(number) if name in self.members[each])
            nearest = next(own, None)
            below = [self.members[each][name] for each in heirs if name in self.members[each]]
            known = self._family[key] = list(dict.fromkeys([*([] if nearest is None else [nearest]), *below]))
        return known

    def special_methods(self, number: int, pattern: re.Pattern[str]) -> list[int]:
        """The methods of a class, its own or inherited, whose names the pattern matches."""
        found: dict[str, int] = {}
        for each in self.ancestry(number):
            for name, member in self.members.get(each, {}).items():
                if pattern.fullmatch(name):
                    found.setdefault(name, member)
        return list(found.values())

    def called_from_outside(self, number: int) -> list[int]:
        """The methods of a class that has a base outside of the project, which may call them."""
        return list(self.members[number].values()) if number in self._foreign else []


def _following(known: dict[int, list[int]], start: int, after: Mapping[int, Sequence[int]]) -> list[int]:
    found = known.get(start)
    if found is None:
        seen = {start: None}
        layer = [start]
        while layer:
            layer = [each for number in layer for each in after.get(number, ()) if each not in seen]
            seen |= dict.fromkeys(layer)
        found = known[start] = list(seen)
    return found
