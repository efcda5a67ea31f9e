"""Which definitions of a project a name may mean at a place: scopes, imports, classes and what they inherit."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from rubber_duck.code.classes import Classes
from rubber_duck.code.graph import GraphFile
from rubber_duck.code.language import family
from rubber_duck.code.likeness import resembles
from rubber_duck.code.modules import PathModules, PythonModules
from rubber_duck.code.symbols import Symbol, SymbolKind
from rubber_duck.code.written import NAMES, Written, annotated

T = TypeVar("T")

CALLABLE: Final = frozenset(
    {
        SymbolKind.FUNCTION,
        SymbolKind.METHOD,
        SymbolKind.PROPERTY,
        SymbolKind.MACRO,
        SymbolKind.GUARD,
        SymbolKind.CALLBACK,
    }
)
CLASSES: Final = frozenset(
    {
        SymbolKind.CLASS,
        SymbolKind.MODULE,
        SymbolKind.STRUCT,
        SymbolKind.PROTOCOL,
        SymbolKind.IMPLEMENTATION,
        SymbolKind.INTERFACE,
        SymbolKind.ENUM,
    }
)
_OWN: Final = frozenset({"self", "cls", "this", "mcs"})
_ROOTS: Final = frozenset(
    {"object", "metaclass", "ABC", "abc.ABC", "Generic", "t.Generic", "typing.Generic", "Exception"}
)
_BASES: Final = re.compile(r"\((.*)\)|\bextends\s+([\w.$]+)")
_DEEPEST: Final = 8


class Scopes:
    """The definitions of a project by number, and what names mean in it. Nothing is read from disk."""

    def __init__(self, files: Mapping[str, GraphFile], texts: Mapping[str, str]) -> None:
        self._files = files
        self._texts = texts
        self._defined: list[tuple[str, Symbol | None]] = []
        self.numbers: dict[tuple[str, str], int] = {}
        self._by_name: defaultdict[str, list[int]] = defaultdict(list)
        self._top: dict[str, dict[str, int]] = {}
        self._around: dict[str, list[int]] = {}
        self._written: dict[str, Written] = {}
        self._names: list[str] = []
        self._methods: dict[str, list[int]] = {}
        self._again: dict[int, list[Symbol]] = {}
        self._likely: dict[tuple[str, str], frozenset[int]] = {}
        self._outers: dict[int, tuple[tuple[str, int | None], ...]] = {}
        self.classes = Classes()
        for path, file in files.items():
            self._add(path, file.symbols.symbols)
        self._imported: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {}
        self._stars: dict[str, tuple[str, ...]] = {}
        self._link_imports()
        self._link_classes()
        self._types: dict[int, dict[str, frozenset[int]]] = {}

    def definitions_as(
        self, make: Callable[[str, str, SymbolKind, int, int, tuple[tuple[int, int], ...]], T]
    ) -> Iterator[T]:
        """Each definition in the order of the numbers, with the other stretches of lines that define the same."""
        for number, (path, symbol) in enumerate(self._defined):
            if symbol is None:
                yield make(path, "", SymbolKind.MODULE, 1, self._texts.get(path, "").count("\n") + 1, ())
            else:
                every = [symbol, *self._again.get(number, ())]
                main = max(every, key=lambda each: each.end_line - each.start_line)
                others = tuple((each.start_line, each.end_line) for each in every if each is not main)
                yield make(path, symbol.qualified_name, symbol.kind, main.start_line, main.end_line, others)

    def is_defined(self, name: str) -> bool:
        """Whether the project defines something of that name, or some file imports under it."""
        return name in self._by_name or name in self._aliases

    def innermost(self, path: str, line: int) -> int:
        """The smallest definition around a line; the file's own where it is in none."""
        around = self._around[path]
        return around[line] if line < len(around) else self.numbers[path, ""]

    def meant(self, path: str, source: int, name: str, receiver: str | None) -> tuple[list[int], frozenset[int]]:
        """What `name` may mean in the definition `source` of a file, and which of that is more likely, if any."""
        if receiver is None:
            return self._bare(path, source, name), frozenset()
        known = self._classes_of(path, source, receiver)
        if known:
            upwards = receiver == "super()"
            found = [each for known_class in known for each in self._in_family(known_class, name, upwards=upwards)]
            if found:
                return list(dict.fromkeys(found)), frozenset()
        module = self._imported.get(path, {}).get(receiver)
        if module is not None and receiver not in _OWN:
            found = self._through(module, name)
            if found:
                return found, frozenset()
        methods = self._methods.get(name)
        if methods is None:
            named = self._by_name.get(name, [])
            methods = self._methods[name] = [each for each in named if each in self.classes.owner] or named
        return methods, self._likely_methods(name, receiver, methods) if receiver else frozenset()

    def _likely_methods(self, name: str, receiver: str, methods: Sequence[int]) -> frozenset[int]:
        """Those whose class is called like what stands before the dot."""
        found = self._likely.get((name, receiver))
        if found is None:
            owned = (each for each in methods if each in self.classes.owner)
            found = frozenset(each for each in owned if resembles(receiver, self._names[self.classes.owner[each]]))
            self._likely[name, receiver] = found
        return found

    def below(self, path: str, symbols: Sequence[Symbol], parent: int | None) -> Iterator[tuple[str, str]]:
        """(path, qualified name) of the functions for which a fixture beside them holds without being asked for."""
        if parent is not None:
            inside = symbols[parent].qualified_name + "."
            holder = self.numbers.get((path, symbols[parent].qualified_name))
            heirs = self.classes.descent(holder) if holder is not None else ()
            for number in heirs:
                yield from (
                    (self._defined[each][0], self._names[each]) for each in self.classes.members[number].values()
                )
            yield from ((path, each.qualified_name) for each in symbols if each.qualified_name.startswith(inside))
            return
        folder, _, name = path.rpartition("/")
        for where, file in self._files.items():
            if where == path or (name.startswith("conftest") and where.startswith(f"{folder}/" if folder else "")):
                yield from ((where, each.qualified_name) for each in file.symbols.symbols if each.kind in CALLABLE)

    def _add(self, path: str, symbols: Sequence[Symbol]) -> None:
        self.numbers[path, ""] = len(self._defined)
        self._defined.append((path, None))
        self._names.append("")
        top = self._top[path] = {}
        own = self.numbers[path, ""]
        around = self._around[path] = [own] * (max((each.end_line for each in symbols), default=0) + 1)
        for symbol in symbols:
            if symbol.kind not in CALLABLE and symbol.kind not in CLASSES:
                continue
            known = self.numbers.get((path, symbol.qualified_name))
            number = len(self._defined) if known is None else known
            # parents stand before children, so that the smallest is written last
            around[symbol.start_line : symbol.end_line + 1] = [number] * (symbol.end_line + 1 - symbol.start_line)
            if known is not None:  # an overload, a setter, another clause of the same function
                self._again.setdefault(known, []).append(symbol)
                continue
            self.numbers[path, symbol.qualified_name] = number
            self._defined.append((path, symbol))
            self._names.append(symbol.qualified_name)
            self._by_name[symbol.name].append(number)
            outer = None if symbol.parent is None else symbols[symbol.parent]
            if outer is None:
                top.setdefault(symbol.name, number)
            elif outer.kind in CLASSES and (path, outer.qualified_name) in self.numbers:
                owner = self.numbers[path, outer.qualified_name]
                self.classes.add_member(owner, symbol.name, number)

    def _link_imports(self) -> None:
        by_family: dict[str, PythonModules | PathModules] = {
            "python": PythonModules(path for path, file in self._files.items() if family(file.language) == "python"),
            "ecmascript": PathModules(
                path for path, file in self._files.items() if family(file.language) == "ecmascript"
            ),
        }
        for path, file in self._files.items():
            resolver = by_family.get(family(file.language))
            names = self._imported[path] = {}
            stars: list[str] = []
            if resolver is None:
                continue
            for edge, (_, _, targets) in zip(file.symbols.imports, resolver.targets(path, file.symbols), strict=True):
                if not targets:
                    continue
                for each in edge.names:
                    if each.name == "*":
                        stars += targets
                    else:
                        names[each.alias or each.name] = (targets, each.name)
                if edge.alias or (not edge.names and "." not in edge.module):
                    names[edge.alias or edge.module] = (targets, "")
                elif not edge.names:
                    names.setdefault(edge.module.partition(".")[0], (self._package(edge.module, targets), ""))
            self._stars[path] = tuple(stars)
        self._aliases = frozenset(alias for names in self._imported.values() for alias in names)

    def _package(self, module: str, targets: Sequence[str]) -> tuple[str, ...]:
        """The file of `a` where `import a.b` was answered by `targets`."""
        found: list[str] = []
        for target in targets:
            folders = target.removesuffix("/__init__.py").split("/")[: -module.count(".")]
            package = "/".join([*folders, "__init__.py"])
            found += [package] if package in self._files else []
        return tuple(found) or tuple(targets)

    def _link_classes(self) -> None:
        for (path, _), number in self.numbers.items():
            symbol = self._defined[number][1]
            if symbol is None or symbol.kind not in CLASSES:
                continue
            named = _BASES.search(symbol.signature)
            found: list[int] = []
            is_foreign = False
            for base in NAMES.findall(named[1] or named[2] or "") if named else ():
                named_so = [each for each in self._dotted(path, base) if self._is_class(each) and each != number]
                found += named_so
                if not named_so and base not in _ROOTS:
                    is_foreign = True
            self.classes.link(number, found, is_foreign=is_foreign)

    def _is_class(self, number: int) -> bool:
        symbol = self._defined[number][1]
        return symbol is not None and symbol.kind in CLASSES

    def _bare(self, path: str, source: int, name: str) -> list[int]:
        """Scope by scope: inner functions, the file, what it imports; then any function of that name."""
        for outer, holder in self._around_of(path, source):
            number = self.numbers.get((path, outer + name))
            if number is not None and (number not in self.classes.owner or holder == source):
                return [number]
        found = self._top[path].get(name)
        imported = self._imported.get(path, {}).get(name)
        if found is not None or imported is not None:  # both: an import in a function hides the file's own
            own = [] if found is None else [found]
            return list(dict.fromkeys([*own, *(self._through(imported, "") if imported is not None else ())]))
        for star in self._stars.get(path, ()):
            exported = self._exported(star, name, _DEEPEST)
            if exported:
                return exported
        return [] if family(self._files[path].language) == "python" else list(self._by_name.get(name, ()))

    def _around_of(self, path: str, source: int) -> tuple[tuple[str, int | None], ...]:
        """The definition and those around it, each as the prefix of the names in it and its number."""
        found = self._outers.get(source)
        if found is None:
            around: list[tuple[str, int | None]] = []
            outer = self._names[source]
            while outer:
                around.append((outer + ".", self.numbers.get((path, outer))))
                outer = outer.rpartition(".")[0]
            found = self._outers[source] = tuple(around)
        return found

    def _through(self, imported: tuple[tuple[str, ...], str], attribute: str) -> list[int]:
        """What an imported name means, or with an attribute what that attribute of the imported module does."""
        targets, name = imported
        found: list[int] = []
        for target in targets:
            own = [] if not name else self._exported(target, name, _DEEPEST)
            if attribute and own:
                found += [each for number in own for each in self._in_family(number, attribute)]
            elif attribute:
                found += self._exported(target, attribute, _DEEPEST)
            else:
                found += own or [self.numbers[target, ""]]
        return list(dict.fromkeys(found))

    def _exported(self, path: str, name: str, depth: int) -> list[int]:
        """What `name` means to those who import it from the file."""
        found = self._top.get(path, {}).get(name)
        if found is not None:
            return [found]
        if not depth:
            return []
        passed = self._imported.get(path, {}).get(name)
        if passed is not None:
            targets, original = passed
            further = [each for at in targets for each in self._exported(at, original or name, depth - 1)]
            return list(dict.fromkeys(further))
        for star in self._stars.get(path, ()):
            exported = self._exported(star, name, depth - 1)
            if exported:
                return exported
        return []

    def _dotted(self, path: str, name: str) -> list[int]:
        """What `a` or `a.b` means at the top of a file; what cannot be followed may be any class of that name."""
        first, _, rest = name.partition(".")
        last = name.rpartition(".")[2]
        if rest and first in self._imported.get(path, {}):
            found = self._through(self._imported[path][first], last)
        else:
            found = self._bare(path, self.numbers[path, ""], first) if not rest else []
        return found or [each for each in self._by_name.get(last, ()) if self._is_class(each)]

    def _in_family(self, number: int, name: str, *, upwards: bool = False) -> list[int]:
        return self.classes.in_family(number, name, upwards=upwards) if self._is_class(number) else []

    def _classes_of(self, path: str, source: int, receiver: str) -> frozenset[int]:
        """The classes that what stands before the dot is known to be of, or to be."""
        if receiver in _OWN or receiver == "super()":
            holder: int | None = source
            while holder is not None and holder not in self.classes.owner:
                outer = self._names[holder].rpartition(".")[0]
                holder = self.numbers.get((path, outer)) if outer else None
            if holder is None:
                return frozenset()
            owner = self.classes.owner[holder]
            return frozenset(self.classes.bases.get(owner, ())) if receiver == "super()" else frozenset({owner})
        if receiver.endswith("()"):
            made = self._bare(path, source, receiver[:-2])
            return frozenset(each for each in made if self._is_class(each))
        local = self._local_types(path, source).get(receiver)
        if local is not None:
            return local
        return frozenset(each for each in self._bare(path, source, receiver) if self._is_class(each))

    def _local_types(self, path: str, source: int) -> dict[str, frozenset[int]]:
        """Names in a definition whose class is written there: annotations, `x = Class(…)`, `with Class(…) as x`."""
        found = self._types.get(source)
        if found is None:
            found = self._types[source] = {}
            symbol = self._defined[source][1]
            outer = self.numbers.get((path, self._names[source].rpartition(".")[0])) if symbol is not None else None
            if outer is not None and outer != source:
                found |= self._local_types(path, outer)
            for name, classes in self._written_types(path, symbol):
                if classes:
                    found[name] = classes
        return found

    def _written_types(self, path: str, symbol: Symbol | None) -> Iterator[tuple[str, frozenset[int]]]:
        if symbol is not None and symbol.kind in CLASSES:
            return
        written = self._written.get(path)
        if written is None:
            written = self._written[path] = Written(self._texts.get(path, ""))
        if symbol is not None:
            for name, names in annotated(symbol.signature):
                yield name, self._named(path, names)
        within = written.at_top() if symbol is None else written.within(symbol.start_line, symbol.end_line)
        for given in within:
            yield given.name, self._result(path, given.made)

    def _result(self, path: str, made: str) -> frozenset[int]:
        """The classes of what a call gives: an instance, or what a function says that it returns."""
        found: set[int] = set()
        for each in self._dotted(path, made):
            where, symbol = self._defined[each]
            if self._is_class(each):
                found.add(each)
            elif symbol is not None and symbol.type_hint:
                found |= self._named(where, NAMES.findall(symbol.type_hint))
        return frozenset(found)

    def _named(self, path: str, names: Iterable[str]) -> frozenset[int]:
        return frozenset(each for name in names for each in self._exactly(path, name) if self._is_class(each))

    def _exactly(self, path: str, name: str) -> list[int]:
        first, _, rest = name.partition(".")
        if rest:
            imported = self._imported.get(path, {}).get(first)
            return self._through(imported, name.rpartition(".")[2]) if imported is not None else []
        return self._bare(path, self.numbers[path, ""], first)
