"""What a rule is: a class in a file of its own that names the syntax it looks at and yields what it sees.

A rule's docstring is its documentation, its `good` and `bad` examples are its tests.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar, Final

from rubber_duck.analysis.codes import CODES, is_code
from rubber_duck.analysis.finding import Confidence, Fix, Kind, Severity
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.errors import InvalidDeclaration
from rubber_duck.registry import Registry

CALLS: Final = frozenset({"call", "call_expression", "new_expression"})
"""The node kinds that are calls, in any language; `names` narrows these."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class Example:
    """A snippet of one language, `code`, that a rule must stay silent on (good) or report exactly once (bad).

    `options` are the rule's own, where the defaults would need a longer snippet.
    """

    language: str
    code: str
    options: Mapping[str, int | float | bool | str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """What `check` yields: the node to underline, the sentence to show, perhaps a fix.

    `severity` and `confidence` override the rule's own where this very case is better or worse.
    """

    node: Node
    message: str
    fix: Fix | None = None
    severity: Severity | None = None
    confidence: Confidence | None = None


class Rule(ABC):
    """A check over syntax nodes.

    Class attributes, checked when the class is made:

    - `name`: two or more lower-case words joined by `-`, unique among all rules.
    - `kind`, `severity`, `confidence`: see `analysis.finding`.
    - `kinds`: language name or family (`"python"`, `"ecmascript"`, `"elixir"`) → the tree-sitter node kinds that
      `check` is called with. The engine walks each file once and dispatches on them.
    - `names`: where not empty, `check` is called with a call (a kind in CALLS) only when its last name is among
      these: `"execute"` matches `cursor.execute(…)` and `execute(…)`. Nodes of other kinds all come.
    - `cwe`: required for security rules.
    - `replaces`: rules of other tools that say the same, as `analysis.codes` writes them (`"ruff/S602"`,
      `"eslint/no-eval"`). ruff is not asked for these, and a comment that silences one of them silences this rule.
    - `overlaps`: rules of other tools that say the same in some places and more in others. ruff is asked for these, but
      what it says on a line where this rule has a finding is left out; comments silence this rule as with `replaces`.
    - `hides_span`: whether what is underlined must not be shown: in reports all but its beginning is stars.
    - `good`, `bad`: at least one example of each; each `bad` one is reported exactly once.
    - `options`: setting name → default value (int, float, bool, str or tuple of str), changed under
      `[analysis.rules.<name>]` in duck.toml and read as `self.option("name")`.
    """

    name: ClassVar[str]
    kind: ClassVar[Kind]
    severity: ClassVar[Severity]
    confidence: ClassVar[Confidence] = Confidence.HIGH
    kinds: ClassVar[Mapping[str, tuple[str, ...]]]
    names: ClassVar[frozenset[str]] = frozenset()
    cwe: ClassVar[int | None] = None
    replaces: ClassVar[tuple[str, ...]] = ()
    overlaps: ClassVar[tuple[str, ...]] = ()
    hides_span: ClassVar[bool] = False
    good: ClassVar[tuple[Example, ...]]
    bad: ClassVar[tuple[Example, ...]]
    options: ClassVar[Mapping[str, int | float | bool | str | tuple[str, ...]]] = {}

    def __init__(self, options: Mapping[str, object] | None = None) -> None:
        self._options = {**self.options, **(options or {})}

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            _check_declaration(cls)

    def option(self, name: str) -> object:
        """The value of one of this rule's own options."""
        return self._options[name]

    @abstractmethod
    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Yield a Hit for each thing wrong at `node`; `file.ancestors` is the path above it."""


rules: Final[Registry[Rule]] = Registry(
    "rule", of=Rule, package="rubber_duck.analysis.rules", group="rubber_duck.rules", hint="`duck rules` lists them"
)
"""Every rule of our own. Add one with `@rules.add`."""


@cache
def stand_ins() -> Mapping[str, tuple[str, ...]]:
    """A rule of another tool, e.g. `"ruff/S602"` → the names of our rules that replace it."""
    return _by_code({name: rule.replaces for name, rule in rules.discover().items()})


@cache
def overlapping() -> Mapping[str, tuple[str, ...]]:
    """A rule of another tool, e.g. `"ruff/E722"` → the names of our rules that say the same in some places."""
    return _by_code({name: rule.overlaps for name, rule in rules.discover().items()})


def _by_code(codes: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, named in codes.items():
        for code in named:
            found.setdefault(code, []).append(name)
    return {code: tuple(names) for code, names in sorted(found.items())}


def _check_declaration(cls: type[Rule]) -> None:
    def refuse(what: str) -> InvalidDeclaration:
        return InvalidDeclaration(f"the rule class {cls.__module__}.{cls.__qualname__} {what}")

    for needed in ("kind", "severity", "kinds", "good", "bad"):
        if not hasattr(cls, needed):
            raise refuse(f"needs a class attribute `{needed}`")
    if not isinstance(cls.name, str) or not _NAME.fullmatch(cls.name):
        raise refuse(f"has the name {cls.name!r}; write two or more lower-case words joined by `-`")
    if not (cls.__doc__ or "").strip():
        raise refuse("needs a docstring: it is the rule's documentation")
    if not isinstance(cls.kind, Kind) or not isinstance(cls.severity, Severity):
        raise refuse("needs a `kind` from Kind and a `severity` from Severity")
    if not cls.kinds or not all(isinstance(nodes, tuple) and nodes for nodes in cls.kinds.values()):
        raise refuse("needs `kinds`: a language → a tuple of node kinds")
    if not isinstance(cls.names, (frozenset, set)) or not all(isinstance(name, str) for name in cls.names):
        raise refuse(f"has the names {cls.names!r}; write a set of texts")
    if cls.kind is Kind.SECURITY and cls.cwe is None:
        raise refuse("is a security rule and needs `cwe`, the number of the weakness")
    fault = _fault_of_replaces(cls.replaces) or _fault_of_replaces(cls.overlaps)
    if fault:
        raise refuse(fault)
    if not cls.good or not cls.bad:
        raise refuse("needs at least one `good` and one `bad` example")


def _fault_of_replaces(codes: object) -> str:
    """What is wrong with `replaces`, behind the name of the class; empty when nothing is."""
    if not isinstance(codes, tuple):
        return f"has {codes!r} as `replaces`; write a tuple of text"
    wrong = next((code for code in codes if not isinstance(code, str) or not is_code(code)), None)
    if wrong is not None:
        tools = ", ".join(f"`{tool}…`" for tool in CODES)
        return f"replaces {wrong!r}, which no tool that is known calls a rule; write it as the tool does: {tools}"
    twice = next((code for code in codes if codes.count(code) > 1), None)
    return f"replaces {twice!r} twice; take one out" if twice is not None else ""
