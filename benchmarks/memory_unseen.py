"""Dialogues written without looking at how recall works: other domains, negations, longer chains, other words.

A question of three facts counts as one of two steps. What recall finds of these is told as it was measured first, in
`docs/measurements.md`, beside what it finds since.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.memory_talks import FILLER, Question, Talk, Turns, person

PLANTS = """
    camellia begonia sorrel fuchsia gentian hellebore juniper kalmia lobelia magnolia nerine oleander peony quince
    rosemary saxifrage tansy viburnum wisteria yarrow zinnia azalea borage clematis dahlia edelweiss foxglove gardenia
    hyssop iris jasmine lavender mallow nigella orchid petunia rue salvia thyme verbena
""".split()  # noqa: SIM905  # it is read as a text
FIRMS = """
    Aldergate Brightwell Corvane Dunmore Everhart Fenwick Garrison Holloway Inkster Jarrow Kestlewood Larkhill Marchmont
    Norwell Ockham Pemberley Quillfeather Ravensworth Silverdene Thornbury Underhay Vantree Westerham Yarborough Zetland
    Ashdown Blackmoor Copperfield Dovedale Elmstead Fairholme Greystoke Hartwood Ironbridge Kirkby Lowther Millbrook
    Netherby Oakham Penrose
""".split()  # noqa: SIM905  # it is read as a text
PARTS = """
    capacitor relay thermostat gasket rectifier solenoid transceiver coupler impeller thyristor fuse busbar choke
    contactor damper encoder flange gyroscope heatsink inverter
""".split()  # noqa: SIM905  # it is read as a text
VERBS = ("parsing", "drawing", "hashing", "mocking", "packing", "sending", "sorting", "timing")
NOUNS = ("invoices", "maps", "receipts", "calendars", "barcodes")
GEAR = """
    Bramble Cinder Drizzle Ember Fathom Glimmer Hazel Inkwell Jigsaw Kindling Lantern Marble Nettle Opal Pebble Quill
    Ripple Sparrow Thicket Umber Vellum Willow Yonder Zephyr Amber Basalt Cobalt Damson Ermine Flint Garnet Heather
    Indigo Jasper Kelp Linen Maple Nutmeg Onyx Plum
