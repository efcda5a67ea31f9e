"""The one walk over a syntax tree: iterative, in source order, dispatching on the number of the node's kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from rubber_duck.code.grammar import Grammar
from rubber_duck.code.source import Node, SourceFile

Visit: TypeAlias = Callable[[Node], object]
"""A function called with a node; what it returns is ignored."""

Table: TypeAlias = Sequence[Visit | Literal[False] | None]
"""The function to call, indexed by `kind_id`; as long as the grammar has kinds.

False where there is nothing to call, None where there is no child to go to either: a third of all nodes, passed over
at once.
"""


def table(grammar: Grammar, visits: Iterable[tuple[str, Visit]]) -> Table:
    """The table for `(kind, function)` pairs, functions of one kind in the order given.

    A kind that this dialect does not have is passed over, so one set serves a family.
    """
    lists: dict[int, list[Visit]] = {}
    for kind, visit in visits:
        for kind_id in grammar.kind_ids(kind):
            lists.setdefault(kind_id, []).append(visit)
    return [
        _in_turn(lists[kind_id]) if kind_id in lists else None if grammar.leaf[kind_id] else False
        for kind_id in range(grammar.size)
    ]


def merge(first: Table, second: Table) -> Table:
    """Both tables' functions, those of `first` before those of `second`."""
    return [_in_turn((a, b)) if a and b else a or b for a, b in zip(first, second, strict=True)]


def _in_turn(visits: Sequence[Visit]) -> Visit:
    """One function that calls all of them: most kinds have one, and the walk need not loop over it."""
    if len(visits) == 1:
        return visits[0]

    def visit(node: Node) -> None:
        for each in visits:
            each(node)

    return visit


def walk(file: SourceFile, enter: Table, leave: Table) -> None:
    """Call `enter`'s functions at each node before its children and `leave`'s after them.

    `file.ancestors` holds the path from the root to the node's parent. Nodes without children and error nodes are
    not left. `parse` has made sure that the tree is at most MAX_DEPTH deep, so nothing here counts levels.
    """
    cursor = file.tree.walk()  # its methods are called by name: Python has a faster way for that than for a bound one
    grammar, ancestors = file.grammar, file.ancestors
    inside_strings = any(enter[kind_id] for kind_id in grammar.quoted) or any(leave[each] for each in grammar.literals)
    whole = grammar.whole if inside_strings else grammar.plain
    ancestors.clear()
    push, pop = ancestors.append, ancestors.pop
    due: list[tuple[Node, Visit]] = []  # nodes with something to call when they are left
    waiting: Node | None = None  # the innermost of them
    while True:
        node: Node = cursor.node  # type: ignore[assignment]  # None only for a cursor without a tree
        kind_id = node.kind_id
        try:
            visit = enter[kind_id]
        except IndexError:  # an error node, whose number is beyond the table
            visit, kind_id = False, 0
        if visit is not None:
            if visit:
                visit(node)
            if node.descendant_count > whole[kind_id] and cursor.goto_first_child():
                push(node)
                visit = leave[kind_id]
                if visit:
                    waiting = node
                    due.append((node, visit))
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            if pop() is waiting and waiting is not None:
                due.pop()[1](waiting)
                waiting = due[-1][0] if due else None
