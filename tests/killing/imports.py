"""Everything that a working process imports on its way, so that those that are forked need not."""

from __future__ import annotations

import alembic.command
import dbos
import psycopg
import psycopg_pool
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite
import sqlalchemy.ext.asyncio

from rubber_duck.engines.engine import engines
from rubber_duck.storage import postgres, sqlite
from rubber_duck.workflows import library

engines.discover()

__all__ = ["alembic", "dbos", "library", "postgres", "psycopg", "psycopg_pool", "sqlalchemy", "sqlite"]
