"""List the workflows there are, or explain one."""

from __future__ import annotations

import click

from rubber_duck.cli import drawing
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command


@click.command(cls=Command, name="workflows")
@click.argument("name", default="", help="One workflow.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(name: str, as_json: bool) -> None:
    """List the workflows there are, or explain one."""
    answer = ask("workflows", {"name": name})
    if as_json:
        drawing.machine(answer)
        return
    if name:
        (found,) = answer["workflows"]
        drawing.show(drawing.text(found["name"], "bold"), drawing.markdown(found["documentation"]))
        fields = found["request"]["$defs"][found["request"]["$ref"].rsplit("/", 1)[-1]]["properties"]
        drawing.show(drawing.facts({key: about.get("description", "") for key, about in fields.items()}))
        return
    table = drawing.table("workflow", "queue", "right", "about", wrap=("about",))
    for each in answer["workflows"]:
        table.add_row(each["name"], each["queue"], each["right"], each["about"])
    drawing.show(table)
