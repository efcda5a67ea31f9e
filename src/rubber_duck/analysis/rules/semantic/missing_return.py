"""Finds functions that give a value in some branches of their last statement and fall off their end in another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.branching import Branch, branches
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_FUNCTIONS: Final = frozenset(
    {
        *("function_definition", "class_definition", "lambda", "function_declaration", "function_expression"),
        *("arrow_function", "method_definition", "generator_function", "generator_function_declaration", "class_body"),
    }
)
_LEAVES: Final = frozenset({"return_statement", "raise_statement", "throw_statement"})
_ENDING: Final = re.compile(
    r"(?i)raise|error|unexpected|fail|abort|panic|throw|exit|^die|unreachable|assert|fatal|usage|skip|bail"
)
"""In the names of calls that do not come back."""

_ASKS_FOR_NOTHING: Final = re.compile(r"\bis (?:not )?None$|=== undefined$|=== null$|\barguments\.length")
_BY_CONTRACT: Final = frozenset({"__exit__", "__aexit__", "__init__", "__getattr__", "process_request", "process_view"})
_DEPTH_READ: Final = 12


@rules.add
class MissingReturn(Rule):
    """The last `if` of a function returns a value in some branches, and in another the function falls off its end.

    There it gives `None` (`undefined` in JavaScript) without saying so. If that is meant, a reader cannot see it; if it
    is not, the caller fails later and elsewhere. PEP 8 asks that either all `return`s of a function give a value or
    none does.

    Mend it by returning a value in the branch that is named, by an explicit `return None`, or by raising an error for
    the case that cannot be.

    Only chains with two branches or more are looked at: a single `if x: return y` at the end reads as "y or None".
    Tests, generators, functions whose declared result or docstring mentions `None`, and branches that end in a call
    such as `sys.exit()` or `parser.error()` are left alone. Ignore it where another check makes the chain complete.
    """

    name = "missing-return"
    kind = Kind.SEMANTIC
    severity = Severity.LOW
    confidence = Confidence.MEDIUM
    kinds: ClassVar = {
        "python": ("function_definition",),
        "ecmascript": ("function_declaration", "function_expression", "arrow_function", "method_definition"),
    }
    replaces = ("ruff/RET503", "eslint/consistent-return")
    good = (
        Example("python", "def f(x):\n    if x:\n        return 1\n    else:\n        return 2\n"),
        Example("python", "def f(x):\n    if x:\n        return 1\n"),
        Example(
            "python",
            "def f(x):\n    if x:\n        return 1\n    elif y:\n        raise E\n    else:\n        sys.exit(1)\n",
        ),
        Example("python", "def f(x):\n    if x:\n        g()\n    elif y:\n        return\n"),
        Example("python", "def f(x) -> int | None:\n    if x:\n        return 1\n    elif y:\n        return 2\n"),
        Example("python", "def f(x):\n    if x:\n        yield 1\n        return 2\n    elif y:\n        yield 2\n"),
        Example(
            "python",
            "def f(x):\n  if x:\n    return 1\n  elif y:\n    while True:\n      g()\n  else:\n    self.fail()\n",
        ),
        Example("python", "def f(x):\n    if x:\n        return 1\n    else:\n        assert False, x\n"),
        Example(
            "python", "def f(x):\n    'One, two or None.'\n    if x:\n        return 1\n    elif y:\n        return 2\n"
        ),
        Example("javascript", "async function f(x) { if (x) { return g() } else { await h() } }"),
        Example(
            "python",
            "def f(x):\n  if x:\n    return f(1)\n  elif y:\n    return self.f(2)\n  else:\n    g()\n",
        ),
        Example("javascript", "each(xs, function (x) { if (x) { return false } else if (y) { g() } })"),
        Example("python", "def f(x=None):\n    if x is None:\n        return g()\n    else:\n        h(x)\n"),
        Example("javascript", "function f(x) { if (x) { return 1 } else if (y) { return 2 } return 3 }"),
        Example("typescript", "function f(x: A): B | undefined { if (x) { return 1 } else if (y) { return 2 } }"),
        Example("javascript", "const f = (x) => { if (x) { return g() } else { throw new E() } }"),
    )
    bad = (
        Example("python", "def f(x):\n    if x == 1:\n        return 1\n    elif x == 2:\n        return 2\n"),
        Example("python", "def f(x):\n    g()\n    if x:\n        return 1\n    else:\n        x.save()\n"),
        Example("python", "def f(x):\n    if x:\n        return 1\n    else:\n        if z:\n            return 3\n"),
        Example("javascript", "function f(x) { if (x) { return 1 } else { g() } }"),
        Example("typescript", "class A { m(x: X): number { if (x.a) { return 1 } else if (x.b) { return 2 } } }"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at the last statement of one function."""
        body = node.child_by_field_name("body")
        if body is None or body.type not in {"block", "statement_block"}:
            return
        last = children.last(body)
        if (
            last is None
            or last.type != "if_statement"
            or b"return" not in file.content[last.start_byte : last.end_byte]
        ):
            return
        chain = branches(last, file, is_visited=False)
        if len(chain) < 2 or is_test(file.path) or _may_be_empty(node, body, file) or _yields(body):
            return
        name = node.child_by_field_name("name")
        own_name = name.text if name is not None else None
        giving = [branch for branch in chain if _gives(branch.body, own_name, file)]
        if own_name is None and node.type != "function_definition" and _only_says_yes_or_no(giving):
            return  # the callback of an `each`, where `false` means stop
        silent = [branch for branch in chain if not _leaves(branch.body, file, _DEPTH_READ)]
        is_open = chain[-1].condition is not None
        if not giving or not (silent or is_open) or (len(giving) < 2 and chain[0] not in giving):
            return
        first = chain[0].condition
        if len(chain) == 2 and silent and first is not None and _ASKS_FOR_NOTHING.search(file.text(first)):
            return  # `if value is None: return get() else: set(value)`
        called = f"`{file.text(name)}`" if name is not None else "This function"
        nothing = "`None`" if file.family == "python" else "`undefined`"
        line = file.position(giving[0].node.start_byte)[0]
        if silent:
            place = children.keyword(silent[0].node)
            where = f"in the branch on line {file.position(place.start_byte)[0]}"
        else:
            place, where = children.keyword(last), "if no condition holds"
        message = (
            f"{called} returns a value in the branch on line {line} but {nothing} {where}: return it there or say so"
        )
        yield Hit(place, message)


