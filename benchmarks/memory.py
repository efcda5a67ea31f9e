"""What memory recalls of long dialogues, beside BM25 over their turns: facts said once, alone or in two steps.

Six generators here, whose facts stand as plain sentences, nine of another make in `memory_talks`, four in
`memory_unseen` that were written when all of it was there, and three in `memory_ways`: facts in questions, corrections
back and forth, facts beside other talk. A question counts when every fact that it needs is among the first ten, and
what holds no more does not stand before; `nan` where no question has so many steps.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import memory_talks, memory_unseen, memory_ways
from benchmarks.memory_talks import Question
from rubber_duck.memory.memory import Memories
from rubber_duck.memory.words import terms_of
from rubber_duck.scope import Scope
from rubber_duck.settings import DatabaseSettings
from rubber_duck.settings.memory import MemorySettings
from rubber_duck.storage.database import open_database

SYLLABLES = ["ba", "ke", "lo", "mi", "ra", "su", "ti", "vo", "ne", "da", "ru", "fi", "zo", "pa", "le"]
SMALL_TALK = (
    ("Can you look at this stack trace?", "Sure, paste it here and I will have a look."),
    ("Thanks, that works!", "Great, glad it helped."),
    ("How do I sort a list in place?", "Call its sort method. It returns None.\n```python\nnumbers.sort()\n```"),
    ("The build is red again.", "The linter complains about an unused import. Remove it and push again."),
    ("Please rename this function.", "Done. I renamed it and updated its callers."),
    ("Why is this query slow?", "It scans the whole table. An index on the date would help here."),
    ("ok", "Anything else?"),
)


Dialogue = tuple[list[tuple[str, str]], list[Question]]


def word(chance: random.Random) -> str:
    """A name that nobody has."""
    return "".join(chance.choices(SYLLABLES, k=3)).capitalize()


def people(chance: random.Random, count: int) -> Dialogue:
    """Who is in which team, and what teams do."""
    turns, questions = [], []
    for _ in range(count):
        name, team, tool, city = (word(chance) for _ in range(4))
        first, second = f"{name} joined team {team} last spring", f"Team {team} deploys its releases with {tool}"
        third = f"{name} commutes from {city} by train"
        turns += [(f"By the way, {each}.", "Noted.") for each in (first, second, third)]
        questions.append(Question(f"What does {name}'s team use to deploy?", (first, second), 2))
        questions.append(Question(f"From where does {name} commute?", (third,), 1))
    return turns, questions


def machines(chance: random.Random, count: int) -> Dialogue:
    """Which service runs where, and what is known of the place."""
    turns, questions = [], []
    for number in range(count):
        service, host, rack = word(chance).lower(), f"{word(chance).lower()}-{number}", f"{word(chance)} hall"
        first = f"The {service} worker is scheduled on host {host}"
        second = f"Host {host} stands in {rack}"
        third = f"Logs of the {service} worker are rotated after {number + 3} days"
        turns += [(f"fyi {first}. How would I restart it?", "Use systemctl restart."), (f"{second}.", "Good to know."),
                  ("What about logs?", f"{third}. You can change that in its unit file.")]  # fmt: skip
        questions.append(Question(f"In which hall is the machine of the {service} worker?", (first, second), 2))
        questions.append(Question(f"After how many days are {service} logs rotated?", (third,), 1))
    return turns, questions


def family(chance: random.Random, count: int) -> Dialogue:
    """Told with pronouns: the second sentence names nobody."""
    turns, questions = [], []
    for _ in range(count):
        name, city, pet, food = (word(chance) for _ in range(4))
        turns.append((f"My colleague {name} is on parental leave. She moved to {city} in May.", "Congratulations!"))
        turns.append((f"People in {city} are known for their {food} pastries.", "Sounds tasty."))
        turns.append((f"{name} has a parrot. It is called {pet}.", "Ha!"))
        questions.append(Question(f"What is {name}'s parrot called?", (f"called {pet}",), 1))
        questions.append(
            Question(f"Which pastries are typical where {name} moved to?", (f"moved to {city}", f"{food} pastries"), 2)
        )
    return turns, questions


def decisions(chance: random.Random, count: int) -> Dialogue:
    """Decisions inside long answers, between sentences that are of no use."""
    turns, questions = [], []
    for number in range(count):
        module, store, reason = word(chance), word(chance), word(chance)
        fact = f"the {module} module persists its state in {store}"
        why = f"{store} was chosen because of the {reason} audit"
        filler = "There are several options here. Each has its merits. Performance should be measured first."
        turns.append((f"How do we design part {number}?", f"{filler} We agreed that {fact}. {filler}"))
        turns.append(("And the reason?", f"{filler} As decided, {why}. Tests will follow."))
        questions.append(Question(f"Where does the {module} module keep its state?", (fact,), 1))
        questions.append(Question(f"Which audit led to the storage of the {module} module?", (fact, why), 2))
    return turns, questions


def tickets(chance: random.Random, count: int) -> Dialogue:
    """Numbers and dates; the second fact is said by the assistant."""
    turns, questions = [], []
    for number in range(count):
        ticket, person, desk = f"QX-{4000 + 7 * number}", word(chance), f"B{number}.{chance.randrange(100, 999)}"
        first = f"ticket {ticket} was escalated by {person} on {chance.randrange(1, 28)} March"
        second = f"{person} sits at desk {desk}"
        turns.append((f"Just so you know, {first}. Could you draft a reply?", "Dear customer, we are working on it."))
        turns.append((f"Where do I find {person}?", f"According to the plan {second}. The lift is on the left."))
        questions.append(Question(f"Who escalated {ticket}?", (first,), 1))
        questions.append(Question(f"At which desk sits whoever escalated {ticket}?", (first, second), 2))
    return turns, questions


def choices(chance: random.Random, count: int) -> Dialogue:
    """Lists, a colon, and names of two words."""
    turns, questions = [], []
    for _ in range(count):
        client, plan, feature = f"{word(chance)} {word(chance)}", f"{word(chance)} tier", word(chance)
        first, second = f"The customer {client} subscribed to the {plan}", f"the {plan} includes {feature} reports"
        turns.append((f"Status of today:\n- {first}\n- lunch was late", "Thanks for the update!"))
        turns.append(("What is in it?", f"As far as I can see {second}; exports cost extra."))
        questions.append(Question(f"To what did {client} subscribe?", (first,), 1))
        questions.append(Question(f"Which reports does the customer {client} get?", (first, second), 2))
    return turns, questions


GENERATORS: dict[str, Callable[[random.Random, int], Dialogue]] = {
    "people": people, "machines": machines, "family": family, "decisions": decisions,
    "tickets": tickets, "choices": choices,
}  # fmt: skip


def dialogue(kind: str, seed: int, count: int) -> Dialogue:
    """Facts of one kind in random order between five times as much small talk."""
    chance = random.Random(f"{kind} {seed}")
    turns, questions = GENERATORS[kind](chance, count)
    talk = [chance.choice(SMALL_TALK) for _ in range(5 * len(turns))]
    mixed = [*turns, *talk]
    chance.shuffle(mixed)
    return mixed, questions


def bm25(turns: Sequence[tuple[str, str]], question: str, most: int) -> list[str]:
    """The turns that plain BM25 finds."""
    documents = [Counter(terms_of(f"{asked}\n{answered}")) for asked, answered in turns]
    holders = Counter(term for counts in documents for term in counts)
    mean = sum(each.total() for each in documents) / len(documents)

    def worth(counts: Counter[str]) -> float:
        norm = 1.2 * (0.25 + 0.75 * counts.total() / mean)
        return sum(
            math.log(1 + (len(documents) - holders[term] + 0.5) / (holders[term] + 0.5))
            * counts[term] * 2.2 / (counts[term] + norm)
            for term in set(terms_of(question)) if term in counts
        )  # fmt: skip

    best = sorted(range(len(turns)), key=lambda number: -worth(documents[number]))[:most]
    return ["\n".join(turns[number]) for number in best]


def share(questions: Sequence[Question], found: Sequence[Sequence[str]], steps: int) -> float:
    """Of the questions of so many steps the share whose every fact was found, and before what holds no more."""
    hits = [
        all(any(need in text for text in texts) for need in question.needs) and not _is_misled(question, texts)
        for question, texts in zip(questions, found, strict=True)
        if question.steps == steps
    ]
    return sum(hits) / len(hits) if hits else math.nan


def _is_misled(question: Question, texts: Sequence[str]) -> bool:
    """Whether what holds no more stands before the first text that answers."""
    for text in texts:
        if all(need in text for need in question.needs):
            return False
        if any(each in text for each in question.stale):
            return True
    return False


async def noted(memories: Memories, scope: Scope, turns: Sequence[tuple[str, str]]) -> None:
    """The dialogue in sessions of thirty turns, condensed after each."""
    for number, (asked, answered) in enumerate(turns):
        await memories.note(scope, f"session {number // 30}", asked, answered)
        if number % 30 == 29:
            await memories.consolidate(scope)


async def recalled(memories: Memories, scope: Scope, questions: Sequence[Question]) -> list[list[str]]:
    """The ten texts that each question recalls."""
    found = []
    for question in questions:
        hits = await memories.recall(scope, question.text, most=10)
        found.append([f"{hit.memory.text}\n{hit.memory.answer}" for hit in hits])
    return found


def clock() -> Callable[[], datetime]:
    """A minute goes by each time somebody looks."""
    moments: Iterator[datetime] = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in range(10**9))
    return lambda: next(moments)


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares of one and of two steps: ours, when all is condensed, BM25's; and whether a restart changes any."""

    ours: list[float]
    condensed: list[float]
    plain: list[float]
    is_same: bool


