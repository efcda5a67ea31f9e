"""One file for each provider of models."""
