"""Dialogues of another make than those that recall was built with: pronouns, corrections, code, lists, other languages.

Facts stand in blocks of turns that follow each other, between talk about work that names things too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Turns = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what every fact that answers it says; `steps` is 1 or 2; what is `stale` holds no more."""

    text: str
    needs: tuple[str, ...]
    steps: int = 1
    stale: tuple[str, ...] = ()


@dataclass(slots=True)
class Talk:
    """Blocks of turns, and what may be asked of them."""

    blocks: list[Turns]
    questions: list[Question]

    def add(self, turns: Turns, *questions: Question) -> None:
        """One more block."""
        self.blocks.append(turns)
        self.questions += questions

    def said(self, text: str, *questions: Question) -> None:
        """One more block of one turn."""
        self.add([(text, "I see.")], *questions)


FIRST = """
    Amara Bjorn Celine Dmitri Esther Farid Greta Hamid Ingrid Jonas Keiko Lars Mireille Nadia Otto Priya Quentin Rosa
    Stefan Tomoko Ursula Viktor Wanda Xavier Yusuf Zelda Anouk Boris Chiara Dorian Emil Fatima Gustav Hanna Igor Jana
""".split()  # noqa: SIM905  # it is read as a text
LAST = """
    Abbott Baker Castillo Dvorak Eriksen Fischer Gruber Hosseini Ivanova Jensen Kowalski Lindqvist Moreau Novak
    Okafor Petrov Quirke Rossi Schuster Tanaka
""".split()  # noqa: SIM905  # it is read as a text
CITIES = """
    Bergen Coimbra Debrecen Graz Ghent Innsbruck Kaunas Leeds Malmo Nantes Oulu Plovdiv Rijeka Split Tartu
    Utrecht Verona Wroclaw Zadar Bilbao Cork Dresden Eindhoven
""".split()  # noqa: SIM905  # it is read as a text
SERVICES = """
    billing checkout catalog ledger mailer payments pricing reports scheduler search sessions shipping signup
    tracker uploads webhooks audit quota identity refunds
""".split()  # noqa: SIM905  # it is read as a text
BIRDS = """
    heron kestrel osprey magpie plover curlew avocet bittern dunlin egret falcon gannet harrier ibis jackdaw
    kite lapwing merlin nightjar oriole petrel quail raven siskin tern
""".split()  # noqa: SIM905  # it is read as a text
TOOLS = """
    Ansible Bazel Celery Datadog Elastic Flink Grafana Helm Istio Jenkins Kafka Loki Mongo Nomad Oracle Podman
    Quartz Redis Sentry Terraform Unleash Vault Zuul
""".split()  # noqa: SIM905  # it is read as a text
WORK = ("fixed", "broke", "merged")
FILLER = (
    ("The deploy of the search service failed again.", "Look at its log first. Often a secret is missing there."),
    ("How do I make a list of unique values?", "Use a set.\n```python\nunique = list(dict.fromkeys(values))\n```"),
    ("Can you shorten this function?", "Yes. I removed the second loop and gave the variables clearer names."),
    ("Why does mypy complain here?", "The function may return None. Handle that case, or assert that it cannot be."),
    ("What is a thread, and what a process?", "Threads share memory, processes do not. Python threads take turns."),
    ("I am stuck with a merge conflict in the ledger module.", "Keep both imports and take their version of the test."),
    ("Write a docstring for it, please.", "Done: it says what is returned and when it raises."),
    ("This regular expression is too slow.", "It backtracks. An atomic group or a plain string search would help."),
    ("Is it lunch time yet?", "Almost. One more review before that?"),
    ("The tests of the mailer take four minutes.", "Most of that is the database. A fixture would save two of them."),
    ("Rename `foo` to something useful.", "I suggest `pending_orders`, which is what it holds."),
)


def pick(chance: random.Random, names: Sequence[str], count: int) -> list[str]:
    """Different names."""
    return chance.sample(list(names), count)


def person(chance: random.Random, number: int) -> str:
    """A name that nobody else has."""
    return f"{FIRST[number % len(FIRST)]} {LAST[(number * 7 + number // len(FIRST)) % len(LAST)]}"


