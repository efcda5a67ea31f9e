"""`duck` and `python -m rubber_duck`, the latter without the current folder among the places to import from."""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

_INTERRUPTED: Final = 130
"""As `cli.failures` has it, which is not imported yet when this is needed."""


def run() -> NoReturn:
    """What `duck` does. `-m` puts the current folder first, which may be a project nobody has read yet."""
    try:
        if sys.path and sys.path[0] in {"", _current_folder()} and not sys.flags.safe_path:
            del sys.path[0]
        from rubber_duck.cli.main import main  # noqa: PLC0415  # only now is it safe to import anything

        main()
    except KeyboardInterrupt:  # while it was imported, or once more while the first one was told
        os.write(2, b"duck: interrupted\n")
        sys.exit(_INTERRUPTED)


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # somebody removed it
        return ""


if __name__ == "__main__":
    run()
