"""The project's files and the programs that work on them; this package is the only way to either."""
