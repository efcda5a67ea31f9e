"""Whatever a person asks for is an engine: one file each, declared as a class, registered by a decorator."""
