"""Changes to code that keep what it does: names, pieces and places; what cannot be told for sure is refused."""
