"""What processes share while they run: five verbs, and two twins of them, one process and Redis."""
