"""Which variable each name in an Elixir function means: every match binds anew, and what a block binds stays in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rubber_duck.code.refactoring.elixir_module import SPECIAL, Module, arguments, block_of, callee, operator

if TYPE_CHECKING:
    from rubber_duck.code.source import Node

_SECTIONS: Final = frozenset({"else_block", "rescue_block", "catch_block", "after_block"})
_QUOTING: Final = frozenset({"quote", "unquote", "unquote_splicing", "var!", "binding", "dbg", "destructure"})
SIGILS: Final = frozenset("sScCwWrRDTNU")
"""The sigils that Elixir itself has."""

SHORT: Final = frozenset({"and", "or", "&&", "||"})
"""Whose right side is worked out only sometimes, as a block of its own."""


@dataclass(slots=True, eq=False)
class Binding:
    """A variable from where it is bound to where it is bound anew.

    `declared` are the names in its pattern; more than one means that they must be equal.
    """

    name: str
    declared: list[Node] = field(default_factory=list)
    reads: list[Node] = field(default_factory=list)


Env = dict[str, Binding]


class Scopes:
    """The variables of one `def` or `defp`.

    `of` has the variable of each name by the id of its node, `seen` all that are known where one is read. `free` are
    names that no variable has, which call something; `unsure` the places where a macro may do what nobody can see.
    """

    def __init__(self, module: Module, function: Node) -> None:
        self._file = module.file
        self._module = module
        self.of: dict[int, Binding] = {}
        self.seen: dict[int, Env] = {}
        self.all: list[Binding] = []
        self.free: list[Node] = []
        self.unsure: list[Node] = []
        self._define(function)

    def _define(self, function: Node) -> None:
        given = arguments(function)
        env: Env = {}
        if given:
            head, guard = given[0], None
            if operator(self._file, head) == "when":
                head, guard = head.child_by_field_name("left") or head, head.child_by_field_name("right")
            if head.type == "binary_operator":
                self.unsure.append(head)
            self._patterns(arguments(head), env, env)
            if guard is not None:
                self._expression(guard, env)
        for each in given[1:]:
            self._keywords(each, env)
        block = block_of(function)
        if block is not None:
            self._block(block, env)
        self._refuse_missed(function)

    def _refuse_missed(self, function: Node) -> None:
        """What was read as no variable must be the name of something else: whatever is left is unsure."""
        read = {*self.of, *(node.id for node in self.free)}
        head = arguments(function)[:1]
        for node in self._file.descendants(function):
            if node.type == "identifier" and node.id not in read and self._file.text(node) not in SPECIAL:
                parent = self._module.tree.parent(node)
                is_head = bool(head) and node.id in {head[0].id, (head[0].child_by_field_name("left") or head[0]).id}
                if parent is None or not (is_head or self._is_name(parent, node)):
                    self.unsure.append(node)

    def _is_name(self, parent: Node, node: Node) -> bool:
        """Whether it is what a call calls, a field, an attribute, a captured function or a type in a pattern."""
        word = operator(self._file, parent)
        if parent.type in {"call", "dot"}:
            return parent.child(0 if parent.type == "call" else parent.child_count - 1) == node
        if word in {"@", "/"}:
            return True
        around = [parent, *self._module.tree.around(parent)]
        return any(operator(self._file, each) == "::" for each in around[:4])

    def _keywords(self, node: Node, env: Env) -> None:
        """`do: a, else: b`: each with names of its own."""
        if node.type != "keywords":
            self._expression(node, dict(env))
            return
        for pair in node.named_children:
            value = pair.child_by_field_name("value")
            if value is not None:
                self._expression(value, dict(env))

    def _block(self, block: Node, env: Env, *, patterns: bool = True) -> None:
        """A `do` block with its sections."""
        self._sequence((each for each in block.named_children if each.type not in _SECTIONS), env, patterns=patterns)
        for each in block.named_children:
            if each.type in _SECTIONS:  # what waits for `after` is no pattern
                self._sequence(each.named_children, env, patterns=each.type != "after_block")

    def _sequence(self, nodes: Iterable[Node], env: Env, *, patterns: bool = True) -> None:
        env = dict(env)
        for each in nodes:
            if each.type == "stab_clause":
                self._clause(each, dict(env), patterns=patterns)
            else:
                self._expression(each, env)

    def _clause(self, clause: Node, env: Env, *, patterns: bool = True) -> None:
        left, right = clause.child_by_field_name("left"), clause.child_by_field_name("right")
        guard = None
        if left is not None and operator(self._file, left) == "when":
            guard, left = left.child_by_field_name("right"), left.child_by_field_name("left")
        if left is not None:
            parts = left.named_children if left.type == "arguments" else [left]
            if patterns:
                self._patterns(parts, env, env)
            else:
                for each in parts:
                    self._expression(each, env)
        if guard is not None:
            self._expression(guard, env)
        if right is not None:
            self._sequence(right.named_children, env)

    def _expression(self, node: Node, env: Env) -> None:
        """Read an expression; what it binds is in `env` afterwards."""
        read = {
            "identifier": self._read,
            "call": self._call,
            "binary_operator": self._operation,
            "unary_operator": self._unary,
            "dot": self._dot,
        }.get(node.type)
        if read is not None:
            read(node, env)
        elif node.type == "anonymous_function":
            self._sequence(node.named_children, env)
        elif node.type == "stab_clause":
            self.unsure.append(node)
            self._clause(node, dict(env))
        elif node.type == "block":
            for each in node.named_children:
                self._expression(each, env)
        elif node.type != "comment":
            if node.type == "sigil" and self._file.text(node)[1:2] not in SIGILS:
                self.unsure.append(node)
            self._together(node.named_children, env)

    def _dot(self, node: Node, env: Env) -> None:
        left = node.child_by_field_name("left")
        if left is not None:
            self._expression(left, env)

    def _together(self, nodes: Iterable[Node], env: Env) -> None:
        """Parts of one expression: none sees what another binds, and all that they bind is known behind it."""
        before = dict(env)
        for each in nodes:
            own = dict(before)
            self._expression(each, own)
            env.update({name: found for name, found in own.items() if before.get(name) is not found})

    def _read(self, node: Node, env: Env) -> None:
        name = self._file.text(node)
        found = env.get(name)
        if found is not None:
            found.reads.append(node)
            self.of[node.id] = found
            self.seen[node.id] = dict(env)
        elif name not in SPECIAL:
            self.free.append(node)

    def _operation(self, node: Node, env: Env) -> None:
        word = operator(self._file, node)
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        if word == "=":
            self._expression(right, env)
            self._patterns([left], dict(env), env)
            return
        if word in {"<-", "\\\\", "when", "::"}:
            self.unsure.append(node)
        if word in SHORT:
            self._expression(left, env)
            self._expression(right, dict(env))
            return
        self._together([left, right], env)

    def _unary(self, node: Node, env: Env) -> None:
        word = operator(self._file, node)
        operand = node.named_children[-1]  # the field has the bracket of `&(…)` first
        if word == "@" and operand.type == "identifier":
            return
        if word == "&" and operator(self._file, operand) == "/":
            named = operand.child_by_field_name("left")
            if named is not None and named.type == "identifier":
                return
            if named is not None and named.type == "call" and not arguments(named):
                self._expression(named, env)
                return
        if word == "^":
            self.unsure.append(node)
        self._expression(operand, dict(env) if word == "&" else env)

    def _call(self, node: Node, env: Env) -> None:
        word = callee(self._file, node)
        if word in _QUOTING:
            self.unsure.append(node)
        construct = self._module.construct(node)
        if construct in {"with", "for"}:
            self._comprehension(node, construct, env)
            return
        if word == "match?" and len(arguments(node)) == 2:
            self._matched(arguments(node)[0], dict(env))
            self._expression(arguments(node)[1], env)
            return
        target = node.child_by_field_name("target")
        if target is not None and target.type != "identifier":
            self._expression(target, env)
        if not construct and not self._module.is_plain(node):
            self.unsure.append(node)
        given = arguments(node)
        if construct and given and given[-1].type == "keywords":
            self._together(given[:-1], env)
            self._keywords(given[-1], env)
        else:
            self._together(given, env)
        block = block_of(node)
        if block is not None:
            self._block(block, env, patterns=construct != "cond")

    def _comprehension(self, node: Node, word: str, env: Env) -> None:
        """`for` and `with`: each clause sees what those before it bound; their options and `else` do not."""
        inner = dict(env)
        for each in arguments(node):
            if each.type == "keywords":
                self._options(each, env, inner)
            elif each.type == "bitstring":
                self._bits(each, inner)
            elif operator(self._file, each) == "<-":
                self._generator(each, inner)
            else:
                self._expression(each, inner)
        block = block_of(node)
        if block is None:
            return
        self._sequence((each for each in block.named_children if each.type not in _SECTIONS), inner)
        for each in block.named_children:
            if each.type in _SECTIONS:
                self._sequence(each.named_children, env if word == "with" else inner)

    def _options(self, keywords: Node, env: Env, inner: Env) -> None:
        for pair in keywords.named_children:
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and value is not None:
                is_body = self._file.text(key).strip() == "do:"
                self._expression(value, dict(inner if is_body else env))

    def _generator(self, node: Node, env: Env) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        self._expression(right, env)
        self._matched(left, env)

    def _matched(self, pattern: Node, env: Env) -> None:
        """A pattern, perhaps with a guard."""
        left: Node | None = pattern
        guard = None
        if operator(self._file, pattern) == "when":
            guard, left = pattern.child_by_field_name("right"), pattern.child_by_field_name("left")
        if left is not None:
            self._patterns([left], dict(env), env)
        if guard is not None:
            self._expression(guard, env)

    def _bits(self, node: Node, env: Env) -> None:
        """`<<c <- text>>`: what stands in front of the arrow are patterns."""
        parts = node.named_children
        last = parts[-1] if parts else None
        if last is None or operator(self._file, last) != "<-":
            self._expression(node, env)
            return
        left, right = last.child_by_field_name("left"), last.child_by_field_name("right")
        if left is not None and right is not None:
            self._expression(right, env)
            self._patterns([*parts[:-1], left], dict(env), env)

    def _patterns(self, nodes: Iterable[Node], known: Env, into: Env) -> None:
        """Bind what patterns name; `known` is what they may pin, `into` gets what they bind."""
        made: Env = {}
        known = dict(known)
        for each in nodes:
            self._pattern(each, known, made)
        into.update(made)

    def _pattern(self, node: Node, known: Env, made: Env) -> None:
        if node.type == "identifier":
            self._bind(node, made)
        elif node.type == "unary_operator":
            self._pinned(node, known)
        elif node.type == "binary_operator":
            self._joined(node, known, made)
        elif node.type == "interpolation":
            self._together(node.named_children, dict(known))
        else:
            if node.type == "call":
                self.unsure.append(node)
            parts = arguments(node) if node.type == "call" else node.named_children
            for each in parts:
                if each.type not in {"keyword", "quoted_keyword"}:
                    self._pattern(each, known, made)

    def _joined(self, node: Node, known: Env, made: Env) -> None:
        """Two patterns with an operator between them."""
        word = operator(self._file, node)
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        if word == "=>":
            self._pinned(left, known) if left.type == "unary_operator" else self._expression(left, dict(known))
            self._pattern(right, known, made)
            return
        self._pattern(left, known, made)
        if word == "::":
            self._sized(right, {**known, **made})
        elif word in {"\\\\", "in"}:
            self._expression(right, dict(known))
        else:
            self._pattern(right, known, made)
            if word not in {"=", "<>", "++", "|", ".."}:
                self.unsure.append(node)

    def _pinned(self, node: Node, known: Env) -> None:
        operand = node.named_children[-1]
        if operator(self._file, node) == "^" and operand.type == "identifier":
            self._read(operand, known)
        elif operator(self._file, node) != "@":
            self._expression(operand, dict(known))

    def _sized(self, node: Node, known: Env) -> None:
        """`binary-size(n)`: types look like variables, and are none."""
        if node.type == "call":
            self._together(arguments(node), dict(known))
        for each in node.named_children if node.type == "binary_operator" else ():
            self._sized(each, known)

    def _bind(self, node: Node, made: Env) -> None:
        name = self._file.text(node)
        if name in SPECIAL:
            return
        if name not in made:
            made[name] = Binding(name)
            self.all.append(made[name])
        made[name].declared.append(node)
        self.of[node.id] = made[name]
