"""What an Elixir module says of its names: which calls surely call functions, and work out what they are given.

A macro may do anything with the code that it is given: not run it, run it twice, bind names in it. So a call counts as
one of a function only if no macro can have its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rubber_duck.code.code import open_source
from rubber_duck.code.refactoring.refactored import Texts
from rubber_duck.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from rubber_duck.code.source import Node, SourceFile

RESERVED: Final = frozenset(
    {"and", "or", "not", "in", "when", "fn", "do", "end", "catch", "rescue", "after", "else", "true", "false", "nil"}
)
SPECIAL: Final = frozenset({"__MODULE__", "__DIR__", "__ENV__", "__CALLER__", "__STACKTRACE__", "_"})
"""What looks like a variable, and is none."""

KERNEL: Final = frozenset(
    {"abs", "apply", "binary_part", "binary_slice", "bit_size", "byte_size", "ceil", "div", "elem", "exit"}
    | {"floor", "function_exported?", "get_in", "hd", "inspect", "is_atom", "is_binary", "is_bitstring"}
    | {"is_boolean", "is_exception", "is_float", "is_function", "is_integer", "is_list", "is_map", "is_map_key"}
    | {"is_nil", "is_number", "is_pid", "is_port", "is_reference", "is_struct", "is_tuple", "length"}
    | {"macro_exported?", "make_ref", "map_size", "max", "min", "node", "not", "pop_in", "put_elem", "put_in"}
    | {"raise", "rem", "reraise", "round", "self", "send", "spawn", "spawn_link", "spawn_monitor", "struct"}
    | {"struct!", "tap", "then", "throw", "tl", "to_charlist", "to_string", "trunc", "tuple_size", "update_in"}
    | {"get_and_update_in"}
)
"""What every module has, and works out what it is given, once and in order."""

CONSTRUCTS: Final = frozenset({"if", "unless", "case", "cond", "with", "for", "try", "receive"})
_WORDS: Final = frozenset(
    {"alias", "import", "require", "use", "quote", "unquote", "super", "destructure", "binding", "dbg"}
)
_CALM: Final = frozenset(
    {"Access", "Agent", "Application", "Atom", "Base", "Calendar", "Date", "DateTime", "DynamicSupervisor"}
    | {"Enum", "Enumerable", "Exception", "File", "Float", "Function", "GenServer", "IO", "Inspect", "Integer"}
    | {"Keyword", "Kernel", "List", "Map", "MapSet", "Module", "Node", "OptionParser", "Path", "Port", "Process"}
    | {"Range", "Regex", "Registry", "Stream", "String", "StringIO", "Supervisor", "System", "Task", "Time"}
    | {"Tuple", "URI", "Version", "NaiveDateTime"}
)
"""Modules of Elixir without macros, or with such (Integer) as have to be required."""

_CALM_TO_USE: Final = frozenset({"GenServer", "Supervisor", "Agent", "Application", "Task", "DynamicSupervisor"})
LEXICAL: Final = frozenset({"alias", "import", "require", "use"})
MODULES: Final = frozenset({"defmodule", "defimpl", "defprotocol"})
_DEFINING: Final = frozenset({"def", "defp", "defmacro", "defmacrop", "defdelegate", "defguard", "defguardp"})
_FUNCTIONS: Final = frozenset({"def", "defp"})
_ASKING: Final = re.compile(r"\b(?:binding|var!|dbg|__ENV__|__CALLER__|current_stacktrace|current_function)(?![\w?!])")


class Module:
    """One `defmodule` of a file: `node` is the call, `tree` knows what stands around."""

    def __init__(self, file: SourceFile, tree: Tree, node: Node) -> None:
        self.file = file
        self.tree = tree
        self.node = node
        self.functions: dict[str, list[Node]] = {}
        self._macros: set[str] = set()
        self._required: set[str] = set()
        self._uses_unknown = False
        self._renames: set[str] = set()
        for call in self._calls():
            self._look(call)

    def _calls(self) -> Iterator[Node]:
        """The calls that stand in this module and in none inside of it; and what stands around it, which it sees."""
        for call in self.file.descendants(self.file.tree.root_node):
            if call.type == "call":
                home = next((each for each in self.tree.around(call) if callee(self.file, each) in MODULES), None)
                if home is None or home.id == self.node.id or inside(self.node, home):
                    yield call

    def _look(self, call: Node) -> None:
        word = callee(self.file, call)
        given = arguments(call)
        first = self.file.text(given[0]) if given else ""
        if word in _DEFINING and given:
            name = name_of(self.file, given[0])
            if word in _FUNCTIONS and self.home(call):
                self.functions.setdefault(name, []).append(call)
            elif word not in _FUNCTIONS:
                self._macros.add(name)
        elif word in {"require", "import", "use"}:
            named = re.findall(r"[A-Z][\w.]*", self.file.text(call))
            self._required.update([*named, *(each.rpartition(".")[2] for each in named)])
            self._uses_unknown = self._uses_unknown or (word == "use" and first not in _CALM_TO_USE)
            if first == "Kernel":
                self._macros.update(KERNEL | CONSTRUCTS)
        elif word == "alias":
            self._renames.update(re.findall(r"(?:as:\s*|[.{,]\s*)([A-Z]\w*)", self.file.text(call)))

    def home(self, call: Node) -> bool:
        """Whether a definition stands directly in this module."""
        around = list(self.tree.around(call))
        return len(around) > 1 and around[0].type == "do_block" and around[1].id == self.node.id

    @property
    def is_asked(self) -> bool:
        """Whether somebody in the file asks for the variables that are there."""
        return _ASKING.search(self.file.content.decode("utf-8", "replace")) is not None

    def construct(self, node: Node) -> str:
        """The word of a call that Elixir itself gives a meaning (`case`); "" for others."""
        word = callee(self.file, node)
        return word if word in CONSTRUCTS and word not in self.functions and word not in self._macros else ""

    def is_plain(self, call: Node) -> bool:
        """Whether a call surely works out what it is given, once, in order, and gives it to a function."""
        target = call.child_by_field_name("target")
        if target is None or any(each.type == "do_block" for each in call.children):
            return False
        if target.type == "identifier":
            name = self.file.text(target)
            if name in self._macros:
                return False
            if name in self.functions:
                return self._takes(name, call)
            return name in KERNEL and "Kernel" not in self._required
        if target.type != "dot":
            return False
        left = target.child_by_field_name("left")
        right = target.child_by_field_name("right")
        if left is None or left.type != "alias" or right is None:
            return left is not None
        said = self.file.text(left)
        if said in self._required or said.rpartition(".")[2] in self._required:
            return False
        is_elixirs = said in _CALM and said not in self._renames
        return is_elixirs or not self._uses_unknown

    def _takes(self, name: str, call: Node) -> bool:
        """Whether the module's own function takes as much as a call gives; if not, another's is meant."""
        parent = self.tree.parent(call)
        piped = parent is not None and operator(self.file, parent) == "|>" and parent.children[-1].id == call.id
        given = len(arguments(call)) + piped
        for each in self.functions[name]:
            head = arguments(each)[0]
            while head.type == "binary_operator" and (left := head.child_by_field_name("left")) is not None:
                head = left
            taken = arguments(head)
            least = sum(operator(self.file, one) != "\\\\" for one in taken)
            if least <= given <= len(taken):
                return True
        return False


class Tree:
    """What stands around the nodes of a file."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._parents: dict[int, Node] = {}
        for node in file.descendants(file.tree.root_node):
            for child in node.children:
                self._parents[child.id] = node

    def parent(self, node: Node) -> Node | None:
        """The node around one."""
        return self._parents.get(node.id)

    def around(self, node: Node) -> Iterator[Node]:
        """The nodes around one, the nearest first."""
        at = self.parent(node)
        while at is not None:
            yield at
            at = self.parent(at)

    def function(self, node: Node) -> Node:
        """The `def` or `defp` around a node; raises Refused where code is made, or is not in a function."""
        for each in self.around(node):
            word = callee(self.file, each)
            if word in _FUNCTIONS:
                return each
            if word in {"quote", "unquote", "defmacro", "defmacrop", "unquote_splicing"}:
                raise Refused(f"it stands in `{word}`, where code is made")
        raise Refused("it stands in no function: only what does is refactored in Elixir")

    def module(self, node: Node) -> Module:
        """The module around a node; raises Refused for a file that makes functions by macros of its own."""
        for each in self.around(node):
            if callee(self.file, each) in MODULES:
                return Module(self.file, self, each)
        raise Refused("it stands in no module")


