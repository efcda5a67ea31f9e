"""One folder a language; a folder is found by its being here."""
