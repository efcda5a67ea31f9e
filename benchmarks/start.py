"""How long `duck --help` takes, beside an empty Python, ruff and a bare click program."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.measure import measure

BIN = Path(sys.executable).parent
HERE = Path(__file__).resolve().parent.parent
ROUNDS = 15


def main() -> None:
    """Print the medians in milliseconds."""
    commands: dict[str, list[str | Path]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "ruff --help": [BIN / "ruff", "--help"],
        "import click": [sys.executable, "-c", "import click"],
        "duck --help": [BIN / "duck", "--help"],
        "duck version": [BIN / "duck", "version"],
    }
    medians = {
        name: statistics.median(measure(argv, cwd=HERE).wall_s for _ in range(ROUNDS))
        for name, argv in commands.items()
    }
    for name, seconds in medians.items():
        print(f"{name:<42}{seconds * 1000:9.1f} ms")
    print(f"\nduck --help beside `import click`: {medians['duck --help'] / medians['import click']:.2f} x")


if __name__ == "__main__":
    main()
