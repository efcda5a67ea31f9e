"""Writes docs/reference/ from the code; `--check` only says which pages are not what the code says.

The pages are the same on every machine: plug-ins that other distributions add are left out.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import click
import msgspec

from rubber_duck import errors, fault
from rubber_duck.analysis.rule import Example, rules
from rubber_duck.cli.command import GLOBAL_OPTIONS
from rubber_duck.cli.main import duck
from rubber_duck.code.language import languages
from rubber_duck.engines.engine import engines
from rubber_duck.scope import Right
from rubber_duck.settings import RESERVED_VARIABLES, Section, Settings, environment_name, is_filled
from rubber_duck.telemetry import COUNTERS, EVENTS, SPANS

REFERENCE: Final = Path(__file__).parent / "reference"
LIMITS: Final = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}
FENCES: Final = {"python": "python", "javascript": "javascript", "typescript": "typescript", "elixir": "elixir"}


def settings_page() -> Iterator[str]:
    """Every setting: type, limits, default, variable, what it does."""
    yield _about(Settings)
    yield (
        "Settings come from `duck.toml` in the home folder (`~/.rubber_duck`, or `DUCK_HOME`), and from environment "
        "variables, which win. An unknown key is an error that names the nearest known one. A project's own "
        "`duck.toml` may set only `[analysis]`, `[index]` and `[context]`."
    )
    nested: list[tuple[str, type[Section]]] = []
    plain: list[tuple[str, msgspec.structs.FieldInfo]] = []
    for field in msgspec.structs.fields(Settings):
        if is_filled(field.type):
            continue
        section = _section(field.type)
        if section is not None:
            nested.append((field.name, section))
        else:
            plain.append((field.name, field))
    yield from _setting_rows("", plain)
    for name, section in nested:
        yield f"## `[{name}]`"
        yield _about(section)
        yield from _setting_rows(name, [(field.name, field) for field in msgspec.structs.fields(section)])
        for field in msgspec.structs.fields(section):
            inner = _section(field.type)
            if inner is not None:
                yield f"### `[[{name}.{field.name}]]`"
                yield _about(inner)
                rows = [(each.name, each) for each in msgspec.structs.fields(inner)]
                yield from _setting_rows("", rows, variables=False)
    yield "## Other variables"
    yield _table(("variable", "meaning"), [(f"`{name}`", about) for name, about in sorted(RESERVED_VARIABLES.items())])


def errors_page() -> Iterator[str]:
    """Every error: code, HTTP status, whether trying again helps."""
    yield "Every error has a stable code. Its message says what happened, to which name, and what to do next."
    rows = [
        (
            f"`{error.code}`",
            str(error.status),
            "yes" if error.retryable else "no",
            _sentence(error),
            f"`{error.__name__}`",
        )
        for error in errors.tree()
        if error.__module__.startswith("rubber_duck.")
    ]
    yield _table(("code", "HTTP status", "worth trying again", "what happened", "class"), rows)


def events_page() -> Iterator[str]:
    """Every event, span, counter and fault point."""
    yield (
        "What the program says about itself. Events are logged to standard error at their level, with the correlation "
        "id of the request as `trace`. Nothing leaves the machine."
    )
    for name, event in sorted(EVENTS.items()):
        yield f"## `{name}`"
        yield f"{event.about} Level: {event.level}."
        if event.fields:
            yield _table(("field", "meaning"), [(f"`{field}`", about) for field, about in event.fields.items()])
    yield "## Spans"
    yield _table(("span", "covers"), [(f"`{name}`", about) for name, about in sorted(SPANS.items())])
    yield "## Counters"
    yield _table(("counter", "counts"), [(f"`{name}`", about) for name, about in sorted(COUNTERS.items())])
    yield "## Fault points"
    yield f"For tests: `{fault.ENVIRONMENT}=<point>` kills the process when it gets there."
    yield _table(("point", "where it lies"), [(f"`{name}`", about) for name, about in sorted(fault.POINTS.items())])


def rules_page() -> Iterator[str]:
    """Every rule of our own, with its documentation and examples."""
    found = _ours(rules.discover().values())
    yield (
        "RubberDuck's own rules. Rules of ruff are shown as `ruff/<code>` and documented by ruff (`ruff rule <code>`); "
        "it is not asked for those that a rule here replaces. [Silence a finding](../how-to/silence-a-finding.md) by a "
        "comment on its line, with a reason: `duck: ignore[rule-name] -- reason`. In files "
        "that are minified or whose first lines say that a program wrote them only rules about security report."
    )
    rows = [(f"[`{each.name}`](#{each.name})", each.kind.value, each.severity.label, _sentence(each)) for each in found]
    yield _table(("rule", "kind", "severity", "what it finds"), rows)
    for rule in found:
        yield f"## {rule.name}"
        facts = [rule.kind.value, f"severity {rule.severity.label}", f"confidence {rule.confidence.label}"]
        facts.append(", ".join(sorted(rule.kinds)))
        if rule.cwe is not None:
            facts.append(f"[CWE-{rule.cwe}](https://cwe.mitre.org/data/definitions/{rule.cwe}.html)")
        yield " · ".join(facts)
        yield inspect.cleandoc(rule.__doc__ or "")
        if rule.replaces:
            yield f"Replaces {', '.join(f'`{code}`' for code in rule.replaces)}."
        if rule.options:
            options = [(f"`{name}`", f"`{_value(value)}`") for name, value in sorted(rule.options.items())]
            yield f"Options, under `[analysis.rules.{rule.name}]`:"
            yield _table(("option", "default"), options)
        yield from _examples("Reported", rule.bad[:2])
        yield from _examples("Not reported", rule.good[:2])


def engines_page() -> Iterator[str]:
    """Every engine: what it is asked, what it answers, what it needs."""
    yield "Whatever a person asks for is an engine. Each has a command of its name, and later a route and a message."
    for engine in _ours(engines.discover().values()):
        yield f"## {engine.name}"
        yield inspect.cleandoc(engine.__doc__ or "")
        yield _table(
            ("right", "answers to", "priority", "time-out", "needs", "strategy", "role"),
            [
                (
                    f"`{engine.right.value}`",
                    ", ".join(f"`{name}`" for name in engine.capabilities),
                    str(engine.priority),
                    f"{engine.timeout_s:g} s",
                    ", ".join(engine.needs) or "nothing",
                    engine.strategy.value,
                    engine.role.value if engine.role else "none",
                )
            ],
        )
        requests = get_args(engine.request) if isinstance(engine.request, UnionType) else (engine.request,)
        for request in requests:
            yield from _struct("Request", request)
        yield from _struct("Answer", engine.answer)
        if msgspec.structs.fields(engine.settings):
            yield from _struct(f"Settings, under `[engines.{engine.name}]`:", engine.settings)


def commands_page() -> Iterator[str]:
    """Every command with its arguments and options."""
    yield "`duck COMMAND --help` says the same. Exit codes: 0 done and clean, 1 findings, 2 wrong usage or a failure."
    yield from _options(GLOBAL_OPTIONS)
    for name, command in _commands(duck, "duck"):
        yield f"## {name}"
        with click.Context(command, info_name=name) as context:
            usage = " ".join(command.collect_usage_pieces(context))
        yield f"```text\n{name} {usage}\n```"
        yield inspect.cleandoc(command.help or "").replace("\b\n", "")
        yield from _options([each for each in command.params if not getattr(each, "hidden", False)])


def rights_page() -> Iterator[str]:
    """Every right, and which engines need it."""
    yield (
        "What an actor may do. Every engine declares one, and every function that reads or writes a project's data "
        "checks one. At this machine, without accounts, a person holds all of them."
    )
    needed = {
        right: [each.name for each in _ours(engines.discover().values()) if each.right is right] for right in Right
    }
    rows = [(f"`{right.value}`", ", ".join(f"`{name}`" for name in needed[right]) or "–") for right in Right]
    yield _table(("right", "engines that need it"), rows)


def languages_page() -> Iterator[str]:
    """Every language that is parsed."""
    yield "A file's language is told from its suffix, then from its name, then from a `#!` line."
    rows = [
        (
            each.name,
            ", ".join(f"`{suffix}`" for suffix in each.suffixes),
            ", ".join(f"`{name}`" for name in each.filenames) or "–",
            ", ".join(f"`{name}`" for name in each.interpreters) or "–",
            _sentence(each),
        )
        for each in _ours(languages.discover().values())
    ]
    yield _table(("language", "suffixes", "file names", "interpreters", ""), rows)


PAGES: Final[dict[str, tuple[str, Callable[[], Iterator[str]]]]] = {
    "commands": ("Commands", commands_page),
    "engines": ("Engines", engines_page),
    "errors": ("Errors", errors_page),
    "events": ("Events, spans, counters and fault points", events_page),
    "languages": ("Languages", languages_page),
    "rights": ("Rights", rights_page),
    "rules": ("Rules", rules_page),
    "settings": ("Settings", settings_page),
}
"""File name → title and paragraphs."""


def pages() -> dict[str, str]:
    """File name → what the page has to be."""
    written = "<!-- Written by `make docs` from the code: change the code, not this page. -->"
    return {
        f"{name}.md": "\n\n".join([f"# {title}", written, *(part for part in page() if part)]) + "\n"
        for name, (title, page) in PAGES.items()
    }


def stale(folder: Path) -> list[str]:
    """The pages in `folder` that are missing, superfluous or not what the code says."""
    wanted = pages()
    held = {path.name: path.read_text() for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | held.keys() if wanted.get(name) != held.get(name))


def main() -> int:
    """0 when the pages are, or now are, what the code says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    if parser.parse_args().check:
        found = stale(REFERENCE)
        for name in found:
            sys.stderr.write(f"docs/reference/{name} is not what the code says; run `make docs`\n")
        return 1 if found else 0
    REFERENCE.mkdir(exist_ok=True)
    for path in REFERENCE.glob("*.md"):
        path.unlink()
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)
    return 0