def _gives(body: Sequence[Node], own_name: bytes | None, file: SourceFile) -> bool:
    """Whether the branch ends by returning a value: not nothing, and not what the function itself gives."""
    value = _returned(body)
    if value is None or file.text(value) in {"None", "undefined", "null"}:
        return False
    if value.type in {"call", "call_expression"} and file.name_of_call(value).encode() == own_name:
        return False
    return file.family == "python" or value.type not in {"call_expression", "await_expression"}  # of nothing, perhaps


def _returned(body: Sequence[Node]) -> Node | None:
    last = next((part for part in reversed(body) if part.type != "comment"), None)
    return children.first(last) if last is not None and last.type == "return_statement" else None


def _only_says_yes_or_no(giving: Sequence[Branch]) -> bool:
    values = [_returned(branch.body) for branch in giving]
    return all(value is not None and value.type in {"true", "false", "unary_expression"} for value in values)


def _leaves(body: Sequence[Node], file: SourceFile, depth: int) -> bool:
    """Whether the end of these statements is never reached, as far as `depth` levels of nesting tell."""
    last = next((part for part in reversed(body) if part.type not in {"comment", "empty_statement"}), None)
    if last is None:
        return False
    kind = last.type
    if kind == "assert_statement":
        return file.text(last).startswith(("assert False", "assert 0"))
    if (
        kind in _LEAVES
        or depth <= 0
        or kind in {"while_statement", "for_statement", "for_in_statement", "match_statement"}
    ):
        return True  # loops and matches: not looked into, so nothing is claimed
    if kind == "if_statement":
        chain = branches(last, file, is_visited=False)
        return bool(chain) and chain[-1].condition is None and all(_leaves(b.body, file, depth - 1) for b in chain)
    if kind in {"try_statement", "with_statement", "switch_statement", "do_statement", "labeled_statement"}:
        return True
    call = children.first(last) if kind == "expression_statement" else None
    return (
        call is not None
        and call.type in {"call", "call_expression"}
        and _ENDING.search(file.name_of_call(call)) is not None
    )


def _may_be_empty(function: Node, body: Node, file: SourceFile) -> bool:
    """Whether the declared result, the docstring, the name or a contract says that nothing may come back."""
    doc = children.first(children.first(body))
    if doc is not None and doc.type == "string" and b"None" in (doc.text or b""):
        return True
    declared = function.child_by_field_name("return_type")
    if declared is not None and any(
        word in file.text(declared) for word in ("None", "Optional", "undefined", "void", "unknown", "any", "null")
    ):
        return True
    name = function.child_by_field_name("name")
    return name is not None and file.text(name) in _BY_CONTRACT


def _yields(body: Node) -> bool:
    stack = [body]
    while stack:
        node = stack.pop()
        if node.type in {"yield", "yield_expression"}:
            return True
        stack.extend(child for child in node.named_children if child.type not in _FUNCTIONS)
    return False
