"""One visible decorator registers anything that can be added: engines, rules, languages, later providers, actions."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rubber_duck.errors import Conflict, DuckError, InvalidDeclaration, UnknownName, normalize


class Named(Protocol):
    """A class that can be registered: it carries its name."""

    name: ClassVar[str]


T = TypeVar("T")


class Registry(Mapping[str, type[T]], Generic[T]):
    """Name → class, for one kind of plug-in.

    `package` is walked by `discover` so that adding a file is enough; `group` is the entry-point group through
    which other distributions add theirs. A name given twice is a Conflict. `hint` says what to do next to somebody
    who asks for a name that is not there.
    """

    def __init__(self, kind: str, *, package: str | None = None, group: str | None = None, hint: str = "") -> None:
        self.kind = kind
        self.hint = hint
        self.package = package
        self.group = group
        self._classes: dict[str, type[T]] = {}
        self._discovered = False

    def add(self, cls: type[T]) -> type[T]:
        """Register `cls` under its `name`; the class itself is returned, so this is a decorator."""
        name = getattr(cls, "name", None)
        if not isinstance(cls, type) or not isinstance(name, str) or not name:
            raise InvalidDeclaration(f"{cls!r} cannot be a {self.kind}: it needs a class attribute `name`")
        held = self._classes.get(name)
        if held is not None and held is not cls:
            raise Conflict(
                f"two {self.kind}s are called {name!r}: {held.__module__}.{held.__qualname__} and "
                f"{cls.__module__}.{cls.__qualname__}; rename one"
            )
        self._classes[name] = cls
        return cls

    def discover(self) -> Registry[T]:
        """Import every module of the package and every entry point, once; return self.

        Raises InvalidDeclaration or Conflict for a plug-in that cannot be registered; the next call tries again.
        """
        if self._discovered:
            return self
        if self.package is not None:
            root = importlib.import_module(self.package)
            for module in pkgutil.walk_packages(root.__path__, prefix=f"{self.package}."):
                importlib.import_module(module.name)
        if self.group is not None:
            for point in entry_points(group=self.group):
                self._load(point)
        self._discovered = True
        return self

    def _load(self, point: EntryPoint) -> None:
        named = f"the entry point {point.name!r} of group {self.group!r}"
        try:
            loaded = point.load()
        except DuckError:
            raise
        except Exception as error:
            raise InvalidDeclaration(
                f"{named} leads to {point.value!r}, which cannot be imported: {normalize(error).message}; "
                "repair or uninstall that distribution"
            ) from error
        if not isinstance(loaded, type) or getattr(loaded, "name", None) != point.name:
            raise InvalidDeclaration(f"{named} must lead to a {self.kind} class whose `name` is {point.name!r}")
        self.add(loaded)

    def __getitem__(self, name: str) -> type[T]:
        try:
            return self._classes[name]
        except KeyError:
            raise UnknownName.among(self.kind, name, self._classes, hint=self.hint) from None

    def get(self, name: str, default: Any = None) -> Any:  # Any: as Mapping has it
        """The class of that name, or `default`."""
        return self._classes.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        return len(self._classes)
