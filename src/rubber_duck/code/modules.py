"""From the module that an import names to the files of the project that it means, by each family's rules."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from rubber_duck.code.symbols import FileSymbols, ImportEdge, ReferenceKind, SymbolKind

Found: TypeAlias = Iterator[tuple[str, int, tuple[str, ...]]]
"""Module as it is shown, line, and the files that are meant: none when it comes from outside."""

_MODULE_KINDS: Final = frozenset({SymbolKind.MODULE, SymbolKind.PROTOCOL, SymbolKind.IMPLEMENTATION})


class PythonModules:
    """Python: a file is a module under every root above it.

    A root is the project's folder, `src`, or any folder without an `__init__.py`; so `lib/a/b.py` answers
    `a.b` and `lib.a.b`. Where several files answer, the one that shares most of its path with the importer does.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(self._paths):
            parts = path.rpartition(".")[0].split("/")
            if parts[-1] == "__init__":
                parts.pop()
            for at in self._roots(path, len(parts)):
                self._by_name.setdefault(".".join(parts[at:]), []).append(path)

    def _roots(self, path: str, length: int) -> Iterator[int]:
        folders = path.split("/")[:-1]
        for at in range(length):
            package = "/".join(folders[:at])
            if at == 0 or not (self._is_package(package)):
                yield at

    def _is_package(self, folder: str) -> bool:
        return f"{folder}/__init__.py" in self._paths or f"{folder}/__init__.pyi" in self._paths

    def targets(self, path: str, symbols: FileSymbols) -> Found:
        """The imports of one file."""
        for edge in symbols.imports:
            base = self._base(path, edge)
            if base is None:
                yield "." * edge.level + edge.module, edge.line, ()
                continue
            found = self._file(base, path)
            targets: list[str] = []
            inner = [self._file(f"{base}.{name.name}" if base else name.name, path) for name in edge.names]
            targets.extend(each for each in inner if each is not None)
            if found is not None and (len(targets) < len(edge.names) or not edge.names):
                targets.append(found)  # some name is defined in the package itself
            shown = edge.module.partition(".")[0] if not edge.level else "." * edge.level + edge.module
            yield shown, edge.line, tuple(dict.fromkeys(targets))

    def _base(self, path: str, edge: ImportEdge) -> str | None:
        """The dotted name the edge speaks of, from the project's folder where it is relative."""
        if not edge.level:
            return edge.module
        folders = path.split("/")[:-1]
        up = edge.level - 1
        if up > len(folders):
            return None
        parts = folders[: len(folders) - up]
        return ".".join([*parts, edge.module] if edge.module else parts)

    def file(self, name: str, importer: str) -> str | None:
        """The file that the module called `name` is, for somebody who stands in the file `importer`."""
        return self._file(name, importer)

    def _file(self, name: str, importer: str) -> str | None:
        found = self._by_name.get(name)
        return _nearest(found, importer) if found else None


class PathModules:
    """JavaScript and TypeScript: relative paths, with suffix and `index` resolution; other names are outside."""

    SUFFIXES: Final = (".ts", ".tsx", ".mts", ".cts", ".d.ts", ".js", ".jsx", ".mjs", ".cjs")
    WRITTEN: Final = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)

    def targets(self, path: str, symbols: FileSymbols) -> Found:
        """The imports of one file."""
        for edge in symbols.imports:
            if not edge.module.startswith((".", "/")):
                yield _package(edge.module), edge.line, ()
                continue
            found = self.file(edge.module, path)
            yield edge.module, edge.line, (found,) if found is not None else ()

    def file(self, module: str, importer: str) -> str | None:
        """The file that a relative path means, for somebody who stands in the file `importer`."""
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(importer), module)).lstrip("/")
        return next((each for each in self._candidates(wanted) if each in self._paths), None)

    def _candidates(self, wanted: str) -> Iterator[str]:
        yield wanted
        stem, suffix = posixpath.splitext(wanted)
        for written in self.WRITTEN.get(suffix, ()):  # TypeScript imports `./x.js` and means `./x.ts`
            yield stem + written
        for suffix in self.SUFFIXES:
            yield wanted + suffix
        for suffix in self.SUFFIXES:
            yield f"{wanted}/index{suffix}" if wanted != "." else f"index{suffix}"


class ElixirModules:
    """Elixir: module names, defined anywhere; every mention of a module counts, after the file's aliases."""

    def __init__(self, files: Iterable[tuple[str, FileSymbols]]) -> None:
        self._by_name: dict[str, list[str]] = {}
        for path, symbols in files:
            for symbol in symbols.symbols:
                if symbol.kind in _MODULE_KINDS:
                    self._by_name.setdefault(symbol.qualified_name, []).append(path)

    def targets(self, path: str, symbols: FileSymbols) -> Found:
        """The modules one file imports or mentions; unknown ones only when they are imported."""
        aliases: dict[str, str] = {}
        for edge in symbols.imports:
            if edge.form == "alias" and edge.alias:
                aliases[edge.alias] = edge.module
            full = self._full(edge.module, aliases) if edge.form != "alias" else edge.module
            yield full, edge.line, self._files(full, path)
        own = [symbol.qualified_name for symbol in symbols.symbols if symbol.kind in _MODULE_KINDS]
        for name in symbols.references.names:
            if not name[:1].isupper():
                continue
            full = self._full(name, aliases)
            nested = next((each for each in (f"{outer}.{name}" for outer in own) if each in self._by_name), full)
            targets = self._files(nested, path)
            if targets:
                mentions = symbols.references.named(name)
                line = next((each.line for each in mentions if each.kind is not ReferenceKind.IMPORT), None)
                if line is not None:
                    yield nested, line, targets

    def _full(self, name: str, aliases: dict[str, str]) -> str:
        first, dot, rest = name.partition(".")
        return aliases[first] + dot + rest if first in aliases else name

    def _files(self, name: str, importer: str) -> tuple[str, ...]:
        found = self._by_name.get(name.removeprefix("Elixir."))
        return (_nearest(found, importer),) if found else ()


def _nearest(paths: list[str], importer: str) -> str:
    """The path that has most folders in common with the importer; the first in order among equals."""
    if len(paths) == 1:
        return paths[0]
    folders = importer.split("/")[:-1]

    def shared(path: str) -> int:
        count = 0
        for mine, theirs in zip(folders, path.split("/")[:-1], strict=False):
            if mine != theirs:
                break
            count += 1
        return count

    return min(paths, key=lambda path: (-shared(path), path.count("/"), path))


def _package(module: str) -> str:
    """`@scope/name/deep` → `@scope/name`."""
    parts = module.split("/")
    return "/".join(parts[: 2 if module.startswith("@") else 1])
