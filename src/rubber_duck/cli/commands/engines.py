"""Show the engines, or what one of them takes and answers."""

from __future__ import annotations

from typing import Any

import click

from rubber_duck.cli import drawing
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.cli.suggestions import engine_names


@click.command(cls=Command, name="engines")
@click.argument("name", default="", shell_complete=engine_names, help="One engine.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(name: str, as_json: bool) -> None:
    """Show the engines, or what one of them takes and answers."""
    answer = ask("engines", {"name": name})
    if as_json:
        drawing.machine(answer)
    elif name:
        _show(answer["engines"][0])
    else:
        _list(answer["engines"])


def _list(engines: list[dict[str, Any]]) -> None:
    table = drawing.table("engine", "right", "what it does", wrap=["what it does"])
    for engine in engines:
        table.add_row(
            drawing.text(engine["name"], "bold"),
            drawing.text(engine["right"], "dim"),
            drawing.text(engine["about"]),
        )
    drawing.show(table, "")
    lacks: dict[str, list[str]] = {}
    for engine in engines:
        for each in engine.get("lacks", ()):
            lacks.setdefault(each, []).append(engine["name"])
    for why, names in lacks.items():
        drawing.show(drawing.text(f"{', '.join(names)}: {why}", "yellow"))
    drawing.show(drawing.text(current().as_called("One in full: `duck engines NAME`."), "dim"))


def _show(engine: dict[str, Any]) -> None:
    facts = {
        "answers to": ", ".join(engine["answers_to"]),
        "right": engine["right"],
        "parts": ", ".join(engine.get("needs", ())) or "none",
        "priority": engine["priority"],
        "time-out": f"{engine['timeout_s']:g} s",
        "asks a model": f"for the role {engine['role']}" if engine.get("asks_model") else "no",
        "uses": ", ".join(engine.get("uses", ())) or "no programs",
        "lacks": "; ".join(engine.get("lacks", ())) or "nothing",
    }
    drawing.show(
        drawing.text(engine["name"], "bold"), drawing.markdown(engine["documentation"]), "", drawing.facts(facts)
    )
    for part in ("request", "answer", "settings"):
        if engine.get(part):
            drawing.show("", drawing.text(part.capitalize(), "bold"))
            _show_fields(engine[part])
    more = f"* needed. The whole schema: `duck engines {engine['name']} --json`."
    drawing.show("", drawing.text(current().as_called(more), "dim"))


def _show_fields(schema: dict[str, Any]) -> None:
    roots = _roots(schema)
    for name in roots:
        struct = schema.get("$defs", {}).get(name, {})
        if len(roots) > 1:
            drawing.show(drawing.text(f"  {name}", "bold"))
        table = drawing.table("", "", "", wrap=[""])
        table.show_header = False
        for field, about in struct.get("properties", {}).items():
            needed = " *" if field in struct.get("required", ()) else ""
            table.add_row(
                drawing.text(f"  {field}{needed}"),
                drawing.text(_type(about), "dim"),
                drawing.text(about.get("description", "")),
            )
        drawing.show(table)


def _roots(schema: dict[str, Any]) -> list[str]:
    references = [schema] if "$ref" in schema else schema.get("anyOf", [])
    return [each["$ref"].rpartition("/")[2] for each in references if "$ref" in each]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
