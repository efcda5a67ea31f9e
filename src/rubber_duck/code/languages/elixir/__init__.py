"""The Elixir language: what its files are called and what their syntax means."""
