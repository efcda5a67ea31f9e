"""The history of the schema, for both databases, run by Alembic."""
