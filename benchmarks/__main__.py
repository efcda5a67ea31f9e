"""Runs every benchmark of this folder in turn."""

from __future__ import annotations

import importlib

NAMES = (
    "start",
    "symbols",
    "analysis",
    "precision",
    "search",
    "cosqa",
    "completion",
    "localisation",
    "test_impact",
    "call_graph",
    "edits",
    "techniques",
    "review_noise",
    "gateway",
    "socket",
    "revocation",
)


def main() -> None:
    """Print each benchmark's output under its name and the recipe to repeat it."""
    for name in NAMES:
        print(f"== {name}    (again: python -m benchmarks.{name})\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
        print(flush=True)


if __name__ == "__main__":
    main()
