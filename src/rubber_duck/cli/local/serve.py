"""Serve this machine's RubberDuck to the programs of people who have a key."""

from __future__ import annotations

import asyncio

import click

from rubber_duck.cli import connection, terminal
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.scope import Scope
from rubber_duck.settings import Settings

_FIRST = "nobody can sign in yet: `duck admin user add NAME --role administrator`, then `duck admin key add NAME`"


@click.command(cls=Command, name="serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of this machine alone.")
@click.option("--port", type=click.IntRange(1, 65_535), default=4010, show_default=True, help="The port.")
def command(host: str, port: int) -> None:
    """Serve this machine's RubberDuck to the programs of people who have a key.

    Until it has TLS, only addresses of this machine itself are served. Ctrl-C or SIGTERM ends it within five seconds.
    """
    from rubber_duck.server.running import check_address  # noqa: PLC0415  # the web framework

    check_address(host)
    asyncio.run(_serve(connection.settings_for(current().log_level), host, port))


async def _serve(settings: Settings, host: str, port: int) -> None:
    from rubber_duck.app import open_app  # noqa: PLC0415  # as above
    from rubber_duck.server.asgi import accounts_of  # noqa: PLC0415  # as above
    from rubber_duck.server.running import run  # noqa: PLC0415  # as above

    async with open_app(settings) as app:
        is_new = not await accounts_of(app).users(Scope.local())
        await run(app, host, port, on_ready=lambda: _tell(f"http://{host}:{port}", is_new=is_new))


def _tell(address: str, *, is_new: bool) -> None:
    terminal.write(f"RubberDuck serves {address}; the socket is {address.replace('http', 'ws', 1)}/socket/websocket")
    terminal.flush()
    if is_new:
        terminal.note(current().as_called(_FIRST))
