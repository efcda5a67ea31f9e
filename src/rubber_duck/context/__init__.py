"""What a model is told: snippets gathered, ranked and kept within a budget."""