def corrections(chance: random.Random, count: int) -> Talk:
    """What was said is taken back: in the next turn with a pronoun, or much later with its name."""
    talk = Talk([], [])
    for number in range(count):
        service, old, new = SERVICES[number % len(SERVICES)], 4000 + 11 * number, 7000 + 13 * number
        match number % 4:
            case 0:
                talk.add(
                    [
                        (f"The {service} service listens on port {old}.", "Noted."),
                        (f"No wait, it is {new} now.", "Got it."),
                    ],
                    Question(f"On which port does the {service} service listen?", (str(new),)),
                )
            case 1:
                talk.said(f"Our {service} database is owned by {person(chance, number)}.")
                other = person(chance, number + 17)
                talk.said(
                    f"Correction: the {service} database belongs to {other} since Monday.",
                    Question(f"Who owns the {service} database?", (other,)),
                )
            case 2:
                talk.add(
                    [
                        (f"We run {service} on {TOOLS[number % len(TOOLS)]}.", "Sure."),
                        (
                            f"Actually no, we moved {service} to {TOOLS[(number + 5) % len(TOOLS)]} last week.",
                            "Understood.",
                        ),
                    ],
                    Question(f"What does {service} run on?", (TOOLS[(number + 5) % len(TOOLS)],)),
                )
            case _:
                talk.add(
                    [
                        (f"The {service} release is planned for {old % 28 + 1} May.", "I see."),
                        ("Thanks for the help with the tests, by the way.", "You are welcome."),
                        (f"Sorry, scratch that, the {service} release is on {new % 28 + 1} June instead.", "Fine."),
                    ],
                    Question(f"When is the {service} release?", (f"{new % 28 + 1} June",)),
                )
    return talk


def pronouns(chance: random.Random, count: int) -> Talk:
    """A name is said once, and what follows only says he, she, it or they, also in the next turn."""
    talk = Talk([], [])
    for number in range(count):
        who, city, bird = person(chance, number), CITIES[number % len(CITIES)], BIRDS[number % len(BIRDS)]
        desk = f"{number}C{chance.randrange(10, 99)}"
        if number % 2:
            talk.said(
                f"I talked to {who} yesterday. She leads the rollout in {city}. "
                f"Her laptop is called {bird}-{number}. She sits at desk {desk}.",
                Question(f"What is the name of {who}'s laptop?", (f"{bird}-{number}",)),
                Question(f"Where does {who} sit?", (desk,)),
            )
        else:
            talk.add(
                [
                    (f"My new colleague is {who}.", "Say hello from me!"),
                    (f"He comes from {city} and speaks four languages.", "Impressive."),
                    (f"His badge number is {desk}.", "Noted."),
                ],
                Question(f"From where is {who}?", (city,)),
                Question(f"What is {who}'s badge number?", (desk,)),
            )
    return talk


def lists(chance: random.Random, count: int) -> Talk:
    """The assistant gives the facts, in lists and tables under a heading."""
    talk = Talk([], [])
    for number in range(count):
        service, tools = f"{SERVICES[number % len(SERVICES)]}-{number}", pick(chance, TOOLS, 3)
        hosts = [f"{bird}-{number}" for bird in pick(chance, BIRDS, 3)]
        if number % 2:
            listed = "\n".join(
                f"- {place}: {host}" for place, host in zip(("staging", "production", "backup"), hosts, strict=True)
            )
            talk.add(
                [
                    (
                        f"Where does {service} run?",
                        f"Hosts of {service}:\n{listed}\n\nAsk operations before you restart one.",
                    )
                ],
                Question(f"On which host is {service} in production?", (hosts[1],)),
            )
        else:
            rows = "\n".join(
                f"| {what} | {tool} |" for what, tool in zip(("queue", "cache", "metrics"), tools, strict=True)
            )
            talk.add(
                [
                    (
                        f"Summarise the stack of {service}, please.",
                        f"The stack of {service} is this:\n\n| part | tool |\n|---|---|\n{rows}\n",
                    )
                ],
                Question(f"Which cache does {service} use?", (tools[1],)),
            )
    return talk


def code(chance: random.Random, count: int) -> Talk:
    """The values stand in code."""
    talk = Talk([], [])
    for number in range(count):
        service, value = f"{SERVICES[number % len(SERVICES)]}{number}", chance.randrange(100, 9999)
        name = f"{service.upper()}_{('TIMEOUT', 'RETRIES', 'BATCH_SIZE')[number % 3]}"
        if number % 2:
            block = f"```python\nimport os\n\n{name} = {value}\n\n\ndef run():\n    return {name}\n```"
        else:
            block = f"```yaml\nservices:\n  {service}:\n    {name.lower()}: {value}\n    image: base\n```"
        asked = f"This is what we have in the settings of {service}:\n{block}\nIs that fine?"
        talk.add([(asked, "Yes, that looks fine.")], Question(f"What is {name} set to?", (str(value),)))
    return talk


