"""Show the rules, or one rule's documentation and examples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from rubber_duck.cli import drawing
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Command
from rubber_duck.cli.invocation import current
from rubber_duck.cli.suggestions import rule_names

if TYPE_CHECKING:
    from rubber_duck.cli.styled import Text

_HEADINGS: Final = {"security": "Security", "semantic": "Semantic", "style": "Style", "syntax": "Syntax"}


@click.command(cls=Command, name="rules")
@click.argument(
    "name",
    default="",
    shell_complete=rule_names,
    help="One rule, e.g. `sql-injection`, or one of ruff's, e.g. `ruff/F401`.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(name: str, as_json: bool) -> None:
    """Show the rules, or one rule's documentation and examples."""
    answer = ask("rules", {"name": name})
    if as_json:
        drawing.machine(answer)
    elif name:
        _show(answer["rules"][0])
    else:
        _list(answer["rules"])


def _list(rules: list[dict[str, Any]]) -> None:
    for kind, heading in _HEADINGS.items():
        chosen = [rule for rule in rules if rule["kind"] == kind]
        if not chosen:
            continue
        drawing.show(drawing.text(heading, "bold"), *(_line(rule, rules) for rule in chosen), "")
    about = f"{len(rules)} rules of our own, and a selection of ruff's (`ruff/F401` …)."
    one = current().as_called("One in full: `duck rules NAME`.")
    drawing.show(drawing.text(about, "dim"), drawing.text(one, "dim"))


def _line(rule: dict[str, Any], rules: list[dict[str, Any]]) -> Text:
    """A rule's name, severity and languages; what it finds, below them."""
    every = {title for each in rules for title in each["titles"]}
    titles = "every language" if set(rule["titles"]) == every and len(every) > 1 else ", ".join(rule["titles"])
    name = drawing.text(f"  {rule['name']:<{max(len(each['name']) for each in rules)}}", "bold")
    severity = drawing.severity(f" {rule['severity']:<9}")
    found = drawing.wrapped(rule["summary"], indent=4)
    return drawing.line(name, severity, drawing.text(titles, "dim")) + drawing.text(f"\n{found}")


def _show(rule: dict[str, Any]) -> None:
    about = [rule["kind"], f"{rule['confidence']} confidence", ", ".join(rule["titles"])]
    if rule.get("cwe"):
        about.append(f"CWE-{rule['cwe']}")
    drawing.show(
        drawing.line(drawing.text(rule["name"], "bold"), drawing.severity(rule["severity"])),
        drawing.text(" · ".join(filter(None, about)), "dim"),
        "",
        drawing.markdown(rule.get("documentation") or rule["summary"]),
    )
    for key, heading, style in (("bad", "Reported", "red"), ("good", "Fine", "green")):
        for example in rule.get(key, ()):
            options = "".join(f", {name} = {_toml(value)}" for name, value in example.get("options", {}).items())
            drawing.show(
                "",
                drawing.text(f"{heading} ({example['title']}{options})", style),
                drawing.code(example["code"], example["language"]),
            )
    if rule.get("options"):
        lines = [f"    [analysis.rules.{rule['name']}]"]
        lines += [f"    {option} = {_toml(value)}" for option, value in rule["options"].items()]
        drawing.show("", drawing.text("Options, with their defaults", "bold"), drawing.text("\n".join(lines)))
    silence = f"Silence it in one place with a comment: duck: ignore[{rule['name']}] -- the reason"
    drawing.show("", drawing.text(silence, "dim"))


def _toml(value: Any) -> str:  # Any: an option's value
    return json.dumps(value, ensure_ascii=False)  # of these values TOML is written as JSON is
