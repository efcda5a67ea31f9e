"""Rules of the kind style."""