LANGUAGES: tuple[tuple[str, str, str], ...] = (
    ("Unser Testserver für {s} heißt {b}. Er steht im Keller.", "Wie heißt der Testserver für {s}?", "{b}"),
    ("Die Abteilung {s} wird von {p} geleitet, seit letztem Jahr.", "Wer leitet die Abteilung {s}?", "{p}"),
    ("Le serveur de {s} s'appelle {b}. Il est hébergé à {c}.", "Comment s'appelle le serveur de {s} ?", "{b}"),
    ("La réunion de l'équipe {s} a lieu à {c} chaque mardi.", "Où a lieu la réunion de l'équipe {s} ?", "{c}"),
    ("El proyecto {s} lo dirige {p}. Vive en {c}.", "¿Quién dirige el proyecto {s}?", "{p}"),
    ("Сервер {s} стоит в городе {c}. За него отвечает {p}.", "В каком городе стоит сервер {s}?", "{c}"),
    ("Мы храним отчёты проекта {s} в системе {t}.", "Где хранятся отчёты проекта {s}?", "{t}"),
    ("我们的{s}服务部署在{c}。负责人是{p}。", "{s}服务部署在哪里？", "{c}"),
    ("{s}プロジェクトの担当者は{p}です。毎週{c}で会議があります。", "{s}プロジェクトの担当者は誰ですか？", "{p}"),
    ("Serwer {s} nazywa się {b}, a kopie trzymamy w {t}.", "Jak nazywa się serwer {s}?", "{b}"),
)


def languages(chance: random.Random, count: int) -> Talk:
    """Facts and questions in eight languages."""
    talk = Talk([], [])
    for number in range(count):
        told, asked, need = LANGUAGES[number % len(LANGUAGES)]
        words = {
            "s": f"{SERVICES[number % len(SERVICES)].capitalize()}{number}",
            "b": f"{BIRDS[number % len(BIRDS)]}{number}",
            "p": person(chance, number),
            "c": CITIES[number % len(CITIES)],
            "t": TOOLS[number % len(TOOLS)],
        }
        talk.add([(told.format(**words), "👍")], Question(asked.format(**words), (need.format(**words),)))
    return talk


