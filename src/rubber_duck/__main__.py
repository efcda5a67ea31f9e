"""`python -m rubber_duck` is `duck`, without the current folder among the places to import from."""

from __future__ import annotations

import os
import sys


def run() -> None:
    """What `duck` does. `-m` puts the current folder first, which may be a project nobody has read yet."""
    if sys.path and sys.path[0] in {"", os.getcwd()} and not sys.flags.safe_path:
        del sys.path[0]
    from rubber_duck.cli.main import main  # noqa: PLC0415  # only now is it safe to import anything

    main()


if __name__ == "__main__":
    run()
