"""Three more makers of dialogues, written against what a review found amiss: facts in questions, ways back, bystanders.

`asides` tells facts within questions and requests; `returns` corrects them back and forth, with `not` and by who does
what to whom, and asks that the newest stands before the others; `beside` tells them in the middle of other talk.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.memory_talks import CITIES, FILLER, SERVICES, Question, Talk, Turns, person
from benchmarks.memory_unseen import FIRMS, GEAR, PLANTS


def asides(chance: random.Random, count: int) -> Talk:
    """Facts that a question or a request takes for granted; the answer does not say them."""
    talk = Talk([], [])
    for number in range(count):
        service, port, host = (
            f"{SERVICES[number % 20]}-{number}",
            7000 + 13 * number,
            f"{GEAR[number % 40].lower()}-{number}",
        )
        pet, colleague, firm = PLANTS[number % 40].capitalize(), person(chance, number), FIRMS[number % 40]
        tool, city = f"{GEAR[(number + 7) % 40]}{number}", CITIES[number % len(CITIES)]
        told = [
            f"Our {service} listens on port {port}, how do I let it through the firewall?",
            f"How do I let it through the firewall, our {service} listens on port {port}?",
            f"Which rule do I add since our {service} listens on port {port}?",
            f"How would I test our {service} on port {port} from outside?",
        ]
        talk.add(
            [(chance.choice(told), "Add a rule for it with ufw, then reload.")],
            Question(f"On which port does the {service} listen?", (str(port),)),
        )
        told = [
            f"Did you know that the {service} has moved to the machine {host}?",
            f"The {service} has moved to the machine {host} - what has to be changed in DNS?",
            f"Can you draft a mail to everybody? The {service} has moved to the machine {host}, so who has to know?",
        ]
        talk.add(
            [(chance.choice(told), "The record with the short lifetime first.")],
            Question(f"On which machine is the {service} now?", (host,)),
        )
        told = [
            f"My colleague {colleague} comes from {firm} and is called {pet} by all of us, what do we give her?",
            f"What do we give her? My colleague {colleague} comes from {firm} and is called {pet} by all of us.",
            f"Have I told you that {colleague} comes from {firm} and is called {pet} by all of us?",
        ]
        talk.add(
            [(chance.choice(told), "Perhaps a book about gardens.")],
            Question(f"What is the nickname of {colleague}?", (pet,)),
        )
        told = [
            f"People at {firm} swear by {tool}, should I try it?",
            f"Is it a problem that people at {firm} swear by {tool}?",
            f"People at {firm} swear by {tool} and why is that so?",
        ]
        talk.add(
            [(chance.choice(told), "It depends on what you need.")],
            Question(f"Which tool do those swear by with whom {colleague} used to be?", (colleague, tool), 2),
            Question(f"What do people at {firm} swear by?", (tool,)),
        )
        talk.add(
            [(f"If I moved to {city} one day, what would it cost?", "That depends.")],
        )
    return talk


def returns(chance: random.Random, count: int) -> Talk:
    """What holds is taken back, and taken back again, in sessions far apart; what holds in the end stands first."""
    talk = Talk([], [])
    rounds: list[list[Turns]] = [[], [], []]
    for number in range(count):
        service, one, other = f"{SERVICES[number % 20]}-{number}", 3000 + 7 * number, 9000 + 7 * number
        boss, report = person(chance, number + 11), person(chance, number + 173)
        tool = f"{GEAR[number % 40]}{number}"
        first, second = f"The debug port of {service} is {one}.", f"The debug port of {service} is {other}."
        ways = [first, second, first] if number % 2 else [second, first, first]
        for place, text in enumerate(ways):
            rounds[place].append([(text, "Noted.")])
        talk.questions.append(Question(f"What is the debug port of {service}?", (str(one),), stale=(str(other),)))
        up, down = f"{boss} reports to {report}.", f"{report} reports to {boss}."
        rounds[0].append([(up, "I see.")])
        rounds[1].append([(f"Correction: {down}", "Changed.")])
        if number % 3 == 0:
            rounds[2].append([(f"Sorry, I was right at first: {up}", "Changed back.")])
        final, stale = (up, down) if number % 3 == 0 else (down, up)
        talk.questions.append(Question(f"Who reports to {boss}?", (final[:-1],), stale=(stale[:-1],)))
        rounds[0].append([(f"We use {tool} for the mirror of {service}.", "Good.")])
        rounds[1].append([(f"We do not use {tool} for the mirror of {service}.", "Good.")])
        talk.questions.append(
            Question(
                f"Do we use {tool} for the mirror of {service}?", (f"We do not use {tool}",), stale=(f"We use {tool}",)
            )
        )
    for blocks in rounds:
        chance.shuffle(blocks)
        talk.blocks.extend(blocks)
    return talk


def beside(chance: random.Random, count: int) -> Talk:
    """A fact in the middle of thanks, code, complaints and further questions of the same message."""
    talk = Talk([], [])
    for number in range(count):
        keeper, firm, city = person(chance, number + 61), FIRMS[(number + 5) % 40], CITIES[(number * 3) % len(CITIES)]
        room, code = f"{'ABCD'[number % 4]}{200 + number}", f"{PLANTS[number % 40]}-{number}"
        before = chance.choice(("Thanks, that did it!", "Hm, the test is still red.", "ok, next one:", "Wow."))
        behind = chance.choice(
            (
                "Why does this loop never end?\n```python\nwhile True:\n    pass\n```",
                "And how do I undo a commit?",
                "Anyway.",
            )
        )
        talk.said(
            f"{before} By the way {keeper} took over the stand of {firm} in {city}. {behind}",
            Question(f"Who is in charge of the stand of {firm}?", (keeper,)),
        )
        talk.said(
            f"{before} I was told (by whom I forgot) that the stand of {firm} is in room {room}; {behind}",
            Question(f"In which room do I find the stand that {keeper} took over?", (keeper, room), 2),
        )
        talk.add(
            [
                (
                    f"Here is the trace:\n```\nError: 42\n```\nIgnore it. "
                    f"The door of room {room} opens with the code {code}. {behind}",
                    "The loop has no exit. Thanks for the code, I will not write it down.",
                )
            ],
            Question(f"With which code do I open the door of room {room}?", (code,)),
        )
    return talk


WAYS: dict[str, Callable[[random.Random, int], Talk]] = {"asides": asides, "returns": returns, "beside": beside}


def dialogue(kind: str, seed: int, count: int) -> tuple[Turns, list[Question]]:
    """The blocks in their order, with talk of no use between them."""
    chance = random.Random(f"ways {kind} {seed}")
    talk = WAYS[kind](chance, count)
    blocks: list[Turns] = list(talk.blocks)
    for _ in range(3 * len(talk.blocks)):
        blocks.insert(chance.randrange(len(blocks) + 1), [chance.choice(FILLER)])
    return [turn for block in blocks for turn in block], talk.questions