def crowded(chance: random.Random, count: int) -> Talk:
    """Few people and teams of whom much is said, so that a name alone finds nothing."""
    talk = Talk([], [])
    people = [person(chance, number).split()[0] for number in range(max(2, count // 8))]
    teams = [f"team {bird.capitalize()}" for bird in pick(chance, BIRDS, max(2, len(people) // 2))]
    facts: list[tuple[str, str, str]] = [
        ("{who} was born in {v}", "Where was {who} born?", "city"),
        ("{who} plays the {v} at the weekend", "Which instrument does {who} play?", "thing"),
        ("{who} drinks only {v} tea", "What kind of tea does {who} drink?", "thing"),
        ("{who} reviews every change of {v}", "Whose changes does {who} review?", "thing"),
        ("{who} is allergic to {v}", "What is {who} allergic to?", "thing"),
        ("{who} commutes from {v} by train", "From where does {who} commute?", "city"),
        ("{who} studied in {v} for five years", "Where did {who} study?", "city"),
        ("{who} maintains the {v} importer", "Which importer does {who} maintain?", "thing"),
        ("{who} has the office key number {v}", "Which office key does {who} have?", "thing"),
        ("{who} takes holidays in {v} every August", "Where does {who} take holidays?", "city"),
        ("{who} wrote the {v} runbook", "Which runbook did {who} write?", "thing"),
        ("{who} prefers the {v} keyboard layout", "Which keyboard layout does {who} prefer?", "thing"),
    ]
    for number, who in enumerate(people):
        team = teams[number % len(teams)]
        talk.said(f"{who} works in {team}.")
        for text, asked, kind in facts:
            value = f"{chance.choice(CITIES if kind == 'city' else BIRDS)}{chance.randrange(100)}"
            said = text.format(who=who, v=value)
            talk.said(f"{said}.", Question(asked.format(who=who), (said,)))
    for team in teams:
        own = [who for number, who in enumerate(people) if teams[number % len(teams)] == team]
        for what, asked in (
            ("deploys with", "What does {who}'s team deploy with?"),
            ("keeps its secrets in", "Where are the secrets of {who}'s team kept?"),
            ("meets in the room called", "In which room does {who}'s team meet?"),
            ("is led by", "Who leads {who}'s team?"),
        ):
            value = (
                person(chance, chance.randrange(400))
                if what == "is led by"
                else f"{chance.choice(TOOLS)}{chance.randrange(100)}"
            )
            fact = f"{team} {what} {value}"
            talk.said(
                f"By the way, {fact}.",
                Question(asked.format(who=own[0]), (f"{own[0]} works in {team}", fact), 2),
            )
    return talk


def requests(chance: random.Random, count: int) -> Talk:
    """The fact stands in a request or a question."""
    talk = Talk([], [])
    forms = (
        ("Can you remember that the {s} cluster has {n} nodes?", "How many nodes does the {s} cluster have?", "{n}"),
        ("Since {p} moved to {c}, who should sign the {s} contract?", "Where did {p} move to?", "{c}"),
        ("Let's call the new {s} gateway {b}, shall we?", "What do we call the new {s} gateway?", "{b}"),
        ("Please don't restart {s} after {n} o'clock, {p} watches it.", "Who watches {s}?", "{p}"),
        (
            "Will is the one who approves {s} invoices above {n} euros.",
            "From which amount on are {s} invoices approved?",
            "{n}",
        ),
        (
            "Could you write an answer to {p} from {c}, who bought {n} licences of {s}?",
            "How many licences of {s} were bought?",
            "{n}",
        ),
        ("Do not deploy {s} on {b} hosts.", "On which hosts must {s} not be deployed?", "{b}"),
        ("The {s} password rotates every {n} days, right?", "How often does the {s} password rotate?", "{n}"),
    )
    for number in range(count):
        told, asked, need = forms[number % len(forms)]
        words = {
            "s": f"{SERVICES[number % len(SERVICES)]}-{number}",
            "b": BIRDS[number % len(BIRDS)],
            "n": str(chance.randrange(13, 990)),
            "p": person(chance, number),
            "c": CITIES[number % len(CITIES)],
        }
        talk.add([(told.format(**words), "Sure, I will.")], Question(asked.format(**words), (need.format(**words),)))
    return talk


def paraphrased(chance: random.Random, count: int) -> Talk:
    """The question says it in other words, of somebody of whom more is known."""
    talk = Talk([], [])
    forms = (
        ("{who} resides in {c}", "Where does {who} live?"),
        ("{who}'s manager is {p}", "Who is {who}'s boss?"),
        ("{who} can be reached at extension {n}", "What is {who}'s phone number?"),
        ("{who}'s favourite editor is {t}", "Which editor does {who} like best?"),
        ("{who} is employed by {b} Ltd", "For which company does {who} work?"),
        ("{who} will be away until {n} July", "When does {who} come back?"),
    )
    for number in range(max(1, count // 3)):
        who = person(chance, number)
        for text, asked in forms:
            words = {
                "who": who,
                "c": chance.choice(CITIES),
                "p": person(chance, number + 50),
                "n": str(chance.randrange(2, 30)),
                "t": chance.choice(TOOLS),
                "b": chance.choice(BIRDS).capitalize(),
            }
            said = text.format(**words)
            talk.said(f"{said}.", Question(asked.format(**words), (said,)))
        for _ in range(9):
            talk.said(f"{who} {chance.choice(WORK)} change {chance.randrange(9999)} of {chance.choice(SERVICES)}.")
    return talk


def answers(chance: random.Random, count: int) -> Talk:
    """The fact stands deep in a long answer, and leads to one that stands in another."""
    talk = Talk([], [])
    for number in range(count):
        module, store, who = (
            f"{SERVICES[number % len(SERVICES)]}{number}",
            f"{chance.choice(BIRDS)}{number}",
            person(chance, number),
        )
        first = f"The module {module} writes its events to the topic {store}"
        second = f"the topic {store} is consumed by the service of {who}"
        noise = [
            f"Step {step} changes the {chance.choice(SERVICES)} table and checks {chance.choice(TOOLS)}"
            for step in range(1, 19)
        ]
        talk.add(
            [(f"Explain the flow of part {number}.", ". ".join([*noise[:15], first, *noise[15:]]) + ".")],
            Question(f"To which topic does {module} write?", (first,)),
        )
        talk.add(
            [("And who reads that?", ". ".join([*noise[:9], f"As far as I know {second}", *noise[9:]]) + ".")],
            Question(f"Whose service reads the events of {module}?", (first, second), 2),
        )
    return talk


TALKS: dict[str, Callable[[random.Random, int], Talk]] = {
    "corrections": corrections,
    "pronouns": pronouns,
    "lists": lists,
    "code": code,
    "languages": languages,
    "crowded": crowded,
    "requests": requests,
    "paraphrased": paraphrased,
    "answers": answers,
}


def dialogue(kind: str, seed: int, count: int) -> tuple[Turns, list[Question]]:
    """Blocks of one kind in random order between three times as much talk of other things."""
    chance = random.Random(f"{kind} {seed}")
    talk = TALKS[kind](chance, count)
    blocks: list[Turns] = list(talk.blocks)
    fillers: list[Turns] = [[chance.choice(FILLER)] for _ in range(3 * sum(map(len, blocks)))]
    # what was said first stays first: corrections come after what they correct
    for filler in fillers:
        blocks.insert(chance.randrange(len(blocks) + 1), filler)
    return [turn for block in blocks for turn in block], talk.questions
