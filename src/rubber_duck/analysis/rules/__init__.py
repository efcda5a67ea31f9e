"""The rules of our own: one file each, below the folder of its kind."""
