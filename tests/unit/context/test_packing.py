from hypothesis import given, settings
from hypothesis import strategies as st

from rubber_duck.context.packing import pack
from rubber_duck.context.snippet import Score, Snippet, SnippetKind
from rubber_duck.llm.tokens import count_tokens


def snippet(text: str, *, relevance: float = 0.5, lines: tuple[int, int] = (0, 0), **more: object) -> Snippet:
    fields = {"kind": SnippetKind.FOUND, "path": "a.py", "reasons": ("a reason",)} | more
    return Snippet(text=text, relevance=relevance, start_line=lines[0], end_line=lines[1], **fields)  # type: ignore[arg-type]  # the fields of a Snippet


snippets = st.builds(
    Snippet,
    kind=st.sampled_from(SnippetKind),
    path=st.sampled_from(["a.py", "b.py"]),
    text=st.text(max_size=200),
    reasons=st.just(("drawn",)),
    relevance=st.floats(0, 1),
    start_line=st.integers(0, 5),
    end_line=st.integers(5, 9),
    age_days=st.floats(0, 1000),
    shorter=st.text(max_size=50),
    is_needed=st.booleans(),
)


@given(st.lists(snippets, max_size=12), st.integers(0, 200))
@settings(deadline=None)
def test_the_budget_is_never_exceeded_and_nothing_is_lost(given_snippets: list[Snippet], budget: int) -> None:
    packed = pack(given_snippets, budget, count_tokens)

    assert count_tokens(packed.text) == packed.tokens <= budget
    told = [each.snippet for each in packed.chosen] + [each.snippet for each in packed.refused]
    given_places = [(each.kind, each.path, each.reasons, each.relevance, each.end_line) for each in given_snippets]
    told_places = [(each.kind, each.path, each.reasons, each.relevance, each.end_line) for each in told]
    assert sorted(told_places) == sorted(given_places)


def test_a_score_weighs_its_parts_as_the_plan_has_it() -> None:
    assert Score(1.0, 0.0, 0.0, 0.0).total == 0.40
    assert Score(0.0, 1.0, 0.0, 0.0).total == 0.25
    assert Score(0.0, 0.0, 1.0, 0.0).total == 0.20
    assert Score(0.0, 0.0, 0.0, 1.0).total == 0.15


def test_the_more_relevant_is_told_when_there_is_room_for_one() -> None:
    dull, bright = snippet("alpha beta gamma", relevance=0.1), snippet("delta eta theta", relevance=0.9)
    packed = pack([dull, bright], 60, lambda text: 15 * text.count("###"))
    assert [each.snippet for each in packed.chosen] == [bright, dull]

    packed = pack([dull, bright], 29, lambda text: 7 if "###" not in text else 15 * text.count("###"))
    assert ([each.snippet for each in packed.chosen], [each.reason for each in packed.refused]) == (
        [bright],
        ["no tokens left for it"],
    )


def test_what_is_needed_goes_before_what_is_relevant() -> None:
    needed = snippet("one two three four", relevance=0.0, kind=SnippetKind.BEFORE, is_needed=True)
    packed = pack(
        [snippet("x y z", relevance=1.0), needed], count_tokens("### before a.py\none two three four\n\n"), count_tokens
    )
    assert [each.snippet for each in packed.chosen] == [needed]


def test_lines_that_are_told_already_are_not_told_again() -> None:
    whole, part = snippet("a = 1\nb = 2", relevance=0.9, lines=(1, 2)), snippet("b = 2", lines=(2, 2))
    packed = pack([part, whole], 1000, count_tokens)
    assert [(each.snippet.start_line, each.reason) for each in packed.refused] == [(2, "these lines are told already")]


def test_nearly_the_same_text_of_another_file_is_not_told_again() -> None:
    words = "price_of item count tax"
    copy = snippet(words, path="b.py")
    packed = pack([snippet(words, relevance=0.9), copy], 1000, count_tokens)
    assert [(each.snippet.path, each.reason) for each in packed.refused] == [
        ("b.py", "nearly the same is told already")
    ]


def test_a_long_snippet_is_told_with_its_bodies_elided() -> None:
    long = snippet("def f():\n" + "    work(1)\n" * 50, shorter="def f():\n    …")
    packed = pack([long], 100, count_tokens)
    assert [(each.text, each.is_shortened) for each in packed.chosen] == [("def f():\n    …", True)]


def test_an_older_file_is_worth_less() -> None:
    new, old = snippet("alpha"), snippet("beta", age_days=30.0)
    scores = {each.snippet.text: each.score.recency for each in pack([new, old], 1000, count_tokens).chosen}
    assert scores == {"alpha": 1.0, "beta": 0.5}
