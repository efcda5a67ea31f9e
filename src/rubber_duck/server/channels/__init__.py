"""The topics of a server, one file each."""
