"""The only door to models: messages, providers, and the count of tokens."""
