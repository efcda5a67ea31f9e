"""The first tables: projects, their files, what parsing and analysis found in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rubber_duck.storage.columns import LIVING, Json, Key, PathText, Timestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _projects()
    _code_files()
    _code_facts()
    _analysis_results()


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", Key(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("root", PathText(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("configuration", Json(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("deleted_at", Timestamp(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
    )
    _living_unique("ix_projects_owner_name", "projects", ["owner", "name"])
    _living_unique("ix_projects_owner_root", "projects", ["owner", "root"])
    op.create_index("ix_projects_owner", "projects", ["owner"])


def _code_files() -> None:
    op.create_table(
        "code_files",
        sa.Column("id", Key(), nullable=False),
        sa.Column("project_id", Key(), nullable=False),
        sa.Column("path", PathText(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("deleted_at", Timestamp(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_code_files"),
        _cascade("code_files", "project_id", "projects.id"),
    )
    _living_unique("ix_code_files_project_id_path", "code_files", ["project_id", "path"])


def _code_facts() -> None:
    op.create_table(
        "code_facts",
        sa.Column("file_id", Key(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", name="pk_code_facts"),
        _cascade("code_facts", "file_id", "code_files.id"),
    )


def _analysis_results() -> None:
    op.create_table(
        "analysis_results",
        sa.Column("id", Key(), nullable=False),
        sa.Column("project_id", Key(), nullable=False),
        sa.Column("file_id", Key(), nullable=False),
        sa.Column("kind", sa.Text(), _one_of("kind", "syntax", "style", "semantic", "security"), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("rules_version", sa.Text(), nullable=False),
        sa.Column(
            "severity", sa.Text(), _one_of("severity", "info", "low", "medium", "high", "critical"), nullable=True
        ),
        sa.Column("findings", Json(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_analysis_results"),
        _cascade("analysis_results", "project_id", "projects.id"),
        _cascade("analysis_results", "file_id", "code_files.id"),
        sa.UniqueConstraint("file_id", "kind", name="uq_analysis_results_file_id_kind"),
    )
    op.create_index("ix_analysis_results_project_id", "analysis_results", ["project_id"])


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"ck_analysis_results_{column}")


def _cascade(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="CASCADE")


def _living_unique(name: str, table: str, columns: list[str]) -> None:
    """Unique among the rows that are not soft-deleted."""
    op.create_index(name, table, columns, unique=True, sqlite_where=LIVING, postgresql_where=LIVING)
