"""Regular expressions: what a file must hold is never asked too strictly, and none takes long."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rubber_duck.errors import InvalidInput
from rubber_duck.search.patterns import MOST_MATCHES, All, Literal, Matcher, OneOf, Required, required
from rubber_duck.search.query import Pattern


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def foo", Literal("def foo")),
        (r"def \w+_view\(", All((Literal("def "), Literal("_view(")))),
        ("foo|bar", OneOf((Literal("foo"), Literal("bar")))),
        ("foo|", All()),
        ("get_(user|group)s?_id", All((Literal("get_"), OneOf((Literal("user"), Literal("group"))), Literal("_id")))),
        ("ab*c+d{0,3}e{2}f", All((Literal("a"), Literal("c"), Literal("e"), Literal("f")))),
        ("(?:abc)*(x)?y", Literal("y")),
        ("(?i)Hello", Literal("hello")),
        (r"[abc]def[]x\]]ghi", All((Literal("def"), Literal("ghi")))),
        (r"\Qa.b\Ec\x41\123d\p{Lu}e\pLf", All((Literal("a.bc"), Literal("d"), Literal("e"), Literal("f")))),
        ("((((deep))))", Literal("deep")),
        ("(" * 60 + "x" + ")" * 60, All()),
        ("größe", All((Literal("gr"), Literal("e")))),
        ("用户", Literal("用户")),
    ],
)
def test_what_is_required_of_a_text(source: str, found: Required) -> None:
    assert required(source) == found


@given(
    st.text(alphabet=st.sampled_from("abAB1_ |()[]?*+{},.^$\\dwsQE:i-"), max_size=14),
    st.text(alphabet=st.sampled_from("abAB1_ .-"), max_size=12),
)
@example("a|b", "b")
@example("\\Qab\\E?", "a")
@example("(?i)A", "a")
def test_a_text_that_matches_holds_what_is_required(source: str, text: str) -> None:
    try:
        matcher = Matcher(Pattern(source), source)
    except InvalidInput:
        return
    if any(matcher.spans(text.encode())):
        assert holds(required(source), text.lower())


def holds(what: Required, text: str) -> bool:
    match what:
        case Literal(wanted):
            return wanted in text
        case OneOf(branches):
            return any(holds(each, text) for each in branches)
        case All(parts):
            return all(holds(each, text) for each in parts)


def test_the_ends_of_lines_and_the_case() -> None:
    text = b"Foo = 1\nbar = Foo\n"
    assert list(Matcher(Pattern("^foo|foo$", any_case=True), "").spans(text)) == [(0, 3), (14, 17)]
    assert list(Matcher(Pattern("x*"), "").spans(b"axxb")) == [(1, 3)]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("foo(bar", "missing ): foo(bar"),
        ("(?=x)", "invalid perl operator: (?="),
        ("a{1001}", "invalid repetition size"),
    ],
)
def test_what_re2_does_not_take_is_said_with_its_place(source: str, reason: str) -> None:
    query = f"x /{source}/"
    with pytest.raises(InvalidInput, match=re.escape(reason)) as error:
        Matcher(Pattern(source, position=2), query)
    assert error.value.message.endswith(f"\n    {query}\n      ^")


@pytest.mark.parametrize("source", ["(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)x", "a[^y]*y|a", "((a{1,50}){1,20}){1,1}"])
def test_hostile_expressions_cost_little(source: str) -> None:
    text = b"a" * 1_000_000  # with backtracking they would take years
    assert len(list(Matcher(Pattern(source), source).spans(text))) <= MOST_MATCHES