async def measure(kind: str, seed: int, count: int, folder: Path) -> Measured:
    """Note a dialogue and ask: as it was told, after a restart, and when all of it is condensed."""
    makers = {
        **dict.fromkeys(memory_talks.TALKS, memory_talks),
        **dict.fromkeys(memory_unseen.UNSEEN, memory_unseen),
        **dict.fromkeys(memory_ways.WAYS, memory_ways),
    }
    made = dialogue if kind in GENERATORS else makers[kind].dialogue
    turns, questions = made(kind, seed, count)
    settings, scope, now = DatabaseSettings(url=f"sqlite:///{folder}/{kind}{seed}.db"), Scope.local(), clock()
    async with open_database(settings) as database:
        memories = Memories(database, MemorySettings(), now, str)
        await noted(memories, scope, turns)
        ours = await recalled(memories, scope, questions)
        await memories.close()
    async with open_database(settings) as database:
        memories = Memories(database, MemorySettings(), now, str)
        again = await recalled(memories, scope, questions)
        await memories.consolidate(scope, everything=True)
        condensed = await recalled(memories, scope, questions)
        await memories.close()
    theirs = [bm25(turns, question.text, 10) for question in questions]
    shares = [[share(questions, each, steps) for steps in (1, 2)] for each in (ours, condensed, theirs)]
    return Measured(shares[0], shares[1], shares[2], again == ours)


async def main(count: int) -> None:
    """Print the table."""
    steps = "".join(f"{name:>12}{'condensed':>11}{'BM25':>8}" for name in ("one step", "two steps"))
    print(f"{'recall@10':<12}{steps}   after a restart")
    with tempfile.TemporaryDirectory() as folder:
        for kind in (*GENERATORS, *memory_talks.TALKS, *memory_unseen.UNSEEN, *memory_ways.WAYS):
            found = await measure(kind, 1, count, Path(folder))
            pairs = zip(found.ours, found.condensed, found.plain, strict=True)
            line = (f"{ours:>12.2f}{condensed:>11.2f}{plain:>8.2f}" for ours, condensed, plain in pairs)
            print(f"{kind:<12}{''.join(line)}   {'the same' if found.is_same else 'NOT THE SAME'}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
