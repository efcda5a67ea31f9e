"""Which definitions of a project a name may mean at a place: scopes, imports, classes and what they inherit."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from rubber_duck.code.graph import GraphFile
from rubber_duck.code.language import family
from rubber_duck.code.likeness import resembles
from rubber_duck.code.modules import PathModules, PythonModules
from rubber_duck.code.symbols import Symbol, SymbolKind

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
_NAMES: Final = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")
_ANNOTATED: Final = re.compile(r"([A-Za-z_$][\w$]*)\s*\??:\s*([^,()=]+)")
_MADE: Final = re.compile(r"\b([A-Za-z_$][\w$]*)\s*(?::[^=\n]+)?=\s*(?:await\s+)?(?:new\s+)?([A-Za-z_$][\w.$]*)\(")
_ENTERED: Final = re.compile(r"\bwith\s+([A-Za-z_$][\w.$]*)\(.*\)\s+as\s+([A-Za-z_$][\w$]*)\s*[:,]")
_GIVEN: Final = re.compile(r"\b(?:return|yield)\s+(?:await\s+|new\s+)?([A-Za-z_$][\w.$]*)\(")
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
        self._lines = {path: text.split("\n") for path, text in texts.items()}
        self._members: defaultdict[int, dict[str, int]] = defaultdict(dict)
        self._owner: dict[int, int] = {}
        for path, file in files.items():
            self._add(path, file.symbols.symbols)
        self._imported: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {}
        self._stars: dict[str, tuple[str, ...]] = {}
        self._link_imports()
        self._bases: dict[int, tuple[int, ...]] = {}
        self._below: defaultdict[int, list[int]] = defaultdict(list)
        self._ancestries: dict[int, list[int]] = {}
        self._descents: dict[int, list[int]] = {}
        self._family: dict[tuple[int, str, bool], list[int]] = {}
        self._foreign: set[int] = set()
        self._link_classes()
        self._types: dict[int, dict[str, frozenset[int]]] = {}

    def definitions_as(self, make: Callable[[str, str, SymbolKind, int, int], T]) -> Iterator[T]:
        """Each definition in the order of the numbers."""
        for path, symbol in self._defined:
            if symbol is None:
                yield make(path, "", SymbolKind.MODULE, 1, self._texts.get(path, "").count("\n") + 1)
            else:
                yield make(path, symbol.qualified_name, symbol.kind, symbol.start_line, symbol.end_line)

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
        methods = [each for each in self._by_name.get(name, ()) if each in self._owner]
        likely = frozenset(each for each in methods if receiver and resembles(receiver, self._name(self._owner[each])))
        return methods or list(self._by_name.get(name, ())), likely

    def special_methods(self, number: int, pattern: re.Pattern[str]) -> list[int]:
        """The methods of a class, its own or inherited, whose names the pattern matches."""
        found: dict[str, int] = {}
        for each in self._ancestry(number):
            for name, member in self._members.get(each, {}).items():
                if pattern.fullmatch(name):
                    found.setdefault(name, member)
        return list(found.values())

    def called_from_outside(self, number: int) -> list[int]:
        """The methods of a class that has a base outside of the project, which may call them."""
        return list(self._members[number].values()) if number in self._foreign else []

    def bases(self, number: int) -> tuple[int, ...]:
        """The classes of the project that a class names as its bases."""
        return self._bases.get(number, ())

    def below(self, path: str, symbols: Sequence[Symbol], parent: int | None) -> Iterator[tuple[str, str]]:
        """(path, qualified name) of the functions for which a fixture beside them holds without being asked for."""
        if parent is not None:
            inside = symbols[parent].qualified_name + "."
            holder = self.numbers.get((path, symbols[parent].qualified_name))
            heirs = self._descent(holder) if holder is not None else ()
            for number in heirs:
                yield from ((self._defined[each][0], self._name(each)) for each in self._members[number].values())
            yield from ((path, each.qualified_name) for each in symbols if each.qualified_name.startswith(inside))
            return
        folder, _, name = path.rpartition("/")
        for where, file in self._files.items():
            if where == path or (name.startswith("conftest") and where.startswith(f"{folder}/" if folder else "")):
                yield from ((where, each.qualified_name) for each in file.symbols.symbols if each.kind in CALLABLE)

    def _name(self, number: int) -> str:
        symbol = self._defined[number][1]
        return "" if symbol is None else symbol.qualified_name

    def _add(self, path: str, symbols: Sequence[Symbol]) -> None:
        self.numbers[path, ""] = len(self._defined)
        self._defined.append((path, None))
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
            if known is not None:
                continue  # an overload, a setter, another clause of the same function
            self.numbers[path, symbol.qualified_name] = number
            self._defined.append((path, symbol))
            self._by_name[symbol.name].append(number)
            outer = None if symbol.parent is None else symbols[symbol.parent]
            if outer is None:
                top.setdefault(symbol.name, number)
            elif outer.kind in CLASSES and (path, outer.qualified_name) in self.numbers:
                owner = self.numbers[path, outer.qualified_name]
                self._owner[number] = owner
                self._members[owner].setdefault(symbol.name, number)

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
            for base in _NAMES.findall(named[1] or named[2] or "") if named else ():
                named_so = [each for each in self._dotted(path, base) if self._is_class(each) and each != number]
                found += named_so
                if not named_so and base not in _ROOTS:
                    self._foreign.add(number)
            self._bases[number] = tuple(dict.fromkeys(found))
            for each in self._bases[number]:
                self._below[each].append(number)

    def _is_class(self, number: int) -> bool:
        symbol = self._defined[number][1]
        return symbol is not None and symbol.kind in CLASSES

    def _bare(self, path: str, source: int, name: str) -> list[int]:
        """Scope by scope: inner functions, the file, what it imports; then any function of that name."""
        outer = self._name(source)
        while outer:
            number = self.numbers.get((path, f"{outer}.{name}"))
            holder = self.numbers.get((path, outer))
            if number is not None and (number not in self._owner or holder == source):
                return [number]
            outer = outer.rpartition(".")[0]
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

    def _ancestry(self, number: int) -> list[int]:
        """The class and what it inherits from, nearest first."""
        return self._following(self._ancestries, number, self._bases)

    def _descent(self, number: int) -> list[int]:
        """The class and what inherits from it, nearest first."""
        return self._following(self._descents, number, self._below)

    def _following(self, known: dict[int, list[int]], start: int, after: Mapping[int, Sequence[int]]) -> list[int]:
        found = known.get(start)
        if found is None:
            seen = {start: None}
            layer = [start]
            while layer:
                layer = [each for number in layer for each in after.get(number, ()) if each not in seen]
                seen |= dict.fromkeys(layer)
            found = known[start] = list(seen)
        return found

    def _in_family(self, number: int, name: str, *, upwards: bool = False) -> list[int]:
        """The member that an instance of the class, or of one below it unless `upwards`, may have under that name."""
        if not self._is_class(number):
            return []
        key = (number, name, upwards)
        known = self._family.get(key)
        if known is None:
            heirs = () if upwards else self._descent(number)[1:]
            own = (self._members[each][name] for each in self._ancestry(number) if name in self._members[each])
            nearest = next(own, None)
            below = [self._members[each][name] for each in heirs if name in self._members[each]]
            known = self._family[key] = list(dict.fromkeys([*([] if nearest is None else [nearest]), *below]))
        return known

    def _classes_of(self, path: str, source: int, receiver: str) -> frozenset[int]:
        """The classes that what stands before the dot is known to be of, or to be."""
        if receiver in _OWN or receiver == "super()":
            holder: int | None = source
            while holder is not None and holder not in self._owner:
                outer = self._name(holder).rpartition(".")[0]
                holder = self.numbers.get((path, outer)) if outer else None
            if holder is None:
                return frozenset()
            owner = self._owner[holder]
            return frozenset(self._bases.get(owner, ())) if receiver == "super()" else frozenset({owner})
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
            outer = self.numbers.get((path, self._name(source).rpartition(".")[0])) if symbol is not None else None
            if outer is not None and outer != source:
                found |= self._local_types(path, outer)
            for name, classes in self._written_types(path, symbol):
                if classes:
                    found[name] = classes
        return found

    def _written_types(self, path: str, symbol: Symbol | None) -> Iterator[tuple[str, frozenset[int]]]:
        lines = self._lines.get(path, [])
        if symbol is None or symbol.kind in CLASSES:
            own = "\n".join(line for line in lines if line[:1].strip()) if symbol is None else ""
        else:
            own = "\n".join(lines[symbol.start_line - 1 : symbol.end_line])
            for name, annotation in _ANNOTATED.findall(symbol.signature):
                yield name, self._named(path, _NAMES.findall(annotation))
        for name, made in _MADE.findall(own):
            yield name, self._result(path, made)
        for made, name in _ENTERED.findall(own):
            yield name, self._result(path, made)

    def _result(self, path: str, made: str) -> frozenset[int]:
        """The classes of what a call gives: an instance, or what a function says that it returns."""
        found: set[int] = set()
        for each in self._dotted(path, made):
            where, symbol = self._defined[each]
            if self._is_class(each):
                found.add(each)
            elif symbol is not None and symbol.type_hint:
                found |= self._named(where, _NAMES.findall(symbol.type_hint))
        return frozenset(found)

    def _named(self, path: str, names: Iterable[str]) -> frozenset[int]:
        return frozenset(each for name in names for each in self._exactly(path, name) if self._is_class(each))

    def _exactly(self, path: str, name: str) -> list[int]:
        first, _, rest = name.partition(".")
        if rest:
            imported = self._imported.get(path, {}).get(first)
            return self._through(imported, name.rpartition(".")[2]) if imported is not None else []
        return self._bare(path, self.numbers[path, ""], first)
