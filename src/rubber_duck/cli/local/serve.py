"""Serve this machine's RubberDuck to the programs of people who have a key."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING

import click

from rubber_duck.cli import connection, terminal
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.cli.program import again
from rubber_duck.settings import Settings

if TYPE_CHECKING:
    from rubber_duck.server.asgi import Server
    from rubber_duck.server.running import Place


@click.command(cls=Command, name="serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address.")
@click.option("--port", type=click.IntRange(1, 65_535), default=4010, show_default=True, help="The port.")
@click.option("--certificate", type=click.Path(), default="", help="The file with the TLS certificate, PEM.")
@click.option("--private-key", type=click.Path(), default="", help="The file with its private key, PEM.")
@click.option("--called", "names", multiple=True, metavar="NAME", help="By which name it is called; may be repeated.")
@click.option("--proxy", "proxies", multiple=True, metavar="ADDRESS", help="A proxy before it, which has TLS.")
@click.option("--processes", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes on that port.")
@click.option("--beside", default="", hidden=True, help="Which of several processes on the port it is.")
def command(  # noqa: PLR0913, PLR0917  # an option each
    host: str,
    port: int,
    certificate: str,
    private_key: str,
    names: tuple[str, ...],
    proxies: tuple[str, ...],
    processes: int,
    beside: str,
) -> None:
    """Serve this machine's RubberDuck to the programs of people who have a key or a password.

    An address that other machines can reach needs TLS or a declared proxy. Until somebody is there, it prints how the
    first one comes in. Ctrl-C or SIGTERM ends it within five seconds. Several processes need PostgreSQL and Redis.
    """
    from msgspec.structs import replace  # noqa: PLC0415  # help needs none of it

    from rubber_duck.server.running import Place  # noqa: PLC0415  # the web framework

    settings = connection.settings_for(current().log_level)
    said = {"certificate": certificate, "private_key": private_key, "names": names, "proxies": proxies}
    place = Place(host, port, replace(settings.server, **{name: value for name, value in said.items() if value}))
    place.check()
    asyncio.run(_keep(settings, place, processes) if processes > 1 else _serve(settings, place, beside))


async def _keep(settings: Settings, place: Place, count: int) -> None:
    """Start this command `count` times beside this process."""
    from rubber_duck.server.processes import Processes, check_shared  # noqa: PLC0415  # as above
    from rubber_duck.server.secret import server_secret  # noqa: PLC0415  # as above
    from rubber_duck.server.siblings import Sibling  # noqa: PLC0415  # as above
    from rubber_duck.storage.database import open_database  # noqa: PLC0415  # as above

    check_shared(settings)
    server_secret(settings)  # made once, before several would make it
    async with open_database(settings.database):
        pass  # brought up to date once, too

    def tell(line: str) -> None:
        terminal.write(line)
        terminal.flush()

    group, own = secrets.token_hex(8), _without_count(sys.argv[1:])

    def command(number: int) -> list[str]:
        return [*again(), *own, "--beside", str(Sibling(group, number, count))]

    await Processes(command, count, tell).keep(place)


def _without_count(arguments: list[str]) -> list[str]:
    """This process's own arguments, without how many processes there are."""
    kept: list[str] = []
    is_count = False
    for each in arguments:
        if not is_count and each != "--processes" and not each.startswith("--processes="):
            kept.append(each)
        is_count = each == "--processes"
    return kept


async def _serve(settings: Settings, place: Place, beside: str) -> None:
    from rubber_duck.app import open_app  # noqa: PLC0415  # as above
    from rubber_duck.server.processes import READY  # noqa: PLC0415  # as above
    from rubber_duck.server.running import run  # noqa: PLC0415  # as above
    from rubber_duck.server.secret import server_secret  # noqa: PLC0415  # as above
    from rubber_duck.server.siblings import Sibling  # noqa: PLC0415  # as above

    sibling = Sibling.parse(beside) if beside else None
    server_secret(settings)  # so that a weak one is said before anything is opened

    async def tell(server: Server) -> None:
        listens = "" if place.here == place.url else f", listening on {place.here}"
        way = f"{place.url.replace('http', 'ws', 1)}/socket/websocket"
        terminal.write(f"RubberDuck serves {place.url}{listens}; the socket is {way}")
        invitation = await server.desk.signing_in.bootstrap()
        if invitation is None:
            terminal.write(current().as_called(f"sign in with: `duck login {place.url}`"))
        else:
            terminal.write("nobody is there yet; the first to come is the administrator, for 15 minutes:")
            way = current().as_called(f"`duck login {place.url} --user NAME --invitation`")
            terminal.write(f"{way} asks for the code {invitation.text}")
        if sibling is not None:
            terminal.write(READY)
        terminal.flush()

    async with open_app(settings) as app:
        await run(app, place, on_ready=tell, sibling=sibling)
