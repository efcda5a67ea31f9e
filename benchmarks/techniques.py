"""What techniques of asking are worth with a model that errs in known ways: repair, thinking first, looking for more.

There is no model here, but a stand-in for one that errs as often as ERRS says, repairs what it is told with the
probability REPAIRS, and, having thought, errs half as often where THOUGHT says so. So nothing below says how good a
model is, or how much thinking helps one: that is put in. What is measured is the way around it: how much of what is
wrong is offered all the same, what it costs in questions and tokens, and what a technique can and cannot take out.

`python -m benchmarks.techniques [TASKS] [SEED]`; a connected model of your own is compared by `duck generate` with
`--no-repair`, `--think` and `--look`.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rubber_duck.app import App, open_app
from rubber_duck.llm.tokens import count_tokens
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import Asked, Send, fake_provider, head, openai_events, sending
from tests.models import connect

ERRS: Final = {"place": 0.15, "syntax": 0.10, "finding": 0.10, "logic": 0.15, "name": 1.0}
"""How often a draft errs: lines that are not there, what does not parse, what analysers find, what only a test would
find; and the name of a function in another file, which nobody can know who was not shown it."""

REPAIRS: Final = 0.8
THOUGHT: Final = ("place", "logic")
WAYS: Final[dict[str, tuple[str, ...]]] = {
    "one draft": (),
    "repair": ("repair",),
    "thought": ("thought",),
    "look": ("feedback",),
    "repair, look": ("repair", "feedback"),
    "all three": ("repair", "thought", "feedback"),
}
MOST = 40
_NAMES: Final = ("ebb", "flow", "surge", "drift", "swell", "wade")


@dataclass(frozen=True, slots=True)
class Task:
    """Write `name(x)` in shop.py, which is `factor · x + 1`, or, with `known`, what that function of deep.py gives."""

    name: str
    factor: int
    known: str = ""

    @property
    def words(self) -> str:
        """What the model is asked."""
        more = ", reckoned as this house does" if self.known else ""
        return f"write {self.name}, {self.factor} times its argument and one more{more}"

    def body(self, errs: set[str]) -> str:
        """A draft with these faults."""
        value = f"{self.factor} * x + {2 if 'logic' in errs else 1}"
        if self.known:
            value = f"{'turn_it' if 'name' in errs else f'turn_{self.known}'}({value})"
        if "finding" in errs:
            value = f'eval("{value}")'
        return f"def {self.name}(x):\n    return {value}{' + (' if 'syntax' in errs else ''}\n"

    def is_right(self, text: str) -> bool:
        """Whether the file's function gives what it should."""
        world: dict[str, Any] = {f"turn_{each}": lambda value: -value for each in _NAMES}  # Any: a module's names
        source = re.sub(r"^from deep import .*$", "", text, flags=re.MULTILINE)
        try:
            exec(compile(source, "shop.py", "exec"), world)  # a draft of this very file
            return bool(world[self.name](5) == (5 * self.factor + 1) * (-1 if self.known else 1))
        except (NameError, SyntaxError, KeyError):
            return False


TASKS: Final = tuple(
    Task(f"task_{number}", number + 2, _NAMES[number // 2 % len(_NAMES)] if number % 2 else "") for number in range(200)
)
SHOP: Final = "def shop(x):\n    return x\n"
DEEP: Final = "".join(f"def turn_{each}(value):\n    return -value\n\n\n" for each in _NAMES).rstrip("\n") + "\n"


class Stand:
    """Answers as a model that errs."""

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)
        self.errs: set[str] = set()
        self.questions = 0
        self.tokens = 0

    async def answer(self, asked: Asked, send: Send) -> None:
        """One answer over the wire."""
        said = [each["content"] for each in asked.json["messages"]]
        self.questions += 1
        self.tokens += sum(count_tokens(each) for each in said)
        await sending(head(), *openai_events([self._said(said)]))(asked, send)

    def _said(self, said: list[str]) -> str:
        named = re.findall(r"\bwrite (task_\d+),", "\n".join(said))[-1]  # earlier ones are what is remembered
        task = next(each for each in TASKS if each.name == named)
        if "Do not answer yet. Think" in said[-1]:
            return '{"steps": ["look at the file", "reckon", "give it back"]}'
        if "Which names or words should be looked up" in said[-1]:
            return f'{{"queries": ["turn_{task.known}"]}}' if task.known else '{"queries": []}'
        if "A check of your answer says" in said[-1]:
            told = _told(said[-1])
            self.errs -= {each for each in self.errs & told if self.dice.random() < REPAIRS}
        else:
            has_thought = any("My steps:" in text for text in said)
            self.errs = {
                kind
                for kind, rate in ERRS.items()
                if self.dice.random() < rate / (2 if has_thought and kind in THOUGHT else 1)
            }
        if any(f"def turn_{task.known}(" in text for text in said) or not task.known:
            self.errs.discard("name")
        search = "def shop(y):\n" if "place" in self.errs else "def shop(x):\n"
        return f"shop.py\n<<<<<<< SEARCH\n{search}=======\n{task.body(self.errs)}\n\n{search}>>>>>>> REPLACE\n"


def _told(problem: str) -> set[str]:
    """The kind of fault that a check names."""
    if "not found" in problem or "not there" in problem:
        return {"place"}
    if "parse" in problem:
        return {"syntax"}
    return {"name"} if "Undefined" in problem else {"finding"}


async def measured(app: App, folder: Path, way: str, stand: Stand, task: Task) -> str:
    """What becomes of one task: right, wrong though offered, or nothing offered."""
    request = {"task": task.words, "at": "shop.py", "techniques": list(WAYS[way]), "directory": str(folder)}
    answer = await app.run("generate", request, Scope.local())
    if not answer.files:
        return "nothing"
    new = [line[1:] for file in answer.files for hunk in file.hunks for line in hunk.text.split("\n")[1:] if line]
    kept = [line for line, raw in zip(new, _raw(answer), strict=True) if not raw.startswith("-")]
    return "right" if task.is_right("\n".join(kept)) else "wrong"


def _raw(answer: Any) -> list[str]:  # Any: an answer
    return [line for file in answer.files for hunk in file.hunks for line in hunk.text.split("\n")[1:] if line]


async def measure(count: int, seed: int) -> None:
    """Every way over every task."""
    print(f"{'':<14} {'right':>6} {'wrong':>6} {'nothing':>8} {'questions':>10} {'tokens':>8}   a task")
    for way in WAYS:
        stand = Stand(f"{way} {seed}")
        fates: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as scratch:
            folder = write_tree(Path(scratch) / "p", {"pyproject.toml": "", "shop.py": SHOP, "deep.py": DEEP})
            async with fake_provider(stand.answer) as fake:
                connect(Path(scratch) / "home", fake)
                settings = load({"DUCK_HOME": str(Path(scratch) / "home"), "DUCK_WORKERS_COUNT": "1"})
                async with open_app(settings, for_engines=["generate"]) as app:
                    for task in TASKS[:count]:
                        fates[await measured(app, folder, way, stand, task)] += 1
        print(
            f"{way:<14} {fates['right'] / count:>6.2f} {fates['wrong'] / count:>6.2f} {fates['nothing'] / count:>8.2f} "
            f"{stand.questions / count:>10.1f} {stand.tokens / count:>8,.0f}",
            flush=True,
        )


def main() -> None:
    """Print, for each way, what was offered and what it cost."""
    given = [int(each) for each in sys.argv[1:]]
    asyncio.run(measure(given[0] if given else MOST, given[1] if len(given) > 1 else 1))


if __name__ == "__main__":
    main()
