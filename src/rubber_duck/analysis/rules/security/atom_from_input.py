"""Finds atoms that are made of whatever text comes in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Edit, Fix, Kind, Severity
from rubber_duck.analysis.reading import children
from rubber_duck.analysis.reading.assignments import scope
from rubber_duck.analysis.reading.calls import arguments
from rubber_duck.analysis.reading.evidence import is_constant, is_from_outside
from rubber_duck.analysis.reading.mentions import mentions
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_MAKERS: Final = {
    "String.to_atom": "String.to_existing_atom",
    "List.to_atom": "List.to_existing_atom",
    ":erlang.binary_to_atom": ":erlang.binary_to_existing_atom",
    ":erlang.list_to_atom": ":erlang.list_to_existing_atom",
}
_SERVES: Final = re.compile(rb"\buse Phoenix\b|\bimport Plug\.Conn\b|\buse \w+Web, |\buse Plug\b")
_AT_COMPILE_TIME: Final = frozenset({"defmacro", "defmacrop", "quote", "unquote", "defguard"})


@rules.add
class AtomFromInput(Rule):
    """Text that is not known when the program is written becomes an atom.

    Atoms are never freed, and the Erlang machine stops when it has about a million of them. Whoever can choose the
    text, in a request, a JSON document or a file, can stop every program on the node (CWE-400).

    Mend it by `String.to_existing_atom/1`, which raises for an atom that the program does not have, or by a `case`
    over the texts that are allowed.

    Reported is text of a request (`conn`, `params`), what a function takes out of a map with text keys, as decoded JSON
    has, and any text in a file of a Phoenix or Plug application; with the option `everywhere`, any text. Never looked
    at: macros and module bodies, which run when the program is compiled, Mix tasks and scripts, which end soon, tests.
    """

    name = "atom-from-input"
    kind = Kind.SECURITY
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM
    cwe = 400
    kinds: ClassVar = {"elixir": ("call",)}
    names = frozenset({"to_atom", "binary_to_atom", "list_to_atom"})
    options: ClassVar = {"everywhere": False}
    replaces = ("credo/Credo.Check.Warning.UnsafeToAtom",)
    good = (
        Example("elixir", 'def f, do: String.to_atom("fixed")\ndef g(x), do: String.to_existing_atom(x)\n'),
        Example("elixir", "defmacro f(x) do\n  String.to_atom(x)\nend\n"),
        Example("elixir", "defmodule A do\n  for x <- ~w(a b), do: def(unquote(String.to_atom(x))(), do: 1)\nend\n"),
        Example("elixir", "def f(x) do\n  quote do\n    String.to_atom(unquote(x))\n  end\nend\n"),
        Example("elixir", "def f(x), do: String.to_atom(x)\n"),
        Example("elixir", "def f(%{name: name}), do: Atom.to_atom(name)\n"),
    )
    bad = (
        Example("elixir", 'def show(conn, %{"page" => page}) do\n  render(conn, String.to_atom(page))\nend\n'),
        Example("elixir", "use Phoenix.Controller\ndef f(x), do: x |> String.downcase() |> String.to_atom()\n"),
        Example("elixir", 'def f(conn), do: :erlang.binary_to_atom(conn.params["x"], :utf8)\n'),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at what becomes an atom, and when."""
        callee = file.callee(node)
        safe = _MAKERS.get(callee)
        if safe is None or is_test(file.path) or not _runs_later(file):
            return
        text = arguments(node, file).at(0)
        if text is None or is_constant(text, file):
            return
        is_outside = is_from_outside(text, file)
        if not (is_outside or self.option("everywhere") or _may_come_from_outside(text, file)):
            return
        target = node.child_by_field_name("target")
        fix = None
        if target is not None and callee.startswith(("String.", "List.")):
            edit = Edit(target.start_byte, target.end_byte, safe)
            fix = Fix(f"Use `{safe}`", (edit,), safe=False)  # raises for atoms that are new
        message = f"`{shortened(file.text(text))}` becomes an atom, and atoms are never freed: use `{safe}`"
        yield Hit(node, message, fix, confidence=Confidence.HIGH if is_outside else Confidence.MEDIUM)


def _may_come_from_outside(text: Node, file: SourceFile) -> bool:
    """Whether the file serves requests, or the text is taken from a map with text keys in the function's head."""
    if mentions(file, _SERVES):
        return True
    name = re.match(r"\w+", file.text(text))
    head = scope(file)
    if name is None or head is None or head.type != "call":
        return False
    given = children.of_kind(head, "arguments")
    return given is not None and re.search(rf"\"\s*=>\s*{name[0]}\b", file.text(given)) is not None


def _runs_later(file: SourceFile) -> bool:
    """Whether the node being visited runs when the program runs, and again and again."""
    if file.path.endswith(".exs") or "mix/tasks/" in file.path or mentions(file, b"use Mix.Task"):
        return False
    is_in_function = False
    for above in reversed(file.ancestors):
        if above.type == "call":
            name = file.name_of_call(above)
            if name in _AT_COMPILE_TIME:
                return False
            is_in_function = is_in_function or name in {"def", "defp"}
        elif above.type == "unary_operator" and children.operator(above) == "@":
            return False
    return is_in_function
