"""Edits: read from what a model wrote, or from a patch, and placed in files."""
