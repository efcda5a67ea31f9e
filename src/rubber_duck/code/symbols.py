"""What a file defines, mentions, imports and exports: the values that extraction gives and everything else reads."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import starmap
from typing import Final, NamedTuple, overload

import msgspec

from rubber_duck.code.source import SyntaxProblem


class SymbolKind(StrEnum):
    """What sort of thing a symbol is, in words that fit all languages."""

    MODULE = "module"
    NAMESPACE = "namespace"
    CLASS = "class"
    INTERFACE = "interface"
    PROTOCOL = "protocol"
    IMPLEMENTATION = "implementation"
    STRUCT = "struct"
    ENUM = "enum"
    TYPE = "type"
    FUNCTION = "function"
    METHOD = "method"
    PROPERTY = "property"
    MACRO = "macro"
    GUARD = "guard"
    CALLBACK = "callback"
    FIELD = "field"
    CONSTANT = "constant"
    VARIABLE = "variable"


class ReferenceKind(StrEnum):
    """How a name is mentioned."""

    READ = "read"
    CALL = "call"
    WRITE = "write"
    IMPORT = "import"
    TYPE = "type"
    JSX = "jsx"


KINDS: Final = tuple(ReferenceKind)
"""Reference kinds by the number under which they are kept."""


class Symbol(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One definition. A Struct instead of a dataclass because a project has hundreds of thousands.

    - `qualified_name`: the names of the enclosing symbols and its own, joined by dots; unique enough to show.
    - `line`: of the name. `start_line` … `end_line` and the bytes [start_byte, end_byte) cover the whole definition
      with its decorators. All lines are 1-based.
    - `signature`: the head on one line, without the body. `type_hint`: the result's or the value's type as written;
      in Elixir the `@spec`.
    - `arity`: how many parameters it takes, without collectors (`*args`, `...rest`); `arity_least`: those without
      a default. Both None for what cannot be called.
    - `parent`: index of the enclosing symbol in the same file, or None.
    - `decorators`: as written, without `@`. `doc`: the first paragraph on one line.
    - `is_exported`: visible to other files by the language's rules. `is_private`: its name or a modifier says so.
    """

    kind: SymbolKind
    name: str
    qualified_name: str
    line: int
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    signature: str = ""
    type_hint: str = ""
    arity: int | None = None
    arity_least: int | None = None
    parent: int | None = None
    decorators: tuple[str, ...] = ()
    doc: str = ""
    is_async: bool = False
    is_static: bool = False
    is_exported: bool = False
    is_private: bool = False


class Reference(NamedTuple):
    """One mention of a name; `line` and `column` are 1-based, columns count code points."""

    name: str
    kind: ReferenceKind
    line: int
    column: int


class ImportedName(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One name taken from a module: `"*"` for all, `"default"` for a default import; `alias` as it is called here."""

    name: str
    alias: str = ""


class ImportEdge(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One import of one module.

    - `module` as written: `a.b`, `./x`, `Foo.Bar`; empty for `from . import x`. `level`: leading dots in Python.
    - `form`: the construct: `import`, `from`, `require`, `dynamic`, `reexport`, and in Elixir also `alias`, `use`.
    - `alias`: the name the module itself gets here, or `""`. `names`: what is taken from it.
    - `is_conditional`: not at the top level of the file (in Elixir: of the module). `is_type`: only for types.
    """

    module: str
    line: int
    form: str
    names: tuple[ImportedName, ...] = ()
    alias: str = ""
    level: int = 0
    is_conditional: bool = False
    is_type: bool = False


class Export(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One name offered to other files: `local` is its name here, `module` where it is passed on from."""

    name: str
    line: int
    local: str = ""
    module: str = ""


class References(Sequence[Reference]):
    """The mentions of names in one file in source order, kept by column: ten bytes each instead of two hundred.

    `names` are the distinct names; `name_indexes`, `kinds` (numbers in KINDS) and `offsets` (in code points) run in
    parallel; `line_starts` are the offsets at which lines begin.
    """

    __slots__ = ("kinds", "line_starts", "name_indexes", "names", "offsets")

    def __init__(
        self,
        names: tuple[str, ...] = (),
        name_indexes: Sequence[int] = (),
        kinds: bytes = b"",
        offsets: Sequence[int] = (),
        line_starts: Sequence[int] = (0,),
    ) -> None:
        self.names = names
        self.name_indexes = array("I", name_indexes)
        self.kinds = kinds
        self.offsets = array("I", offsets)
        self.line_starts = array("I", line_starts)

    def __len__(self) -> int:
        return len(self.kinds)

    @overload
    def __getitem__(self, index: int) -> Reference: ...
    @overload
    def __getitem__(self, index: slice) -> list[Reference]: ...
    def __getitem__(self, index: int | slice) -> Reference | list[Reference]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        offset = self.offsets[index]
        line = bisect_right(self.line_starts, offset)
        column = offset - self.line_starts[line - 1] + 1
        return Reference(self.names[self.name_indexes[index]], KINDS[self.kinds[index]], line, column)

    def __iter__(self) -> Iterator[Reference]:
        return starmap(Reference, self.places())

    def places(self) -> Iterator[tuple[str, ReferenceKind, int, int]]:
        """The name, kind, line and column of each, which is several times faster than making references of them."""
        starts = self.line_starts
        line, first, after = 0, 0, 0
        for name, kind, offset in zip(self.name_indexes, self.kinds, self.offsets, strict=True):
            if not first <= offset < after:
                line = bisect_right(starts, offset)
                first = starts[line - 1]
                after = starts[line] if line < len(starts) else sys.maxsize
            yield self.names[name], KINDS[kind], line, offset - first + 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, References):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # compared by content, so not hashable

    def named(self, name: str) -> list[Reference]:
        """The mentions of one name."""
        if name not in self.names:
            return []
        number = self.names.index(name)
        return [self[at] for at, found in enumerate(self.name_indexes) if found == number]

    def of_kind(self, kind: ReferenceKind) -> list[Reference]:
        """The mentions of one kind."""
        wanted = bytes([KINDS.index(kind)])
        found: list[Reference] = []
        at = self.kinds.find(wanted)
        while at >= 0:
            found.append(self[at])
            at = self.kinds.find(wanted, at + 1)
        return found

    def between(self, first_line: int, last_line: int) -> list[Reference]:
        """The mentions on these lines and those between them."""
        starts = self.line_starts
        if first_line > len(starts) or last_line < max(first_line, 1):
            return []
        first = bisect_left(self.offsets, starts[max(first_line, 1) - 1])
        last = bisect_left(self.offsets, starts[last_line]) if last_line < len(starts) else len(self)
        return self[first:last]


class FileSymbols(msgspec.Struct, frozen=True):
    """Everything extraction found in one file. Symbols stand in source order, parents before children."""

    symbols: tuple[Symbol, ...]
    references: References
    imports: tuple[ImportEdge, ...]
    exports: tuple[Export, ...]
    doc: str = ""
    problems: tuple[SyntaxProblem, ...] = ()

    @property
    def jsx_elements(self) -> tuple[str, ...]:
        """The names of the JSX elements used, each once, in order of first use."""
        return tuple(dict.fromkeys(found.name for found in self.references.of_kind(ReferenceKind.JSX)))
