"""Which process works on which run, by DBOS's rows."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Table, select


def owners(connection: Connection, status: Table, ids: Collection[str]) -> dict[str, str | None]:
    """Who owns each of these runs: a text that is new whenever one is begun; None while it is not worked on."""
    held = status.c
    rows = connection.execute(select(held.workflow_uuid, held.owner_xid).where(held.workflow_uuid.in_(ids)))
    return {row[0]: row[1] for row in rows}
