"""Finds statements that stand behind one that always leaves the block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_BLOCKS: Final = frozenset({"block", "statement_block", "module", "program", "body", "do_block", "else_block"})
_HARMLESS: Final = frozenset(
    {
        *(
            "comment",
            "empty_statement",
            "function_declaration",
            "generator_function_declaration",
            "interface_declaration",
        ),
        *("type_alias_declaration", "ambient_declaration", "function_signature", "declare_statement"),
    }
)
"""What may stand there in ECMAScript: hoisted functions and things that only the compiler reads."""

_WORDS: Final = {
    "return_statement": "return",
    "raise_statement": "raise",
    "throw_statement": "throw",
    "break_statement": "break",
    "continue_statement": "continue",
}


@rules.add
class UnreachableCode(Rule):
    """Statements behind `return`, `raise`, `throw`, `break` or `continue` in the same block never run.

    They mislead readers, and often something was meant to happen first: a clean-up, a log line, the right value.

    Mend it by moving the statements before the jump or deleting them.

    Not reported: `yield` behind a jump, which makes a Python function a generator, hoisted function declarations of
    JavaScript, and code that only says that it cannot be reached (`raise`, `flunk(…)`). Ignore it while code is
    switched off for a moment.
    """

    name = "unreachable-code"
    kind = Kind.SEMANTIC
    severity = Severity.MEDIUM
    kinds: ClassVar = {
        "python": ("return_statement", "raise_statement", "break_statement", "continue_statement"),
        "ecmascript": ("return_statement", "throw_statement", "break_statement", "continue_statement"),
        "elixir": ("call",),
    }
    names = frozenset({"raise", "throw", "reraise"})
    replaces = ("eslint/no-unreachable",)
    good = (
        Example("python", "def f():\n    return 1\n\ndef g():\n    if a:\n        return 2  # why\n    return 3\n"),
        Example("python", "def f():\n    return\n    yield\n"),
        Example("python", "async def f():\n    raise NotImplementedError\n    if False:\n        yield 1\n"),
        Example("python", "def f():\n    return 1\n    # nothing but a comment\n"),
        Example("javascript", "function f() { return g(); function g() { return 1 } }"),
        Example("javascript", "switch (x) { case 1: return 1; break; case 2: { return 2 } break; }"),
        Example("javascript", "function f() { return g;\n var g; }"),
        Example("elixir", 'try do\n  raise "x"\n  flunk("should not reach")\nrescue\n  _ -> 1\nend\n'),
        Example("elixir", 'def f(x) do\n  if x, do: raise("no")\n  x\nend\ndef g, do: raise "no"\n'),
    )
    bad = (
        Example("python", "def f():\n    return 1\n    g()\n    h()\n"),
        Example("python", "for x in y:\n    if x:\n        continue\n        g(x)\n"),
        Example("javascript", "function f() { throw new Error('x'); g(); }"),
        Example("typescript", "for (const x of y) { break; g(x); }"),
        Example("javascript", "switch (x) { case 1: return 1; f(); break; }"),
        Example("elixir", 'def f(x) do\n  raise ArgumentError, "no"\n  x\nend\n'),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look for what follows the jump in its own block."""
        parent = file.parent
        if parent is None or parent.end_byte == node.end_byte:
            return
        if parent.type not in _BLOCKS and parent.type not in {"switch_case", "switch_default"}:
            return
        key = (__name__, parent.kind_id, parent.start_byte, parent.end_byte)
        if file.kept.setdefault(key, node.start_byte) != node.start_byte:
            return  # an earlier jump in this block was looked at, and this one is dead itself
        following = [child for child in parent.named_children if child.start_byte >= node.end_byte]
        dead = [child for child in following if not _is_harmless(child, parent)]
        if not dead or _makes_generator(following, file) or _says_unreachable(dead[0], file):
            return
        word = _WORDS.get(node.type) or file.name_of_call(node)
        line = file.position(node.start_byte)[0]
        count = "This never runs" if len(dead) == 1 else f"This and {len(dead) - 1} more below never run"
        message = f"{count}: `{word}` on line {line} always leaves first; move it up or delete it"
        yield Hit(_head(dead[0]), message, confidence=Confidence.HIGH)


def _is_harmless(node: Node, parent: Node) -> bool:
    if node.type in _HARMLESS or node.type.endswith("_block"):
        return True
    if node.type == "break_statement" and parent.type in {"switch_case", "switch_default"}:
        return True
    if node.type == "variable_declaration":  # `var x;` is hoisted
        return all(child.child_by_field_name("value") is None for child in node.named_children)
    return False


def _makes_generator(nodes: list[Node], file: SourceFile) -> bool:
    return any(found.type == "yield" for node in nodes for found in file.descendants(node))


def _says_unreachable(node: Node, file: SourceFile) -> bool:
    """Whether the dead statement is an assertion that it is never reached: `flunk("…")`, `self.fail()`, `raise`."""
    if node.type in {"raise_statement", "assert_statement", "throw_statement"}:
        return True
    call = children.first(node) if node.type == "expression_statement" else node
    if call is None or call.type not in {"call", "call_expression"}:
        return False
    return file.name_of_call(call) in {"flunk", "fail", "assert_never", "assertNever", "unreachable", "raise"}


def _head(node: Node) -> Node:
    """The part of a long statement that is worth underlining: its first simple child."""
    while node.start_point.row != node.end_point.row and node.named_child_count:
        inner = children.first(node)
        if inner is None or inner.start_byte != node.start_byte:
            break
        node = inner
    return node
