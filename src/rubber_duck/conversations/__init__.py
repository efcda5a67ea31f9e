"""Conversations with models, kept across restarts: what was said, by whom, and what the model was told with it."""
