"""The decisions in a piece of code, counted by what makes them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rubber_duck.analysis.reading import children
from rubber_duck.code.source import Node, SourceFile

_DECISIONS: Final = {
    **dict.fromkeys(("if_statement", "elif_clause"), "if"),
    **dict.fromkeys(("conditional_expression", "ternary_expression"), "conditional expression"),
    **dict.fromkeys(("for_statement", "for_in_statement", "while_statement", "do_statement"), "loop"),
    **dict.fromkeys(("except_clause", "catch_clause"), "except"),
    **dict.fromkeys(("for_in_clause", "if_clause"), "comprehension"),
    "match_statement": "match",
    "switch_statement": "switch",
    "boolean_operator": "and/or",
}
FUNCTIONS: Final = frozenset(
    {
        *("function_definition", "class_definition", "function_declaration", "generator_function_declaration"),
        *("function_expression", "generator_function", "arrow_function", "method_definition", "class_declaration"),
        *("class", "class_static_block"),
    }
)
"""The node kinds that begin a count of their own. Elixir's `fn` is not among them: it is read in its place."""

_LOGIC: Final = frozenset({"&&", "||", "??", "and", "or"})
_OPERATIONS: Final = frozenset({"binary_expression", "binary_operator"})
_ELIXIR_CALLS: Final = {"if": "if", "unless": "if", "for": "comprehension"}
_CLAUSES: Final = frozenset({"do_block", "else_block", "catch_block", "anonymous_function"})


def decisions(node: Node, file: SourceFile) -> Counter[str]:
    """The decisions in `node` by what makes them (`"if"`, `"loop"`, `"and/or"` …), without those of functions within.

    A `match`, a `switch` and a list of Elixir clauses count once, however many cases they have: McCabe's number as
    modified by many tools (lizard's `--modified`), because cases side by side are read one at a time.
    """
    found: Counter[str] = Counter()
    stack = [node]
    is_elixir = file.family == "elixir"
    while stack:
        each = stack.pop()
        kind = each.type
        if kind in FUNCTIONS:
            continue
        if kind in _OPERATIONS:
            what = "and/or" if children.operator(each) in _LOGIC else None
        elif is_elixir and kind == "call" and file.name_of_call(each) == "cond":
            clauses = _clauses(children.of_kind(each, "do_block"))
            found["if"] += max(0, len(clauses) - 1)  # the last is most often `true ->`
            stack.extend(clauses)
            continue
        else:
            what = _elixir_decision(each, file, found) if is_elixir else _DECISIONS.get(kind)
        if what is not None:
            found[what] += 1
        stack.extend(each.named_children)
    return found


def _elixir_decision(node: Node, file: SourceFile, found: Counter[str]) -> str | None:
    if node.type == "call":
        return _ELIXIR_CALLS.get(file.name_of_call(node))
    if node.type == "rescue_block":
        found["except"] += len(_clauses(node))
    return "case" if node.type in _CLAUSES and len(_clauses(node)) > 1 else None


def _clauses(block: Node | None) -> list[Node]:
    return [child for child in block.named_children if child.type == "stab_clause"] if block is not None else []
