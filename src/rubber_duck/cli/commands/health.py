"""Say how the server does, or this process where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current

if TYPE_CHECKING:
    from rubber_duck.cli.remote import Server


@click.command(cls=Command, name="health")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> int:
    """Say how the server does, part by part; the status is 1 when it is not well.

    Only who administers it is told the parts; others, that it answers and how fast.
    """
    from rubber_duck.cli.serverside import with_server_or_none  # noqa: PLC0415  # help needs none of it

    health = with_server_or_none(_examined)
    if health is None:
        terminal.write(current().as_called("no server is in use, so this process answers; `duck doctor` looks at it"))
        return 0
    if as_json:
        drawing.machine(health)
    else:
        _show(health)
    return 0 if health["ok"] else 1


async def _examined(server: Server) -> dict[str, Any]:  # Any: what the server says
    import time  # noqa: PLC0415  # as above

    hello = await server.hello()
    began = time.perf_counter()
    await server.projects()
    latency_ms = round((time.perf_counter() - began) * 1000, 1)
    seen = {"ok": True, "version": hello["version"], "person": hello["person"], "latency_ms": latency_ms}
    if "administer" in hello["rights"]:
        seen |= await server.ask("status:server", "health")
    return seen


def _show(health: dict[str, Any]) -> None:  # Any: as above
    facts = {
        "server": f"{'well' if health['ok'] else 'not well'}, version {health['version']}",
        "answers in": f"{health['latency_ms']:g} ms",
    }
    if "uptime_s" in health:
        facts["up for"] = _lasting(health["uptime_s"])
    if "sockets" in health:
        facts |= {"open sockets": str(health["sockets"]), "memory": f"{health['memory_bytes'] / 1e6:,.0f} MB"}
    drawing.show(drawing.facts(facts))
    for name, part in health.get("parts", {}).items():
        drawing.show(
            drawing.line(
                drawing.text("well" if part["ok"] else "ILL", "green" if part["ok"] else "bold red"),
                drawing.text(name, "bold"),
                drawing.text(part["detail"], "dim"),
            )
        )


def _lasting(seconds: float) -> str:
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    return f"{hours // 24} days {hours % 24} h" if hours >= 48 else f"{hours} h {minutes % 60} min"