def _ours(classes: Iterable[Any]) -> list[Any]:  # Any: plug-in classes of every kind
    return [each for each in classes if each.__module__.startswith("rubber_duck.")]


def _commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=prefix)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or getattr(command.callback, "__module__", "rubber_duck").split(".")[0] != "rubber_duck":
            continue
        yield f"{prefix} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix} {name}")


def _options(parameters: Iterable[click.Parameter]) -> Iterator[str]:
    rows = []
    for each in parameters:
        if isinstance(each, click.Option):
            shown = ", ".join(f"`{name}`" for name in [*each.opts, *each.secondary_opts])
            choices = f" One of {', '.join(each.type.choices)}." if isinstance(each.type, click.Choice) else ""
            rows.append((shown, (each.help or "") + choices))
    if rows:
        yield _table(("option", ""), rows)


def _setting_rows(
    section: str, rows: list[tuple[str, msgspec.structs.FieldInfo]], *, variables: bool = True
) -> Iterator[str]:
    table = []
    for name, field in rows:
        keys = (section, name) if section else (name,)
        tabular = _plain(field.type).startswith(("table", "tables"))
        variable = "" if tabular or not variables else f"`{environment_name(*keys)}`"
        table.append((f"`{name}`", _plain(field.type), _default(field), variable, _description(field.type)))
    if table:
        yield _table(("key", "type", "default", "variable", "meaning"), table)


