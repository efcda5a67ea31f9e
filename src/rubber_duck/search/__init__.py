"""Find: the index of a project, queries, and where a change belongs."""
