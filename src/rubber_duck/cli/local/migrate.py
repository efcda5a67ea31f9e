"""Bring the database to this program's schema."""

from __future__ import annotations

import asyncio

import click

from rubber_duck.cli import connection, files, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.example import write_examples
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import current_folder
from rubber_duck.settings import Settings
from rubber_duck.telemetry.libraries import libraries_heard


@click.command(cls=Command, name="migrate")
@click.option("--seed", is_flag=True, help="Then open three small example projects, for development.")
def command(seed: bool) -> None:
    """Bring the database to this program's schema.

    Every start does the same; this command is for doing it at a time of your choosing. It is safe while other
    processes run, and harmless when there is nothing to do.
    """
    settings = connection.settings_for(current().log_level)
    with libraries_heard():
        asyncio.run(_migrate(settings))
    if seed:
        for root in write_examples(files.home() / "examples"):
            answer = ask("up", {"path": str(root), "directory": current_folder()})
            files_there = terminal.counted(sum(each["files"] for each in answer["languages"]), "file")
            findings = terminal.counted(answer["findings"], "finding")
            terminal.write(f"the project {answer['project']!r} is open, {files_there}, {findings}: {root}")


async def _migrate(settings: Settings) -> None:
    from rubber_duck.storage.database import open_database  # noqa: PLC0415  # SQLAlchemy costs 0.45 s

    async with open_database(settings.database, migrate=False) as database:
        done = await database.migrate()
        if done.before == done.after:
            terminal.write(f"{database.location} has schema {done.after} already")
        else:
            terminal.write(f"{database.location} now has schema {done.after} (before: {done.before or 'none'})")
        if done.missing_extensions and not current().quiet:
            names = ", ".join(done.missing_extensions)
            terminal.note(f"not there, and worked without: the PostgreSQL extensions {names}")