def _struct(title: str, struct: type[msgspec.Struct]) -> Iterator[str]:
    fields = msgspec.structs.fields(struct)
    yield f"{title} `{struct.__name__}`" if not title.endswith(":") else title
    if fields:
        rows = [(f"`{at.encode_name}`", _plain(at.type), _default(at), _description(at.type)) for at in fields]
        width = 4 if any(row[3] for row in rows) else 3  # answers say it in their names
        yield _table(("field", "type", "default", "meaning")[:width], [row[:width] for row in rows])


def _examples(title: str, examples: Iterable[Example]) -> Iterator[str]:
    said = ""
    for example in examples:
        options = " and ".join(f"`{name} = {_value(value)}`" for name, value in example.options.items())
        heading = f"{title} with {options}:" if options else f"{title}:"
        code = textwrap.dedent(example.code).strip("\n")
        fence = f"```{FENCES.get(example.language, 'text')}\n{code}\n```"
        yield fence if heading == said else f"{heading}\n\n{fence}"
        said = heading


def _section(annotation: Any) -> type[Section] | None:  # Any: annotations have no common type
    for inner in (annotation, *get_args(annotation)):
        if isinstance(inner, type) and issubclass(inner, Section):
            return inner
        found = next((each for each in get_args(inner) if isinstance(each, type) and issubclass(each, Section)), None)
        if found is not None:
            return found
    return None


def _plain(annotation: Any) -> str:  # Any: as in _section
    """An annotation in words: `whole number ≥ 1`, `list of text`, `one of a, b`."""
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        limits = [f"{sign} {getattr(note, key):,}" for note in notes for key, sign in LIMITS.items() if _has(note, key)]
        return ", ".join([_plain(inner), *limits])
    words = {int: "whole number", float: "number", str: "text", bool: "true or false", type(None): "nothing"}
    if annotation in words:
        return words[annotation]
    origin, inner_types = get_origin(annotation), [each for each in get_args(annotation) if each is not Ellipsis]
    if origin is Literal:
        return "one of " + ", ".join(f"`{each}`" for each in inner_types)
    if origin is dict:
        return "table"
    if origin in (tuple, list, frozenset):
        section = _section(annotation)
        return "tables" if section else f"list of {_plain(inner_types[0])}" if inner_types else "list"
    if origin is UnionType or len(inner_types) > 1:
        return " or ".join(_plain(each) for each in inner_types)
    return f"`{getattr(annotation, '__name__', str(annotation))}`"


def _has(note: object, key: str) -> bool:
    return getattr(note, key, None) is not None


def _description(annotation: Any) -> str:  # Any: as in _section
    notes = (note for note in get_args(annotation) if isinstance(note, msgspec.Meta))
    return next((note.description for note in notes if note.description), "")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return "empty"
    if field.default is msgspec.NODEFAULT:
        return "required"
    return f"`{_value(field.default)}`" if field.default not in ((), "", None) else "empty"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


def _about(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def _sentence(cls: type) -> str:
    return _about(cls).split("\n\n")[0].replace("\n", " ")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
