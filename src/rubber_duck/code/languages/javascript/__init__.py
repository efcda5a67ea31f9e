"""The JavaScript language: what its files are called and what their syntax means."""
