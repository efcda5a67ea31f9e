"""Finds the reading of formats that can run code while they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading.assignments import assigned, scope
from rubber_duck.analysis.reading.calls import Arguments, arguments
from rubber_duck.analysis.reading.evidence import is_constant, is_from_outside
from rubber_duck.analysis.reading.mentions import mentions
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_PICKLES: Final = frozenset({"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal"})
_OWN_FILES: Final = re.compile(rb"\bFile\.read|beam_lib|get_object_code|_chunk|manifest")


@rules.add
class UnsafeDeserialization(Rule):
    """Bytes are read in a format that can bring code with it, or exhaust what is never freed.

    Whoever can write what `pickle.load`, `yaml.load` without a safe loader or `unserialize` of node-serialize reads,
    runs code in this program (CWE-502): a cache server, a queue, an uploaded file are enough. `marshal.loads` takes
    over code objects and can crash on bytes made for it. `:erlang.binary_to_term` runs nothing by itself, but makes
    atoms, which are never freed, and functions, which run as soon as something calls or enumerates them.

    Mend it by a format that holds only values: JSON, `yaml.safe_load`. `:erlang.binary_to_term(x, [:safe])` refuses new
    atoms and new references to functions of modules; it does not refuse functions as such or large terms, so check what
    came out. Where such a format must stay, sign what is written and check the signature before reading.

    Confidence is high for `yaml.load`, where a safe twin exists, and where the bytes come from a request; otherwise
    medium, because only you know who can write there. Copies by `pickle.loads(pickle.dumps(x))`, what lies in a field
    of `self`, files that an Elixir module wrote itself, and tests are not reported.
    """

    name = "unsafe-deserialization"
    kind = Kind.SECURITY
    severity = Severity.HIGH
    confidence = Confidence.MEDIUM
    cwe = 502
    kinds: ClassVar = {"python": ("call",), "ecmascript": ("call_expression",), "elixir": ("call",)}
    names = frozenset(
        {
            *("load", "loads", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "Unpickler", "read_pickle"),
            *("unserialize", "binary_to_term"),
        }
    )
    replaces = ("ruff/S301", "ruff/S302", "ruff/S506", "bandit/B301", "bandit/B302", "bandit/B506")
    good = (
        Example("python", "json.loads(x)\nyaml.safe_load(x)\nyaml.load(x, Loader=yaml.SafeLoader)\n"),
        Example("python", "import yaml\nLoader = getattr(yaml, 'CSafeLoader')\nyaml.load(x, Loader)\n"),
        Example("python", "yaml.load(x, CSafeLoader)\nself.loads(x)\ncopy = pickle.loads(pickle.dumps(x))\n"),
        Example("python", 'pickle.loads(b"abc")\n'),
        Example("python", "def get(self, key):\n    raw = self._cache[key]\n    return pickle.loads(raw)\n"),
        Example("javascript", "JSON.parse(x); php.unserialize(x); serialize(x)"),
        Example("elixir", "def f(path), do: path |> File.read!() |> :erlang.binary_to_term()\n"),
        Example("elixir", ":erlang.binary_to_term(x, [:safe])\n:erlang.binary_to_term(<<131, 97, 1>>)\n"),
    )
    bad = (
        Example("python", "data = pickle.loads(raw)\n"),
        Example("python", "with open(p, 'rb') as f:\n    data = pickle.load(f)\n"),
        Example("python", "config = yaml.load(text)\n"),
        Example("python", "config = yaml.load(text, Loader=yaml.Loader)\n"),
        Example("python", "pickle.Unpickler(stream).load()\n"),
        Example("python", "code = marshal.loads(raw)\n"),
        Example("javascript", "const s = require('node-serialize'); s.unserialize(req.body.x)"),
        Example("elixir", ":erlang.binary_to_term(raw)"),
        Example("elixir", "raw |> :erlang.binary_to_term()"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at the reader and at what it is given."""
        callee = file.callee(node)
        module, _, name = callee.rpartition(".")
        family = file.family
        given = arguments(node, file)
        source = given.at(0, "stream", "data", "file", "filepath_or_buffer")
        if source is None or is_test(file.path):
            return
        if family == "elixir":
            is_risky = callee == ":erlang.binary_to_term" and not _has_safe(given, file) and source.type != "bitstring"
        elif family == "ecmascript":
            is_risky = name == "unserialize" and mentions(file, b"node-serialize")
        else:
            is_risky = _is_risky_python(module, name, given, file)
        if not is_risky or is_constant(source, file) or _is_own(source, file):
            return
        is_sure = module == "yaml" or is_from_outside(source, file)
        confidence = Confidence.HIGH if is_sure else Confidence.MEDIUM
        severity = Severity.MEDIUM if family == "elixir" else None
        yield Hit(node, _message(callee, source, file), confidence=confidence, severity=severity)


def _message(callee: str, source: Node, file: SourceFile) -> str:
    """What this reader does with hostile bytes, and what to use."""
    if file.family == "elixir":
        return (
            f"`{callee}` makes atoms, which are never freed, and functions of what it reads: "
            f"use `{callee}({shortened(file.text(source))}, [:safe])`, which refuses new atoms, "
            "and check the term, which may still hold functions"
        )
    does = "runs code that is hidden in what it reads"
    wish = "use `JSON.parse`" if file.family == "ecmascript" else "use JSON, or check a signature first"
    if callee.startswith("marshal."):
        does = "takes over code and can crash on bytes that are made for it"
    elif callee.startswith("yaml."):
        wish = "use `yaml.safe_load`"
    return f"`{callee}` {does}: {wish}"


def _is_risky_python(module: str, name: str, given: Arguments, file: SourceFile) -> bool:
    if name in {"load", "loads", "Unpickler"}:
        if module in _PICKLES:
            return True
        if module != "yaml":
            return False
    if module == "yaml" and name in {"load", "load_all"}:
        loader = given.at(1, "Loader")
        if loader is None:
            return True
        named = file.text(loader)
        is_of_yaml = named.startswith("yaml.") or mentions(file, b"from yaml import")
        return is_of_yaml and named.rpartition(".")[2] in {"Loader", "UnsafeLoader", "CLoader"}
    if module == "yaml":
        return name in {"unsafe_load", "unsafe_load_all"}
    return name == "read_pickle" and module in {"pd", "pandas"}


def _is_own(source: Node, file: SourceFile) -> bool:
    """Whether the bytes are this process's own: just written, kept in `self`, or a file of the build."""
    if file.family == "elixir":
        around = scope(file)
        if around is not None and mentions(file, _OWN_FILES, around):
            return True
        return mentions(file, b"term_to_binary") and mentions(file, b"File.write")
    values = assigned(file.text(source), file) if source.type == "identifier" else []
    return all(
        (value.type == "call" and file.name_of_call(value) in {"dumps", "term_to_binary"})
        or (value.type in {"subscript", "attribute"} and file.text(value).startswith("self."))
        for value in values or [source]
    )


def _has_safe(given: Arguments, file: SourceFile) -> bool:
    options = given.at(1)
    return options is not None and (":safe" in file.text(options) or options.type == "identifier")
