"""One visible decorator registers anything that can be added: engines, rules, languages, later providers, actions."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast

from rubber_duck.errors import Conflict, InvalidDeclaration, UnknownName, normalize


class Named(Protocol):
    """A class that can be registered: it carries its name."""

    name: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Contribution:
    """A plug-in that another distribution adds through an entry point.

    `package` is the distribution with its version, `target` the entry point's `module:class`. `reason` says why the
    plug-in is left out; empty: it is used.
    """

    kind: str
    name: str
    package: str
    target: str
    reason: str = ""

    @property
    def what(self) -> str:
        """The plug-in as a part of a sentence, e.g. `the rule 'no-print' of duck-no-print 0.1`."""
        return (
            f"the {self.kind} {self.name!r} of {self.package}" if self.name else f"every {self.kind} of {self.package}"
        )


T = TypeVar("T")

OnLeftOut = Callable[[Contribution], None]

_OWN: Final = f"{__name__.partition('.')[0]}."
_watchers: Final[list[OnLeftOut]] = []


@contextmanager
def watching(listener: OnLeftOut) -> Iterator[None]:
    """Until the block ends, call `listener` for each plug-in that any registry leaves out."""
    _watchers.append(listener)
    try:
        yield
    finally:
        _watchers.remove(listener)


class Registry(Mapping[str, type[T]], Generic[T]):
    """Name → class, for one kind of plug-in.

    `package` is walked by `discover` so that adding a file is enough; `group` is the entry-point group through
    which other distributions add theirs, subclasses of `of`. A name given twice is a Conflict. `hint` says what to do
    next to somebody who asks for a name that is not there.
    """

    def __init__(
        self,
        kind: str,
        *,
        of: type[object] = object,
        package: str | None = None,
        group: str | None = None,
        hint: str = "",
    ) -> None:
        self.kind = kind
        self.hint = hint
        self.package = package
        self.group = group
        self._of = of
        self._classes: dict[str, type[T]] = {}
        self._contributions: list[Contribution] = []
        self._discovered = False
        self._is_whole = False
        self._discovering = threading.RLock()

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """What other distributions add, as far as it was discovered; those that are left out, too."""
        return tuple(self._contributions)

    @property
    def left_out(self) -> dict[str, Contribution]:
        """Those that are left out, by name."""
        return {each.name: each for each in self._contributions if each.reason}

    def add(self, cls: type[T]) -> type[T]:
        """Register `cls` under its `name`; the class itself is returned, so this is a decorator.

        A name of ours stays ours: when another distribution's module took it first, its class is left out.
        """
        name = getattr(cls, "name", None)
        if not isinstance(cls, type) or not isinstance(name, str) or not name:
            raise InvalidDeclaration(f"{cls!r} cannot be a {self.kind}: it needs a class attribute `name`")
        held = self._classes.get(name)
        if held is not None and held is not cls:
            conflict = Conflict(f"two {self.kind}s are called {name!r}: {_place(held)} and {_place(cls)}; rename one")
            if _is_own(held) or not _is_own(cls):
                raise conflict
            package = held.__module__.partition(".")[0]
            self._contribute(Contribution(self.kind, name, package, _place(held), conflict.message))
        self._classes[name] = cls
        return cls

    def discover(self) -> Registry[T]:
        """Import every module of the package and every entry point, once; return self.

        A plug-in of another distribution that cannot be imported or registered is left out (see `contributions` and
        `watching`); a module of ours that cannot raises.
        """
        if self._is_whole:
            return self
        with self._discovering:  # other threads wait: half a registry knows half of the names
            if not self._discovered:  # what is imported may ask for the registry itself
                self._import_own()
                self._discovered = True
                if self.group is not None:
                    for found in _entry_points(self.kind, self.group):
                        self._contribute(found if isinstance(found, Contribution) else self._load(*found))
                self._is_whole = True
        return self

    def _import_own(self) -> None:
        """Import what is ours, each module of which registers its classes."""
        if self.package is not None:
            root = importlib.import_module(self.package)
            for module in pkgutil.walk_packages(root.__path__, prefix=f"{self.package}."):
                importlib.import_module(module.name)

    def is_own(self, name: str) -> bool:
        """Whether the class of that name is RubberDuck's own, not one of another distribution."""
        return name in self._classes and _is_own(self._classes[name])

    def leave_out(self, name: str, reason: str) -> bool:
        """Take out the plug-in `name` of another distribution, which turned out not to work, because of `reason`.

        False, and nothing happens, when it is ours.
        """
        if name not in self._classes or self.is_own(name):
            return False
        held = self._classes.pop(name)
        before = next((each for each in self._contributions if each.name == name and not each.reason), None)
        if before is None:
            before = Contribution(self.kind, name, held.__module__.partition(".")[0], _place(held))
        else:
            self._contributions.remove(before)
        self._contribute(replace(before, reason=reason))
        return True

    def _load(self, package: str, point: EntryPoint) -> Contribution:
        """Import and register what an entry point leads to; nothing of it stays when that fails."""
        held = dict(self._classes)
        contribution = Contribution(self.kind, point.name, package, point.value)
        try:
            self.add(self._checked(point.name, point.load()))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever foreign code raises ends here
            self._classes = held
            ended = f"its module ends the program ({error!r})"
            return replace(contribution, reason=ended if isinstance(error, SystemExit) else normalize(error).message)
        return contribution

    def _checked(self, name: str, loaded: Any) -> type[T]:  # Any: an entry point may lead to anything
        if not isinstance(loaded, type) or not issubclass(loaded, self._of):
            raise InvalidDeclaration(f"its entry point leads to {loaded!r}, which is no {self.kind} class")
        if getattr(loaded, "name", None) != name:
            given = getattr(loaded, "name", None)
            raise InvalidDeclaration(f"its entry point is called {name!r} and its class {given!r}; give both one name")
        if inspect.isabstract(loaded):
            missing = ", ".join(sorted(getattr(loaded, "__abstractmethods__", ())))
            raise InvalidDeclaration(f"its class does not define {missing}")
        return cast(type[T], loaded)

    def _contribute(self, contribution: Contribution) -> None:
        self._contributions.append(contribution)
        if contribution.reason:
            for listener in _watchers:
                listener(contribution)

    def __getitem__(self, name: str) -> type[T]:
        try:
            return self._classes[name]
        except KeyError:
            raise self.unknown(name) from None

    def unknown(self, name: str, known: Iterable[str] | None = None) -> UnknownName:
        """The error for a `name` that is not there: why it was left out, or the nearest of `known` (None: of all)."""
        if (left := self.left_out.get(name)) is not None:
            return UnknownName(f"{left.what} is left out: {left.reason}")
        return UnknownName.among(self.kind, name, self._classes if known is None else known, hint=self.hint)

    def get(self, name: str, default: Any = None) -> Any:  # Any: as Mapping has it
        """The class of that name, or `default`."""
        return self._classes.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        return len(self._classes)


