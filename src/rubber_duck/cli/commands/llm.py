"""Show which models are connected, connect others, and choose which are used for what."""

from __future__ import annotations

import os
import stat
import sys
from typing import Any, Final

import click

from rubber_duck.cli import drawing, terminal
from rubber_duck.cli.asking import ask
from rubber_duck.cli.command import Group
from rubber_duck.cli.failures import FAILED
from rubber_duck.cli.invocation import current
from rubber_duck.errors import InvalidInput, normalize

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_provider = click.argument("provider", help="Its name.")
_KEY_BYTES: Final = 10_000
_QUESTION_CHARACTERS: Final = 4_000_000
_NUMBERS: Final = ("calls", "failed", "cached", "read", "written", "cost", "ms")


@click.group(cls=Group, name="llm")
def command() -> None:
    """Show which models are connected, connect others, and choose which are used for what."""


@command.command("status")
@click.option("--probe", is_flag=True, help="Ask each provider whether it answers.")
@_json
def status(probe: bool, as_json: bool) -> int:
    """Show which providers are connected and which models are used for what."""
    answer = ask("llm", {"type": "status", "probe": probe})
    if as_json:
        drawing.machine(answer)
    else:
        _show(answer)
    return FAILED if any(each["well"] is False for each in answer["providers"]) else 0


@command.command("connect")
@_provider
@click.option("--kind", default="", help="What it is, e.g. openai, anthropic, ollama.  [default: as its name]")
@click.option("--url", default="", help="Its address.  [default: where its kind usually is]")
@click.option("--key-file", default="", help="A file with its key; - reads it from standard input.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header to send besides.")
@click.option(
    "--private/--no-private", default=None, help="Whether its name may lead to a private address; unset: as before."
)
@_json
def connect(as_json: bool, **given: Any) -> None:  # Any: one value per option
    """Connect a provider, or change one that is connected.

    Its key is read from a file, from standard input or, at a terminal, typed without being shown.
    """
    request = {
        "type": "connect",
        "provider": given["provider"],
        "kind": given["kind"],
        "url": given["url"],
        "key": _key(given["key_file"], given["kind"] or given["provider"]),
        "headers": dict(map(_header, given["headers"])),
        "private": given["private"],
    }
    _change(request, as_json)


@command.command("disconnect")
@_provider
@_json
def disconnect(provider: str, as_json: bool) -> None:
    """Forget a provider and its key."""
    _change({"type": "disconnect", "provider": provider}, as_json)


@command.command("enable")
@_provider
@_json
def enable(provider: str, as_json: bool) -> None:
    """Use a provider again."""
    _change({"type": "enable", "provider": provider}, as_json)


@command.command("disable")
@_provider
@_json
def disable(provider: str, as_json: bool) -> None:
    """Use a provider no more until it is enabled; it stays connected."""
    _change({"type": "disable", "provider": provider}, as_json)


@command.command("models")
@_provider
@_json
def models(provider: str, as_json: bool) -> None:
    """List the models that a provider has."""
    answer = ask("llm", {"type": "models", "provider": provider})
    if as_json:
        drawing.machine(answer)
        return
    for model in answer["models"]:
        terminal.write(terminal.printable(f"{provider}/{model}"))


@command.command("use")
@click.argument("role", help="What for: completion, chat, edit, plan or embed.")
@click.argument("models", nargs=-1, help="Models as provider/model, in order; none: take them away.")
@_json
def use(role: str, models: tuple[str, ...], as_json: bool) -> None:
    """Choose the models for a role, the next asked when one does not begin to answer."""
    _change({"type": "use", "role": role, "models": list(models)}, as_json)


@command.command("usage")
@click.option("--days", default=30, show_default=True, help="So many days, today among them (UTC).")
@click.option(
    "--by", type=click.Choice(["model", "day", "user", "project"]), default="model", show_default=True,
    help="What is summed up.",
)  # fmt: skip
@click.option("--everybody", is_flag=True, help="Of all users; only for administrators.")
@_json
def usage(days: int, by: str, everybody: bool, as_json: bool) -> None:
    """Show what models took and cost, and what is left of budgets."""
    answer = ask("llm", {"type": "usage", "days": days, "by": by, "everybody": everybody})
    if as_json:
        drawing.machine(answer)
        return
    if not answer["usage"]:
        terminal.note("no model was asked in that time")
    else:
        table = drawing.table(by, "calls", "failed", "cached", "read", "written", "cost", right=_NUMBERS)
        for each in answer["usage"]:
            numbers = [f"{each[name]:,}" for name in ("calls", "failed", "cached", "input_tokens", "output_tokens")]
            name = drawing.text(each["name"] or "(no project)", "bold")
            table.add_row(name, *map(drawing.text, numbers), drawing.text(_cost(each)))
        drawing.show(table)
    for each in answer["budgets"]:
        terminal.write(terminal.printable(_budget(each)))