def open_elixir(texts: Texts, path: str) -> SourceFile:
    """The parsed file; raises Refused where it does not parse as a whole."""
    if path not in texts:
        raise InvalidInput(f"there is no file '{path}' in the project")
    file = open_source(path, texts[path].encode("utf-8", "surrogateescape"), "elixir")
    if file.problems:
        raise Refused(f"'{path}' does not parse as a whole, so nothing is changed")
    return file


def require_name(name: str) -> None:
    """Raise InvalidInput for what is no name of a variable or a function."""
    if not re.fullmatch(r"[a-z][A-Za-z0-9_]*", name) or name in RESERVED | KERNEL | CONSTRUCTS | _DEFINING | _WORDS:
        raise InvalidInput(f"{name!r} is no name that may be given here")


def require_fresh(file: SourceFile, name: str, function: Node | None = None) -> None:
    """Raise InvalidInput for what is no name, Refused for one that is said already.

    That is in the file; for a variable in its `function`, out of which no variable is known.
    """
    require_name(name)
    text = file.text(function) if function is not None else file.content.decode("utf-8", "surrogateescape")
    if re.search(rf"(?<!\w){name}(?![\w?!])", text):
        where = "the function" if function is not None else f"'{file.path}'"
        raise Refused(f"{name!r} is used in {where} already")


def callee(file: SourceFile, node: Node) -> str:
    """The bare name that a call calls; "" for other calls and nodes."""
    target = node.child_by_field_name("target") if node.type == "call" else None
    return file.text(target) if target is not None and target.type == "identifier" else ""


def arguments(call: Node) -> list[Node]:
    """What a call is given, without its `do` block."""
    for each in call.children:
        if each.type == "arguments":
            return [child for child in each.named_children if child.type != "comment"]
    return []


def block_of(call: Node) -> Node | None:
    """The `do` block of a call."""
    return next((each for each in call.children if each.type == "do_block"), None)


def name_of(file: SourceFile, head: Node) -> str:
    """The name in the head of a definition."""
    while head.type == "binary_operator" and (left := head.child_by_field_name("left")) is not None:
        head = left
    return callee(file, head) or file.text(head)


def operator(file: SourceFile, node: Node) -> str:
    """The operator of a unary or binary operation; "" for other nodes."""
    if node.type not in {"binary_operator", "unary_operator"}:
        return ""
    found = node.child_by_field_name("operator")
    return " ".join(file.text(found).split()) if found is not None else ""


def inside(inner: Node, outer: Node) -> bool:
    """Whether a node stands in another, or is it."""
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte
