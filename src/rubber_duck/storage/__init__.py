"""All of the difference between one file on this machine (SQLite) and a database server (PostgreSQL)."""
