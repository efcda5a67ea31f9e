"""Refactorings of Python over libcst's trees, each result compared with what Python's own compiler says of names."""
