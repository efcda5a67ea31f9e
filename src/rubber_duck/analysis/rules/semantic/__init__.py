"""Rules of the kind semantic."""
