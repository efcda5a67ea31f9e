"""Runs one rule over a snippet, as the analyser does over a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rubber_duck.analysis.rule import CALLS, Hit, Rule, rules
from rubber_duck.code.code import open_source
from rubber_duck.code.language import family
from rubber_duck.code.source import Node, SourceFile
from rubber_duck.code.walk import table, walk

SUFFIXES = {"python": ".py", "javascript": ".jsx", "typescript": ".tsx", "elixir": ".ex"}


def hits(
    name: str, language: str, code: str, *, path: str = "src/app", options: Mapping[str, object] | None = None
) -> list[tuple[SourceFile, Hit]]:
    """What the rule called `name` sees in `code`; `path` has no suffix."""
    rule = rules.discover()[name](options)
    file = open_source(path + SUFFIXES[language], code.encode(), language)
    found: list[tuple[SourceFile, Hit]] = []

    def visit(node: Node) -> None:
        if node.type not in CALLS or not rule.names or file.name_of_call(node) in rule.names:
            found.extend((file, hit) for hit in rule.check(node, file))

    wanted = [(kind, visit) for kind in kinds(rule, language)]
    walk(file, table(file.grammar, wanted), [None] * file.grammar.size)
    return found


def messages(name: str, language: str, code: str, **more: object) -> list[str]:
    """The messages of `hits`, in source order."""
    return [hit.message for _, hit in hits(name, language, code, **more)]  # type: ignore[arg-type]  # passed through


def underlined(name: str, language: str, code: str) -> list[str]:
    """The text that each hit underlines."""
    return [file.text(hit.node) for file, hit in hits(name, language, code)]


def fixed(name: str, language: str, code: str) -> str:
    """The code after the fix of its one hit."""
    [(file, hit)] = hits(name, language, code)
    assert hit.fix is not None
    content = file.content
    for edit in sorted(hit.fix.edits, key=lambda edit: -edit.start_byte):
        content = content[: edit.start_byte] + edit.text.encode() + content[edit.end_byte :]
    return content.decode()


def kinds(rule: Rule, language: str) -> Iterator[str]:
    """The node kinds that a rule wants in a language."""
    yield from rule.kinds.get(language, ())
    if family(language) != language:
        yield from rule.kinds.get(family(language), ())
