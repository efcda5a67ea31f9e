"""Recall over a few memories: what leads to what, over how many steps, and what leads nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rubber_duck.memory.distil import statements
from rubber_duck.memory.recall import recall
from rubber_duck.memory.remembered import Kind, Memory, Recalled
from rubber_duck.memory.words import terms_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHATTER = tuple(f"Page {number} looks fine in browser {number * 7}" for number in range(100, 200))


def held(*texts: str) -> list[Memory]:
    """Facts, the oldest first."""
    return [
        Memory(
            id=UUID(int=number), actor="ann", project=None, is_shared=False, kind=Kind.FACT, session="", text=text,
            answer="", terms=terms_of(text), uses=0, created_at=NOW + timedelta(minutes=number), used_at=NOW,
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip


def found(question: str, *texts: str, most: int = 3) -> list[Recalled]:
    return recall(held(*texts, *CHATTER), question, most, NOW + timedelta(hours=1))


def test_a_fact_leads_to_another_and_that_to_a_third() -> None:
    chain = ("The Lapwing sleeps in shed B7", "Shed B7 is looked after by Quirke", "Quirke drives a yellow Saab")
    hits = found("Which car has the keeper of the Lapwing?", *chain)
    assert {each.memory.text for each in hits} == set(chain)
    (third,) = (each for each in hits if each.memory.text == chain[2])
    assert third.reasons == ("names quirk, as “Shed B7 is looked after by Quirke” does",)


def test_what_was_said_again_and_again_does_not_keep_a_fact_from_leading_on() -> None:
    chain = ("The Lapwing sleeps in shed B7", "Shed B7 is looked after by Quirke")
    again = ("The keeper wants paint for the door",) * 12
    hits = found("Who is the keeper that wants the Lapwing?", *again, *chain, most=4)
    assert set(chain) < {each.memory.text for each in hits}


def test_what_is_reached_by_different_names_does_not_count_as_newer_than_each_other() -> None:
    texts = (
        "The Lapwing sleeps in shed B7",
        "For shed B7 there is a yearly contract over cleaning, repairs and heating until May with Norwell",
        "The Plover sleeps in shed C9",
        "For shed C9 there is a yearly contract over cleaning, repairs and heating until May with Dunmore",
    )
    hits = found("Who has the contract for what the Lapwing sleeps in?", *texts)
    assert [each.memory.text for each in hits][:2] == list(texts[:2])


def test_a_sentence_that_speaks_of_it_further_in_is_told_with_the_one_before() -> None:
    told = statements("The uplink in Norwell lost packets. After some digging Tanaka put it down to a worn relay.", "")
    assert [each.text for each in told] == [
        "The uplink in Norwell lost packets.",
        "The uplink in Norwell lost packets. After some digging Tanaka put it down to a worn relay.",
    ]


def test_the_first_sentence_of_a_turn_is_told_alone() -> None:
    (told,) = statements("After some digging Tanaka put it down to a worn relay.", "")
    assert told.text == "After some digging Tanaka put it down to a worn relay."


def test_a_summary_is_older_than_what_says_the_same_by_itself() -> None:
    texts = ("The staging port is 9090", "The staging port is 8080")
    fact, summary = held(*texts)
    hits = recall([fact, replace(summary, kind=Kind.SUMMARY)], "What is the staging port?", 3, NOW)
    assert [each.memory.text for each in hits] == list(texts)


def test_a_fact_that_is_told_with_more_around_it_comes_last() -> None:
    long = "We measured first. We agreed that the Ratisu keeps its state in Mitile."
    short, other = "We measured first.", "The Ratisu has no other state"
    hits = found("Where does the Ratisu keep its state that we measured?", short, other, long)
    assert [each.memory.text for each in hits] == [long, other, short]


def test_names_lead_on_and_not_the_words_that_all_of_a_kind_share() -> None:
    names = (
        ("Otto", "Ockham", "Quince"), ("Nadia", "Norwell", "Peony"), ("Esther", "Everhart", "Gentian"),
        ("Lars", "Larkhill", "Rue"), ("Keiko", "Dunmore", "Iris"), ("Ingrid", "Inkster", "Thyme"),
    )  # fmt: skip
    told = [f"My colleague {name} comes from {firm} and is called {nick}" for name, firm, nick in names]
    lead = "People at Everhart swear by Marble"
    hits = found("Which tool do those swear by with whom Esther was?", *told, lead)
    assert {told[2], lead} == {each.memory.text for each in hits[:2]}
