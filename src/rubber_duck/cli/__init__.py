"""The command line `duck`: one file per command, read only when that command is called."""
