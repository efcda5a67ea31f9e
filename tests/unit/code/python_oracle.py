"""What Python's own `ast` says a file defines, imports and binds: the truth that extraction is held against."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from rubber_duck.code.symbols import FileSymbols, SymbolKind

BOUND = frozenset({SymbolKind.VARIABLE, SymbolKind.CONSTANT, SymbolKind.FIELD, SymbolKind.TYPE})


@dataclass(frozen=True)
class Facts:
    """Comparable facts: definitions, imports, names bound at module and class level, and names mentioned."""

    definitions: list[tuple[object, ...]]
    imports: list[tuple[object, ...]]
    bound: set[str]
    doc: str


def facts_of_ast(source: bytes) -> Facts:
    """The facts by `ast`; SyntaxError and ValueError as `ast.parse` raises them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    collector = _Collector()
    collector.visit(tree)
    return Facts(collector.definitions, collector.imports, collector.bound, _paragraph(ast.get_docstring(tree)))


def facts_of_symbols(found: FileSymbols) -> Facts:
    """The same facts by extraction."""
    definitions: list[tuple[object, ...]] = []
    for symbol in found.symbols:
        if symbol.kind in BOUND:
            continue
        definitions.append(
            (
                "class" if symbol.kind is SymbolKind.CLASS else "async" if symbol.is_async else "def",
                symbol.qualified_name,
                symbol.start_line,
                symbol.end_line,
                len(symbol.decorators),
                symbol.arity,
                symbol.arity_least,
                symbol.doc,
            )
        )
    imports: list[tuple[object, ...]] = []
    for edge in found.imports:
        names = tuple((name.name, name.alias) for name in edge.names) or ((edge.module, edge.alias),)
        imports.append((edge.form, edge.module if edge.form == "from" else "", edge.level, edge.line, names))
    bound = {symbol.qualified_name for symbol in found.symbols if symbol.kind in BOUND}
    return Facts(definitions, imports, bound, found.doc)


class _Collector(ast.NodeVisitor):
    def __init__(self) -> None:
        self.definitions: list[tuple[object, ...]] = []
        self.imports: list[tuple[object, ...]] = []
        self.bound: set[str] = set()
        self._names: list[str] = []
        self._functions = 0

    def _define(self, word: str, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._names.append(node.name)
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        arity = least = None
        outside, self._functions = self._functions, 0 if isinstance(node, ast.ClassDef) else self._functions
        if not isinstance(node, ast.ClassDef):
            self._functions += 1
            arguments = node.args
            arity = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
            least = arity - len(arguments.defaults) - sum(each is not None for each in arguments.kw_defaults)
        doc = _paragraph(ast.get_docstring(node))
        self.definitions.append(
            (word, ".".join(self._names), first, node.end_lineno, len(node.decorator_list), arity, least, doc)
        )
        self.generic_visit(node)
        self._functions = outside
        self._names.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:  # the names `ast` calls
        self._define("class", node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._define("def", node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._define("async", node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imports.append(("import", "", 0, node.lineno, ((alias.name, alias.asname or ""),)))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = tuple((alias.name, alias.asname or "") for alias in node.names)
        self.imports.append(("from", node.module or "", node.level, node.lineno, names))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._bind(node.target)
        self.generic_visit(node)

    def _bind(self, target: ast.expr) -> None:
        if self._functions:
            return
        if isinstance(target, ast.Name):
            self.bound.add(".".join([*self._names, target.id]))
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._bind(element)
        elif isinstance(target, ast.Starred):
            self._bind(target.value)


def _paragraph(doc: str | None) -> str:
    lines: list[str] = []
    for line in (doc or "").strip().split("\n"):
        if not line.strip():
            break
        lines.append(line)
    return " ".join(" ".join(lines).split())
