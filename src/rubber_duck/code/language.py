"""What a language is: the names of its files, its grammars, and what its syntax nodes mean."""

from __future__ import annotations

import importlib
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rubber_duck.errors import InvalidDeclaration
from rubber_duck.registry import Registry

if TYPE_CHECKING:
    from rubber_duck.code.syntax import Syntax

_SHEBANG = re.compile(rb"#!\s*(?:\S*/)?(?:env\s+(?:-S\s+)?)?(?:\S*/)?([A-Za-z_]+)")


class Language(ABC):
    """A language RubberDuck can read.

    - `name`: `"python"`, unique. `title`: as people write it, `"Python"`; empty: the name.
    - `family`: languages that share node kinds, e.g. `"ecmascript"`.
    - `suffixes`: lower-case file endings with their dot. `filenames`: whole names without a suffix of their own.
    - `interpreters`: program names in a first line `#!…`, without version digits.
    - `grammars`: dialect → `"module:function"` that returns the grammar's tree-sitter capsule; imported at first use.
    - `extraction`: `"module:class"` of the Extractor that finds this language's symbols; imported at first use.
    - `leaves`: named node kinds that never have children; the walk does not try to enter them.
    - `literals`: node kinds of strings → the named kinds that stand between the two quotes of a plain one, or are
      these. The walk does not enter a plain one, which is one node in nine, where nothing visits what is in it.
    - `prose`: node kinds that are comments or documentation → a pattern which their text must begin with.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    family: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    filenames: ClassVar[tuple[str, ...]] = ()
    interpreters: ClassVar[tuple[str, ...]] = ()
    grammars: ClassVar[Mapping[str, str]]
    leaves: ClassVar[frozenset[str]]
    literals: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    prose: ClassVar[Mapping[str, bytes]] = {"comment": b""}
    line_comment: ClassVar[str]
    extraction: ClassVar[str]

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if (wrong := next(_wrong(cls), None)) is not None:
            raise InvalidDeclaration(f"the language class {cls.__module__}.{cls.__qualname__} {wrong}")

    def dialect(self, path: str) -> str:
        """The grammar, a key of `grammars`, that reads the file at `path`."""
        del path
        return self.name

    @abstractmethod
    def syntax(self) -> Syntax:
        """What this language's calls and strings look like in the tree."""


def _wrong(cls: Any) -> Iterator[str]:  # Any: what is declared may be of any type
    """What is wrong with a declaration, each as the rest of a sentence."""
    for field in ("name", "family", "suffixes", "grammars", "leaves", "line_comment", "extraction"):
        if not hasattr(cls, field):
            yield f"needs a class attribute `{field}`"
    for field in ("name", "family", "title", "line_comment", "extraction"):
        if not isinstance(getattr(cls, field), str):
            yield f"has the {field} {getattr(cls, field)!r}; it must be a text"
    for field in ("suffixes", "filenames", "interpreters"):
        value = getattr(cls, field)
        if not isinstance(value, tuple) or not all(isinstance(each, str) and each for each in value):
            yield f"has the {field} {value!r}; write a tuple of texts"
    wrong = next((each for each in cls.suffixes if not each.startswith(".") or each != each.lower()), None)
    if wrong is not None:
        yield f"has the suffix {wrong!r}; write it in lower case, with its dot"
    if not cls.grammars or not all(":" in target for target in cls.grammars.values()):
        yield f"has the grammars {cls.grammars!r}; write a dialect → 'module:function'"


class Languages(Registry[Language]):
    """The registry of languages: it imports only the module `language` of each folder, not what reads the trees."""

    def __init__(self) -> None:
        super().__init__("language", of=Language, group="rubber_duck.languages")

    def _import_own(self) -> None:
        root = importlib.import_module("rubber_duck.code.languages")
        for folder in pkgutil.iter_modules(root.__path__):
            importlib.import_module(f"{root.__name__}.{folder.name}.language")


languages: Final = Languages()
"""Every language. Add one with `@languages.add` in the module `language` of a folder of `code/languages/`."""


@cache
def language(name: str) -> Language:
    """The one instance of the language called `name`; UnknownName when there is none."""
    return languages.discover()[name]()


def family(name: str) -> str:
    """The family of the language called `name`."""
    return language(name).family


def family_at(path: str, content: bytes) -> str:
    """The family of the language of the file at `path`, which begins with `content`; "" for one that has none."""
    name = detect(path, content[:4096])
    return "" if name is None else family(name)


def title(name: str) -> str:
    """How people write the name of a language; a name that no language has stays as it is."""
    found = languages.discover().get(name)
    return found.title or name if found is not None else name


def detect(path: str, head: bytes | None) -> str | None:
    """The name of the language of the file at `path`, or None.

    The suffix decides, then the whole name, then a `#!` line in `head`, the file's first bytes (None when they
    were not read). Nothing is opened and no grammar is loaded.
    """
    suffixes, filenames, interpreters = _tables()
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    if dot > 0:
        found = suffixes.get(name[dot:].lower())
        if found is not None:
            return found
    found = filenames.get(name)
    if found is not None or head is None or dot > 0:
        return found
    shebang = _SHEBANG.match(head[:200])  # its two optional paths make it quadratic
    return interpreters.get(shebang[1].decode("ascii")) if shebang else None


@cache
def _tables() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    suffixes: dict[str, str] = {}
    filenames: dict[str, str] = {}
    interpreters: dict[str, str] = {}
    # Ours come last, so that no plug-in takes a suffix from them.
    own_last = sorted(languages.discover().items(), key=lambda item: languages.is_own(item[0]))
    for name, cls in own_last:
        suffixes |= dict.fromkeys(cls.suffixes, name)
        filenames |= dict.fromkeys(cls.filenames, name)
        interpreters |= dict.fromkeys(cls.interpreters, name)
    return suffixes, filenames, interpreters
