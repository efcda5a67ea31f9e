"""Finds the imports that a text lacks: what the project imports so elsewhere, or defines in one place only."""

from __future__ import annotations

import posixpath
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

from rubber_duck.code.code import detect, family, open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.refactoring.declarations import declares
from rubber_duck.code.refactoring.python.bindings import unknown_names
from rubber_duck.code.refactoring.python.circles import reaches
from rubber_duck.code.refactoring.python.module import Module
from rubber_duck.code.refactoring.python.move import after_imports
from rubber_duck.code.refactoring.refactored import Texts, newline_of
from rubber_duck.code.symbols import FileSymbols, Symbol
from rubber_duck.errors import Refused

_STANDARD: Final = {
    "abc": "ABC abstractmethod",
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "collections.abc": "AsyncIterator Awaitable Callable Coroutine Iterable Iterator Mapping MutableMapping Sequence",
    "contextlib": "asynccontextmanager closing contextmanager nullcontext suppress",
    "dataclasses": "asdict dataclass field fields replace",
    "datetime": "date datetime timedelta timezone",
    "decimal": "Decimal",
    "enum": "Enum IntEnum StrEnum auto",
    "fractions": "Fraction",
    "functools": "cache cached_property lru_cache partial reduce singledispatch wraps",
    "itertools": "accumulate chain combinations groupby islice pairwise permutations product takewhile zip_longest",
    "io": "BytesIO StringIO",
    "operator": "attrgetter itemgetter methodcaller",
    "pathlib": "Path PurePath PurePosixPath",
    "types": "MappingProxyType SimpleNamespace",
    "uuid": "UUID uuid4",
}
_TYPING: Final = "Annotated Any ClassVar Final Generic Literal NamedTuple Optional Protocol TypedDict TypeVar Union"
_WHERE: Final = {name: module for module, names in (*_STANDARD.items(), ("typing", _TYPING)) for name in names.split()}
_USED: Final = frozenset({"identifier", "type_identifier", "jsx_identifier", "shorthand_property_identifier"})
_IMPORT: Final = re.compile(r"^import\b[^;\n]*?['\"]([^'\"]+)['\"](;?)[ \t]*$", re.MULTILINE)


def with_imports(texts: Texts, path: str, before: str) -> tuple[str, tuple[str, ...]]:
    """The file at `path` with the imports that it lacks and did not lack when it was `before`; and those lines.

    A name of which several imports come into question gets none.
    """
    text = texts[path]
    language = detect(path, text[:4000].encode("utf-8", "replace"))
    kind = family(language) if language else ""
    if kind == "python":
        return _in_python(texts, path, before)
    return _in_ecmascript(texts, path, before) if kind == "ecmascript" else (text, ())


def _in_python(texts: Texts, path: str, before: str) -> tuple[str, tuple[str, ...]]:
    text = texts[path]
    try:
        lacking = unknown_names(path, text) - (unknown_names(path, before) if before.strip() else frozenset())
    except Refused:
        return text, ()  # it does not parse, or did not: that is said elsewhere
    if not lacking:
        return text, ()
    others = {each: texts[each] for each in texts if each.endswith(".py") and each != path}
    found = (_line_for(name, path, others) for name in lacking)
    lines = sorted((line for line in found if line is not None), key=lambda line: (line.startswith("from"), line))
    if not lines:
        return text, ()
    newline = newline_of(text)
    at = after_imports(Module(path, text))
    return f"{text[:at]}{''.join(f'{line}{newline}' for line in lines)}{text[at:]}", tuple(lines)