@command.command("log")
@click.option("--most", default=20, show_default=True, help="So many.")
@click.option("--everybody", is_flag=True, help="Of all users; only for administrators.")
@_json
def log(most: int, everybody: bool, as_json: bool) -> None:
    """Show the last requests to models, newest first."""
    answer = ask("llm", {"type": "log", "most": most, "everybody": everybody})
    if as_json:
        drawing.machine(answer)
        return
    if not answer["calls"]:
        terminal.note("no model was asked yet")
        return
    table = drawing.table("when", "role", "model", "read", "written", "cost", "ms", "outcome", right=_NUMBERS)
    for each in answer["calls"]:
        about = "from memory" if each["cached"] else "" if each["counted"] else "~"
        cells = [each["at"][:19].replace("T", " "), each["role"], each["model"]]
        cells += [f"{about if about == '~' else ''}{each[name]:,}" for name in ("input_tokens", "output_tokens")]
        cells += ["unknown" if each["cost_usd"] is None else f"${each['cost_usd']}", f"{each['duration_ms']:,}"]
        cells.append(each["outcome"] or (about if about == "from memory" else "answered"))
        table.add_row(*map(drawing.text, cells))
    drawing.show(table)


@command.command("estimate")
@click.argument("role", help="Which models would be asked: completion, chat, edit or plan.")
@click.option("--answer-tokens", default=1024, show_default=True, help="The most tokens of the answer.")
@_json
def estimate(role: str, answer_tokens: int, as_json: bool) -> None:
    """Say about what a question takes and costs at most; it is read from standard input, and nothing is sent."""
    question = sys.stdin.read(_QUESTION_CHARACTERS)
    answer = ask("llm", {"type": "estimate", "role": role, "text": question, "answer_tokens": answer_tokens})
    if as_json:
        drawing.machine(answer)
        return
    most = answer["estimate"]
    cost = "a price that is not known" if most["cost_usd"] is None else f"${most['cost_usd']}"
    sentence = f"about {most['input_tokens']:,} tokens read and at most {most['output_tokens']:,} written, for {cost}"
    terminal.write(terminal.printable(f"{', then '.join(most['models'])}: {sentence}"))


def _cost(each: dict[str, Any]) -> str:
    if each["unpriced"] and each["unpriced"] == each["calls"] - each["failed"] - each["cached"]:
        return "unknown"
    return f"${each['cost_usd']}" + (f" and {each['unpriced']:,} calls of unknown price" if each["unpriced"] else "")


def _budget(each: dict[str, Any]) -> str:
    whose = "you" if each["holder"].startswith("user:") else "the project"
    said = []
    if each["most_usd"] != "0":
        said.append(f"${each['spent_usd']} of ${each['most_usd']}")
    if each["most_tokens"]:
        said.append(f"{each['spent_tokens']:,} of {each['most_tokens']:,} tokens")
    return f"budget for {each['period']}: {whose} spent {' and '.join(said)}"


def _change(request: dict[str, Any], as_json: bool) -> None:
    answer = ask("llm", request)
    if as_json:
        drawing.machine(answer)
    elif not current().quiet:
        _show(answer)


def _show(answer: dict[str, Any]) -> None:
    if not answer["providers"]:
        terminal.note(current().as_called("no provider is connected; `duck llm connect` connects one"))
        return
    table = drawing.table("provider", "kind", "address", "key", "state", wrap=["address", "state"])
    for each in answer["providers"]:
        key = "yes" if each["has_key"] else "none"
        cells = [drawing.text(each["name"], "bold"), drawing.text(each["kind"]), drawing.text(each["url"])]
        table.add_row(*cells, drawing.text(key, "dim"), drawing.text(_state(each), _color(each)))
    drawing.show(table)
    roles = {each["role"]: drawing.text(", then ".join(each["models"])) for each in answer["roles"]}
    if roles:
        drawing.show(drawing.facts(roles))
    else:
        terminal.note(current().as_called("no role has a model; `duck llm use ROLE PROVIDER/MODEL` chooses one"))


def _state(provider: dict[str, Any]) -> str:
    if not provider["enabled"]:
        return "disabled"
    if provider["well"] is False or provider["breaker"] != "closed":
        return f"does not answer: {provider['error']}"
    return f"answers in {provider['answered_ms']} ms" if provider["well"] else "enabled"


def _color(provider: dict[str, Any]) -> str:
    if provider["well"] is False or provider["breaker"] != "closed":
        return "red"
    return "green" if provider["well"] else "dim"


def _header(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not name or not mark:
        raise InvalidInput("a header is written NAME=VALUE")
    return name, value


def _key(path: str, kind: str) -> str:
    """The key; never from an argument, which other users of the machine can see."""
    if path == "-":
        return sys.stdin.read(_KEY_BYTES).strip()
    if path:
        try:
            with open(path, encoding="utf-8") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    terminal.note(f"others can read {terminal.printable(path)}; run: chmod 600 on it")
                return file.read(_KEY_BYTES).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise normalize(error) from error
    if not terminal.is_terminal(sys.stdin):
        return ""
    typed: str = click.prompt(
        f"Key for {terminal.printable(kind)} (none: Enter)", default="", hide_input=True, err=True, show_default=False
    )
    return typed.strip()
