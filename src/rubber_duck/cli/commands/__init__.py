"""Commands that speak only the protocol: they ask engines through `cli.asking` and show the answers."""
