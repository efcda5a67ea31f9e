"""HTTP under /api/v1: one table of routes, each with its right, its body and its answer."""
