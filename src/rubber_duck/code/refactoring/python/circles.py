"""Whether loading one Python file loads another: what tells that an import would go in a circle."""

from __future__ import annotations

from typing import Final

import msgspec

from rubber_duck.code.code import open_source
from rubber_duck.code.extract import extract
from rubber_duck.code.modules import PythonModules
from rubber_duck.code.refactoring.refactored import Texts

_FARTHEST: Final = 300


def reaches(path: str, wanted: str, texts: Texts) -> bool:
    """Whether loading `path` loads `wanted`, if over others. True, too, where it would load more than _FARTHEST files.

    Imports in functions and under conditions do not count: they wait.
    """
    modules = PythonModules(texts)
    seen, waiting = {path}, [path]
    while waiting:
        at = waiting.pop()
        facts = extract(open_source(at, texts[at].encode("utf-8", "surrogateescape"), "python"))
        loaded = tuple(edge for edge in facts.imports if not edge.is_conditional)
        for _, _, targets in modules.targets(at, msgspec.structs.replace(facts, imports=loaded)):
            if wanted in targets:
                return True
            new = set(targets) - seen
            seen |= new
            waiting += sorted(new)
        if len(seen) > _FARTHEST:
            return True
    return False
