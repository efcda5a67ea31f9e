"""How many nodes rules may read in one file beside the walk, so that no file can make them slow."""

from __future__ import annotations

from typing import Final

from rubber_duck.code.source import SourceFile

NODES_PER_FILE: Final = 400_000
"""A file of a thousand lines has about ten thousand nodes; reading this many takes half a second."""

_KEY: Final = (__name__,)
_REFUSED: Final = (__name__, "refused")


def may_read(file: SourceFile, nodes: int = 1) -> bool:
    """Take `nodes` from the file's allowance; False once it is used up.

    Then nothing more is claimed there, and the analyser says so: what was not read is no all-clear.
    """
    left = file.kept.get(_KEY, NODES_PER_FILE)
    assert isinstance(left, int)
    file.kept[_KEY] = left - nodes
    if left > 0:
        return True
    file.kept[_REFUSED] = True
    return False


def was_refused(file: SourceFile) -> bool:
    """Whether `may_read` has said no since this was asked before."""
    return file.kept.pop(_REFUSED, False) is True