def _line_for(name: str, path: str, others: Texts) -> str | None:
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    imported: Counter[str] = Counter()
    defining: list[str] = []
    for other, text in others.items():
        if not word.search(text):
            continue
        facts = _facts(other, text)
        imported.update(_imported(facts, name))
        if any(each.name == name and each.parent is None for each in facts.symbols):
            defining.append(other)
    if len(imported) == 1 or (imported and imported.most_common(1)[0][1] > 2 * (imported.total() // 3)):
        return imported.most_common(1)[0][0]
    if not imported and len(defining) == 1:
        dotted = _dotted(defining[0])
        is_safe = dotted and not reaches(defining[0], path, {**others, path: ""})
        return f"from {dotted} import {name}" if is_safe else None
    if imported or defining:
        return None
    if name in sys.stdlib_module_names:
        return f"import {name}"
    return f"from {_WHERE[name]} import {name}" if name in _WHERE else None


def _imported(facts: FileSymbols, name: str) -> Iterator[str]:
    """How a file imports `name`, as lines that mean the same anywhere."""
    for edge in facts.imports:
        if edge.level or edge.is_conditional:
            continue
        if not edge.names and (edge.alias or edge.module) == name:
            yield f"import {edge.module}{f' as {edge.alias}' if edge.alias else ''}"
        for taken in edge.names:
            if (taken.alias or taken.name) == name:
                yield f"from {edge.module} import {taken.name}{f' as {taken.alias}' if taken.alias else ''}"


def _dotted(path: str) -> str:
    """A file's module as it is imported; "" for one that has none."""
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    name = name.removeprefix("src.").removeprefix("lib.")
    return name if all(part.isidentifier() for part in name.split(".")) else ""


def _in_ecmascript(texts: Texts, path: str, before: str) -> tuple[str, tuple[str, ...]]:
    text = texts[path]
    lacking = _undeclared(path, text) - (_undeclared(path, before) if before.strip() else frozenset())
    lines: list[str] = []
    for name in sorted(lacking):
        offering = [
            other
            for other, said in texts.items()
            if other != path and name in said and any(each.name == name for each in _exports(other, said))
        ]
        if len(offering) == 1:
            lines.append(_import_of(name, path, offering[0], text))
    if not lines:
        return text, ()
    newline = newline_of(text)
    last = None
    for last in _IMPORT.finditer(text):  # noqa: B007  # the last one is wanted
        pass
    at = 0 if last is None else min(len(text), last.end() + len(newline))
    return f"{text[:at]}{''.join(f'{line}{newline}' for line in lines)}{text[at:]}", tuple(lines)


def _undeclared(path: str, text: str) -> frozenset[str]:
    content = text.encode("utf-8", "surrogateescape")
    file = open_source(path, content, detect(path, content[:4000]) or "javascript")
    used: set[str] = set()
    declared: set[str] = set()
    for node in file.descendants(file.tree.root_node):
        if node.type in _USED or node.type == "shorthand_property_identifier_pattern":
            (declared if declares(node) else used).add(file.text(node))
    return frozenset(used - declared)


def _exports(path: str, text: str) -> list[Symbol]:
    language = detect(path, text[:4000].encode("utf-8", "replace"))
    if language is None or family(language) != "ecmascript" or "export" not in text:
        return []
    return [each for each in _facts(path, text).symbols if each.parent is None and each.is_exported]


def _import_of(name: str, path: str, offering: str, text: str) -> str:
    relative = posixpath.relpath(offering, posixpath.dirname(path) or ".")
    stem, suffix = posixpath.splitext(relative)
    found = [each for each in _IMPORT.finditer(text) if each[1].startswith(".")]
    has_suffix = any(posixpath.splitext(each[1])[1] in {".js", ".mjs", ".ts"} for each in found)
    said = (stem + {".ts": ".js", ".tsx": ".js", ".mts": ".mjs"}.get(suffix, suffix)) if has_suffix else stem
    said = said.removesuffix("/index") if not has_suffix and said.endswith("/index") else said
    quote = '"' if re.search(r'^import\b.*"', text, re.MULTILINE) else "'"
    ends = ";" if not found and ";\n" in text else found[-1][2] if found else ""
    return f"import {{ {name} }} from {quote}{said if said.startswith('.') else f'./{said}'}{quote}{ends}"


def _facts(path: str, text: str) -> FileSymbols:
    content = text.encode("utf-8", "surrogateescape")
    return extract(open_source(path, content, detect(path, content[:4000]) or "python"))