""".split()  # noqa: SIM905  # it is read as a text


def greenhouse(chance: random.Random, count: int) -> Talk:
    """A nursery: passive sentences, reasons behind them, three facts in a chain, and who does not do something."""
    talk = Talk([], [])
    for number in range(count):
        plant, bay, extension = PLANTS[number % len(PLANTS)], f"{'NESW'[number % 4]}{10 + number}", 3100 + 17 * number
        keeper, stand_in = person(chance, number), person(chance, number + 211)
        talk.said(
            f"We had to rescue the {plant} cuttings from the draught this morning, they went into bay {bay}.",
            Question(f"Where do the {plant} cuttings grow these days?", (f"bay {bay}",)),
        )
        talk.said(
            f"Whoever has a question on bay {bay} should turn to {keeper}, who looks after it until the summer.",
            Question(
                f"Who is responsible for the place in which the {plant} cuttings are?",
                (f"into bay {bay}", f"turn to {keeper}"),
                2,
            ),
        )
        talk.said(
            f"You reach {keeper} under extension {extension}, though only before noon.",
            Question(
                f"Which extension do I dial when something is wrong with the {plant} cuttings?",
                (f"into bay {bay}", f"turn to {keeper}", str(extension)),
                2,
            ),
        )
        talk.said(
            f"{keeper} doesn't do the watering at weekends, that is left to {stand_in}.",
            Question(f"Who waters on Saturdays in place of {keeper}?", (stand_in,)),
        )
    return talk


def outages(chance: random.Random, count: int) -> Talk:
    """Reports in prose: causes, contracts, replacements; asked with words that the report does not use."""
    talk = Talk([], [])
    for number in range(count):
        firm, cabinet, minute = FIRMS[number % len(FIRMS)], 40 + number, 10 + number % 50
        part, newer, site = PARTS[number % 20], PARTS[(number * 3 + 7) % 20], FIRMS[(number + 13) % len(FIRMS)]
        engineer = person(chance, number + 91)
        talk.add(
            [
                (
                    f"Around 02:{minute} on Tuesday the uplink in {site} started to drop packets. After some digging "
                    f"{engineer} put it down to a worn {part} in cabinet {cabinet}.",
                    "That must have been a long night.",
                )
            ],
            Question(f"What was the cause of the trouble in {site}?", (f"cabinet {cabinet}",)),
            Question(f"Who found out why {site} had lost packets?", (engineer,)),
        )
        talk.said(
            f"For all that is in cabinet {cabinet} there is a maintenance contract with {firm} Ltd, paid until 2031.",
            Question(
                f"Which company has to come and repair what failed in {site}?",
                (f"worn {part} in cabinet {cabinet}", f"{firm} Ltd"),
                2,
            ),
        )
        talk.said(
            f"Good news: the {part} in cabinet {cabinet} was swapped for a {newer}-{number}, the old one is scrap.",
            Question(f"What does cabinet {cabinet} contain after the repair?", (f"{newer}-{number}",)),
        )
    return talk


def habits(chance: random.Random, count: int) -> Talk:
    """What people want and do not want, what they used to and what they do now, and who differs from whom."""
    talk = Talk([], [])
    for number in range(count):
        task = f"{VERBS[number % 8]} {NOUNS[(number // 8) % 5]}"
        bad, old, new = GEAR[number % 40], f"{GEAR[(number + 11) % 40]}kit", f"{GEAR[(number + 23) % 40]}lab"
        vendor = FIRMS[(number * 7 + 3) % len(FIRMS)]
        foe, friend = person(chance, number + 37), person(chance, number + 149)
        talk.said(
            f"When it comes to {task}, don't ever reach for {bad}; it cost us a whole weekend.",
            Question(f"What is to be avoided for {task}?", (f"reach for {bad}",)),
        )
        talk.said(
            f"I used to do {task} with {old}, but these days it is {new} all the way.",
            Question(f"With what do I do {task} nowadays?", (new,)),
        )
        talk.said(
            f"{foe} won't touch anything by {vendor}, unlike {friend}, who swears by it.",
            Question(f"Who is a fan of {vendor}?", (friend,)),
            Question(f"Who refuses to work with products of {vendor}?", (foe,)),
        )
        talk.said(
            f"Nothing goes out about {task} before {friend} has signed it off.",
            Question(f"Which work is signed off by the person who likes {vendor}?", (vendor, f"about {task}"), 2),
        )
    return talk


def voyages(chance: random.Random, count: int) -> Talk:
    """A harbour, written when recall had been mended by the three above: who takes over, what is not so."""
    talk = Talk([], [])
    for number in range(count):
        ship, pier, fee = f"MV {FIRMS[(number * 3 + 5) % 40]}", f"pier {60 + number}", 900 + 13 * number
        captain, relief = person(chance, number + 301), person(chance, number + 407)
        cargo = f"{PARTS[number % 20]}s"
        talk.add(
            [
                (f"The {ship} is not coming in tonight after all.", "Is it the weather?"),
                (f"Fog, yes. They hope to tie up at {pier} on Thursday instead.", "I will tell the agents."),
            ],
            Question(f"At which berth will the {ship} be moored?", (pier,)),
        )
        talk.said(
            f"Between us: {captain} has handed the {ship} over to {relief}, for health reasons.",
            Question(f"Who commands the {ship} now?", (relief,)),
        )
        talk.said(
            f"A night at {pier} sets you back {fee} euros, water and power not included.",
            Question(f"How much does the {ship} have to pay for a night at its berth?", (pier, str(fee)), 2),
        )
        talk.said(
            f"{relief} will not sign for {cargo} unless somebody from customs stands by.",
            Question(f"What does the one who commands the {ship} refuse to sign for alone?", (relief, cargo), 2),
        )
    return talk


UNSEEN: dict[str, Callable[[random.Random, int], Talk]] = {
    "greenhouse": greenhouse, "outages": outages, "habits": habits, "voyages": voyages,
}  # fmt: skip


def dialogue(kind: str, seed: int, count: int) -> tuple[Turns, list[Question]]:
    """The blocks, with talk of no use between them."""
    chance = random.Random(f"unseen {kind} {seed}")
    talk = UNSEEN[kind](chance, count)
    blocks: list[Turns] = list(talk.blocks)
    for _ in range(3 * len(talk.blocks)):
        blocks.insert(chance.randrange(len(blocks) + 1), [chance.choice(FILLER)])  # what came first stays first
    return [turn for block in blocks for turn in block], talk.questions
