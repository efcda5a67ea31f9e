"""What a conversation states: facts also where they stand in requests, lists, code, or are said of he, she and it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rubber_duck.memory.condense import too_many
from rubber_duck.memory.distil import kind_of, statements, statements_of
from rubber_duck.memory.remembered import Kind, Memory
from rubber_duck.memory.words import terms_of
from rubber_duck.settings.memory import MemorySettings
from rubber_duck.storage.keys import new_key


def told(asked: str, answered: str = "") -> list[str]:
    return [each.text for each in statements(asked, answered)]


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        ("Can you remember that the audit cluster has 7 nodes?", "the audit cluster has 7 nodes"),
        ("Since Priya moved to Ghent, who signs?", "Since Priya moved to Ghent"),
        ("The password rotates every 30 days, right?", "The password rotates every 30 days"),
        ("Will is the one who approves invoices.", "Will is the one who approves invoices."),
        ("Do not deploy search on plover hosts.", "Do not deploy search on plover hosts."),
        ("Sorry, scratch that, the release is on 5 June.", "the release is on 5 June."),
        ("By the way, Ann sits in B7.", "Ann sits in B7."),
        ("Let's call the new gateway Heron.", "Let's call the new gateway Heron."),
    ],
)
def test_a_fact_is_told_also_in_a_request(said: str, stated: str) -> None:
    assert told(said) == [stated]


@pytest.mark.parametrize(
    "said",
    ["What is the port of staging?", "Can you shorten this function?", "Thanks, that works!", "ok", "Rename `foo`.",
     "Is Ann in Bergen?", "Write a test for it, please."],
)  # fmt: skip
def test_what_only_asks_states_nothing(said: str) -> None:
    assert told(said) == []


def test_a_pronoun_is_told_with_whom_it_means_also_over_turns() -> None:
    first, second, third = statements_of([
        ("I met Zelda Novak. She leads payments. Her laptop is called siskin.", "Nice."),
        ("He won a medal.", "Who?"),
        ("Her badge is 4711.", ""),
    ])  # fmt: skip
    assert [each.text for each in first][1:] == [
        "I met Zelda Novak. She leads payments.",
        "I met Zelda Novak. She leads payments. Her laptop is called siskin.",
    ]
    assert [each.text for each in second] == ["I met Zelda Novak. Her laptop is called siskin. He won a medal."]
    assert third[0].text.startswith("I met Zelda Novak.")


def test_a_correction_is_told_with_what_it_corrects() -> None:
    _, taken_back = statements_of([("The ledger listens on port 4000.", "Noted."), ("No wait, it is 7000 now.", "OK.")])
    assert [each.text for each in taken_back] == ["The ledger listens on port 4000. it is 7000 now."]


def test_lists_tables_and_code_are_told_with_their_heading() -> None:
    text = (
        "Hosts of search:\n- staging: heron-3\n- production: kite-4\n\nThe stack:\n| part | tool |\n|---|---|\n"
        "| cache | Redis |\n\nOur settings:\n```python\nimport os\n\nRETRIES = 7\n\ndef run():\n    return 1\n```\n"
    )
    assert told("", text) == [
        "Hosts of search: staging: heron-3", "Hosts of search: production: kite-4", "The stack: part, tool",
        "The stack: cache, Redis", "Our settings: RETRIES = 7",
    ]  # fmt: skip


def test_other_scripts_are_told_apart_and_found() -> None:
    assert told("Сервер стоит в Граце. За него отвечает Анна.")[1].endswith("За него отвечает Анна.")
    assert len(told("我们的服务部署在上海。负责人是王伟。")) == 2
    assert set(terms_of("服务部署在哪里？")) & set(terms_of("我们的服务部署在上海。")) >= {"服务", "部署"}
    assert set(terms_of("серверами")) == set(terms_of("сервера"))
    assert set(terms_of("L'équipe")) == set(terms_of("equipe"))
    assert set(terms_of("studied studies study")) == {"study"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("I want to rename handler_7 in api.py.", Kind.FACT),
        ("We'd like you to move OrderStore behind the cache.", Kind.FACT),
        ("I want you to always write docstrings in OrderStore.", Kind.STYLE),
        ("I want to see short answers.", Kind.PREFERENCE),
        ("We want PostgreSQL rather than MySQL.", Kind.PREFERENCE),
        ("My build never finishes on Windows.", Kind.FACT),
        ("Our staging host usually answers from port 8443.", Kind.FACT),
        ("We never deploy on Fridays.", Kind.PREFERENCE),
        ("I almost always read the tests first.", Kind.PREFERENCE),
        ("Our team prefers short pull requests.", Kind.PREFERENCE),
    ],
)
def test_what_is_to_be_done_once_is_no_preference(said: str, kind: Kind) -> None:
    assert kind_of(said, is_person=True) is kind


def test_preferences_have_a_number_too_and_the_coldest_go() -> None:
    at = datetime(2026, 3, 4, tzinfo=UTC)

    def said(number: int, kind: Kind) -> Memory:
        used = at - timedelta(days=number)
        return Memory(
            id=new_key(), actor="ann", project=None, is_shared=False, kind=kind, session="s", text=f"{number}",
            answer="", terms=(f"t{number}",), uses=0, created_at=used, used_at=used,
        )  # fmt: skip

    held = [said(number, (Kind.PREFERENCE, Kind.STYLE)[number % 2]) for number in range(12)]
    settings = MemorySettings(preferences=9)
    assert set(too_many([*held, said(99, Kind.FACT)], settings, at)) == {each.id for each in held[9:]}
