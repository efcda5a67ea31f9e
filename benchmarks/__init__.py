"""Benchmarks: each runs the peers beside RubberDuck in one run and prints ratios. `python -m benchmarks` runs all."""
