"""Alembic's entry: runs the revisions on the connection, and in the transaction, that `storage.migrate` gives it."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
# SQLite has transactional DDL as long as the driver does not commit behind our back, and ours does not.
context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