def _entry_points(kind: str, group: str) -> Iterator[tuple[str, EntryPoint] | Contribution]:
    """Each entry point of `group` with its distribution, sorted; one whose metadata cannot be read as left out.

    Of a distribution that is installed twice, the one found first counts, as for imports.
    """
    found: dict[str, list[tuple[str, EntryPoint] | Contribution]] = {}
    for distribution in distributions():
        try:
            if group not in (distribution.read_text("entry_points.txt") or ""):
                continue  # most: reading their names, too, would take ten times as long
        except UnicodeDecodeError:
            continue  # nothing says that it wants to add anything here
        try:
            named, points = _points(distribution, group)
        except Exception as error:  # noqa: BLE001  # somebody else's files
            where = str(getattr(distribution, "_path", distribution))
            reason = f"its entry points cannot be read: {normalize(error).message}"
            found.setdefault(where, [Contribution(kind, "", where, group, reason)])
            continue
        if points:
            found.setdefault(named.partition(" ")[0].lower().replace("_", "-"), [(named, each) for each in points])
    for name in sorted(found):
        yield from found[name]


def _points(distribution: Distribution, group: str) -> tuple[str, list[EntryPoint]]:
    """The distribution's name and version, and its entry points in `group`, sorted by name."""
    points = sorted(distribution.entry_points.select(group=group), key=lambda point: point.name)
    return f"{distribution.name} {distribution.version}", points


def _is_own(cls: type) -> bool:
    return f"{cls.__module__}.".startswith(_OWN)


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
