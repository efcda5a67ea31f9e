"""How a JavaScript file says another one in its imports: by a relative path, with or without what the name ends in."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from rubber_duck.code.refactoring.refactored import Texts

_SUFFIX: Final = re.compile(r"(?:\.d)?\.[cm]?[jt]sx?$")
_LOADED: Final = {".ts": ".js", ".tsx": ".js", ".mts": ".mjs"}
"""What TypeScript is called once it is compiled, which its imports say."""

_SPOKEN: Final = re.compile(r"""(?:\bfrom|\bimport)\s*['"](\.[^'"]*)['"]""")


def said_from(importer: str, target: str, *, like: str) -> str:
    """How `importer` says the file `target`: with its suffix if `like`, another relative path, has one."""
    stem, suffix = posixpath.splitext(target)
    found = _SUFFIX.search(like)
    if found is not None:
        suffix = suffix if found[0] in {".ts", ".tsx", ".mts"} else _LOADED.get(suffix, suffix)
    else:
        suffix = ""
    return relative(importer, stem) + suffix


def relative(importer: str, target: str) -> str:
    """A path of the project as `importer` says it."""
    said = posixpath.relpath(target, posixpath.dirname(importer) or ".")
    return said if said.startswith(".") else f"./{said}"


def from_elsewhere(said: str, importer: str, other: str) -> str:
    """How `other` says what `importer` says by a relative path; packages are the same everywhere."""
    if not said.startswith("."):
        return said
    there = posixpath.normpath(posixpath.join(posixpath.dirname(importer), said))
    return relative(other, there) + ("/" if said.endswith("/") else "")


def habit(texts: Texts, path: str) -> str:
    """A relative path as the file says one, or any file of its kind; where there is none, as its own runtime wants."""
    suffix = posixpath.splitext(path)[1]
    alike = [text for other, text in sorted(texts.items()) if other != path and other.endswith(suffix)]
    for text in (texts[path], *alike):
        found = _SPOKEN.search(text)
        if found is not None:
            return found[1]
    return "./x" if suffix in {".ts", ".tsx"} else f"./x{suffix}"
