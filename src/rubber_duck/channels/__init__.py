"""Live conversation: the Phoenix Channels protocol, version 2, without any notion of how its frames travel."""
