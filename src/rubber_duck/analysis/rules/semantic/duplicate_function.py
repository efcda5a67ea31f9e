"""Finds functions side by side that do exactly the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_FUNCTIONS: Final = frozenset({"function_definition", "function_declaration", "method_definition"})
_FOUR_CALLS: Final = "    f(1)\n    g(2)\n    h(3)\n    i(4)\n"
_SIX_CALLS: Final = f"{_FOUR_CALLS}    j(5)\n    k(6)\n"
_ACCESSOR: Final = re.compile(rb"\b[gs]et\s|@[\w.]*property\b|@\w+\.(?:getter|setter|deleter)\b")
_WRAPPERS: Final = frozenset({"decorated_definition", "export_statement"})


@rules.add
class DuplicateFunction(Rule):
    """Two functions of one class or module have the same body and the same parameters under two names.

    Often the second was copied to be changed and never was, so it does not do what its name says. If both are right,
    each mend must be made twice. Among tests it is worse: one case then goes untested while both pass.

    Mend it by writing what was meant, or by letting one call the other (`second = first` in a Python class).

    Only bodies of at least `min_lines` lines (tests: `min_lines_of_tests`) and three statements are compared, comments
    and docstrings left out; the decorators must be the same, too. Getters, setters and properties are not, because two
    names for one value are most often meant. Ignore it where the two will soon differ.
    """

    name = "duplicate-function"
    kind = Kind.SEMANTIC
    severity = Severity.LOW
    kinds: ClassVar = {"python": ("module", "class_definition"), "ecmascript": ("program", "class_body")}
    options: ClassVar = {"min_lines": 6, "min_lines_of_tests": 4}
    replaces = ("eslint/sonarjs/no-identical-functions",)
    good = (
        Example("python", "class A:\n    def a(self):\n        return 1\n    def b(self):\n        return 1\n"),
        Example("python", f"def a(x):\n{_FOUR_CALLS}\ndef b(x):\n{_FOUR_CALLS}"),
        Example("python", f"def a(x):\n{_SIX_CALLS}\ndef b(y):\n{_SIX_CALLS}"),
        Example("python", f"@one\ndef a(x):\n{_SIX_CALLS}\n@two\ndef b(x):\n{_SIX_CALLS}"),
        Example("javascript", "class A {\n m() {\n f();\n g();\n h();\n }\n n() {\n f();\n g();\n i();\n }\n}"),
    )
    bad = (
        Example(
            "python", f"class T:\n  def test_a(self):\n{_FOUR_CALLS}  def test_b(self):\n    'Doc.'\n{_FOUR_CALLS}"
        ),
        Example("python", f"def a(x):\n{_SIX_CALLS}\ndef b(x):\n{_SIX_CALLS}"),
        Example("javascript", f"class A {{\n m(x) {{\n{_SIX_CALLS} }}\n n(x) {{\n{_SIX_CALLS} }}\n}}"),
        Example("typescript", f"export function a() {{\n{_SIX_CALLS}}}\nfunction b() {{\n{_SIX_CALLS}}}"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Compare the functions that stand directly in one class or module."""
        body = node.child_by_field_name("body") if node.type == "class_definition" else node
        is_of_tests = is_test(file.path)
        seen: dict[tuple[bytes, ...], Node] = {}
        for child in body.named_children if body is not None else ():
            function = child
            if child.type in _WRAPPERS:
                function = children.of_kind(child, *_FUNCTIONS) or child
            name = function.child_by_field_name("name")
            if function.type not in _FUNCTIONS or name is None:
                continue
            content = file.content
            is_of_test = is_of_tests or content[name.start_byte : name.end_byte].startswith(b"test")
            least = int(str(self.option("min_lines_of_tests" if is_of_test else "min_lines")))
            if function.end_point.row - function.start_point.row < least:
                continue
            code = _code(function, least)
            if code is None:
                continue
            statements = tuple(content[part.start_byte : part.end_byte] for part in code)
            parameters = function.child_by_field_name("parameters")
            before = content[child.start_byte : name.start_byte].replace(b"export ", b"")
            if _ACCESSOR.search(before):
                continue
            key = (before, (parameters.text or b"") if parameters is not None else b"", *statements)
            first = seen.setdefault(key, name)
            if first is name or first.text == name.text:
                continue
            line = file.position(first.start_byte)[0]
            message = f"`{file.text(name)}` is the same code as `{file.text(first)}` on line {line}"
            severity = Severity.MEDIUM if is_of_test else None
            yield Hit(name, f"{message}: write what was meant here, or let one call the other", severity=severity)


def _code(function: Node, least: int) -> Sequence[Node] | None:
    """The statements of a function without comments and docstring; None where they are too few or too short."""
    body = function.child_by_field_name("body")
    parts = [part for part in body.named_children if part.type != "comment"] if body is not None else []
    doc = children.first(parts[0]) if parts and parts[0].type == "expression_statement" else None
    if doc is not None and doc.type == "string":
        parts = parts[1:]
    if len(parts) < 3 or parts[-1].end_point.row - parts[0].start_point.row + 1 < least:
        return None
    return parts
