"""Every rule stays silent on its good examples and reports each bad one exactly once."""

from __future__ import annotations

import pytest

from rubber_duck.analysis.rule import CALLS, Example, rules
from rubber_duck.code.grammar import grammar
from rubber_duck.code.language import language, languages
from tests.unit.analysis.rules.walking import hits, kinds

CASES = [
    pytest.param(name, example, len(cls.bad) > index, id=f"{name}-{'bad' if index < len(cls.bad) else 'good'}-{index}")
    for name, cls in sorted(rules.discover().items())
    for index, example in enumerate((*cls.bad, *cls.good))
]


@pytest.mark.parametrize(("name", "example", "is_bad"), CASES)
def test_an_example_of_a_rule_is_reported_once_if_bad_and_never_if_good(
    name: str, example: Example, is_bad: bool
) -> None:
    found = hits(name, example.language, example.code, options=example.options)
    assert len(found) == int(is_bad), [hit.message for _, hit in found]


@pytest.mark.parametrize("name", sorted(rules.discover()))
def test_an_example_of_a_rule_is_valid_code(name: str) -> None:
    for example in (*rules[name].good, *rules[name].bad):
        found = hits(name, example.language, example.code, options=example.options)
        assert all(file.problems == () for file, _ in found), example


@pytest.mark.parametrize("name", sorted(rules.discover()))
def test_a_rule_has_an_example_of_each_kind_for_every_language_it_covers(name: str) -> None:
    cls = rules[name]
    for covered in cls.kinds:
        members = {each for each in languages.discover() if covered in {each, language(each).family}}
        for examples in (cls.good, cls.bad):
            assert members & {example.language for example in examples}, f"{name} has no example in {covered}"


@pytest.mark.parametrize("name", sorted(rules.discover()))
def test_a_rule_names_node_kinds_that_the_grammars_have(name: str) -> None:
    rule = rules[name]()
    for each in languages.discover():
        unknown = [
            kind
            for kind in kinds(rule, each)
            if not any(grammar(each, dialect).has_kind(kind) for dialect in language(each).grammars)
        ]
        assert unknown == []
    if rule.names:
        assert {kind for covered in rule.kinds.values() for kind in covered} & CALLS


@pytest.mark.parametrize("name", sorted(rules.discover()))
def test_a_message_is_a_sentence_that_names_something_and_says_what_to_do(name: str) -> None:
    for example in rules[name].bad:
        for _, hit in hits(name, example.language, example.code, options=example.options):
            assert hit.message[0].isupper() or hit.message[0] in "`[("
            assert "`" in hit.message or name in {"hardcoded-secret", "swallowed-exception"}
            assert not hit.message.endswith(".")
            assert len(hit.message) <= 240


@pytest.mark.parametrize("name", sorted(rules.discover()))
def test_a_fix_makes_the_finding_disappear_and_leaves_valid_code(name: str) -> None:
    for example in rules[name].bad:
        for file, hit in hits(name, example.language, example.code, options=example.options):
            if hit.fix is None:
                continue
            content = file.content
            for edit in sorted(hit.fix.edits, key=lambda edit: -edit.start_byte):
                content = content[: edit.start_byte] + edit.text.encode() + content[edit.end_byte :]
            again = hits(name, example.language, content.decode(), options=example.options)
            assert again == [], content
