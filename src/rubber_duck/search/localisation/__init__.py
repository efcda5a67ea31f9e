"""From the text of an issue or a traceback to the files and functions that have to change, with reasons."""
