"""Rules of the kind security."""
