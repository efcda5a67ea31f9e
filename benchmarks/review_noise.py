"""How much a review says, and how much of that is right: on code with faults that were put in, and on code without.

The code is click 8.5.0's. Faults are put in at known lines: a comparison turned around, an `and` for an `or`, a
number that is one off, a `not` that is gone. The analysers are real. The model is a stand-in that finds SEES of the
faults and makes NOISE remarks a piece beside: quotes of lines that are not there, lines that are there and right, and
what analysers said already, as sure as SURE says. So the numbers show what is taken out before a person reads, and not
how good a model is.

`python -m benchmarks.review_noise [FILES] [SEED]`
"""

from __future__ import annotations

import ast
import asyncio
import json
import random
import re
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.corpus import click
from rubber_duck.app import open_app
from rubber_duck.scope import Scope
from rubber_duck.settings import load
from tests.factories import write_tree
from tests.fake_provider import Asked, Send, fake_provider, head, openai_events, sending
from tests.models import connect

FILES: Final = 6
EVERY: Final = 120
"""One fault in so many lines."""

SEES: Final = 0.6
NOISE: Final = {"made up": 2, "on right lines": 3, "known already": 1}
SURE: Final = {"a fault": (0.6, 0.95), "noise": (0.3, 0.9)}
"""Between which bounds the confidence of a remark lies."""

_SWAPS: Final = (
    *((" == ", " != "), (" and ", " or "), (" < ", " <= ")),
    *((" not ", " "), (" + 1", " + 2"), (" is not ", " is ")),
)
_LINE: Final = re.compile(r"^\s*(\d+)[+ ]\| (.*)$")


def seeded(text: str, dice: random.Random) -> tuple[str, set[int]]:
    """The text with faults, and their 1-based lines; it still parses."""
    lines = text.split("\n")
    faults: set[int] = set()
    places = list(range(len(lines)))
    dice.shuffle(places)
    for at in places:
        if len(faults) >= len(lines) // EVERY:
            break
        for old, new in dice.sample(_SWAPS, len(_SWAPS)):
            code = lines[at].partition("#")[0]
            if old in code and not code.lstrip().startswith(('"', "'", "r", "import", "from")):
                changed = [*lines]
                changed[at] = lines[at].replace(old, new, 1)
                if _parses("\n".join(changed)):
                    lines = changed
                    faults.add(at + 1)
                    break
    return "\n".join(lines), faults


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@dataclass(slots=True)
class Stand:
    """Reviews as a model that sees some faults, and makes noise."""

    dice: random.Random
    faults: dict[str, set[int]]
    said: Counter[str] = field(default_factory=Counter)

    async def answer(self, asked: Asked, send: Send) -> None:
        """One answer over the wire."""
        user = asked.json["messages"][-1]["content"]
        await sending(head(), *openai_events([json.dumps({"remarks": self._remarks(user)})]))(asked, send)

    def _remarks(self, user: str) -> list[dict[str, Any]]:  # Any: JSON
        found = re.search(r"^BEGIN code \S+ (\S+)\n(.*?)^END ", user, re.MULTILINE | re.DOTALL)
        assert found is not None  # what the engine asks
        lines = {int(each[1]): each[2] for each in map(_LINE.match, found[2].split("\n")) if each}
        solid = [number for number, text in lines.items() if len(text.strip()) > 12]
        faulty = self.faults.get(found[1], set())
        seen = [at for at in sorted(faulty & lines.keys()) if self.dice.random() < SEES]
        known = [int(each) for each in re.findall(r"^line (\d+): ", user, re.MULTILINE) if int(each) in lines]
        wrong = [
            *(at for at in self.dice.sample(solid, min(NOISE["on right lines"], len(solid))) if at not in faulty),
            *self.dice.sample(known, min(NOISE["known already"], len(known))),
        ]
        made_up = [f"result = unsafe_{self.dice.random()}(value)" for _ in range(NOISE["made up"])]
        return [
            *(self._remark("a fault", at, lines[at]) for at in seen),
            *(self._remark("noise", self.dice.choice(solid), quote) for quote in made_up),
            *(self._remark("noise", at, lines[at]) for at in wrong),
        ]

    def _remark(self, kind: str, line: int, quote: str) -> dict[str, Any]:  # Any: as above
        self.said[kind] += 1
        sure = round(self.dice.uniform(*SURE[kind]), 2)
        return {
            "line": line,
            "quote": quote,
            "message": f"{kind}: this is wrong",
            "severity": "medium",
            "confidence": sure,
        }


async def measure(count: int, seed: int) -> None:
    """The same files with faults and without."""
    dice = random.Random(seed)
    sources = sorted((click() / "src" / "click").glob("*.py"), key=lambda path: -path.stat().st_size)[:count]
    clean = {f"src/click/{path.name}": path.read_text("utf-8") for path in sources}
    broken = {path: seeded(text, dice) for path, text in clean.items()}
    for name, texts, faults in (
        ("with faults", {path: text for path, (text, _) in broken.items()}, {p: at for p, (_, at) in broken.items()}),
        ("as it is", clean, {}),
    ):
        stand = Stand(random.Random(seed), faults)
        with tempfile.TemporaryDirectory() as scratch:
            folder = write_tree(Path(scratch) / "p", {"pyproject.toml": "", **texts})
            async with fake_provider(stand.answer) as fake:
                connect(Path(scratch) / "home", fake)
                async with open_app(load({"DUCK_HOME": str(Path(scratch) / "home")}), for_engines=["review"]) as app:
                    request = {"files": sorted(texts), "directory": str(folder), "pieces": 200}
                    answer = await app.run("review", request, Scope.local())
        _say(name, answer, stand, sum(text.count("\n") for text in texts.values()))


def _say(name: str, answer: Any, stand: Stand, lines: int) -> None:  # Any: an answer
    by_model = [each for each in answer.remarks if each.source == "model"]
    by_rules = len(answer.remarks) - len(by_model)
    right = sum(each.line in stand.faults.get(each.path, ()) for each in by_model)
    seeds = sum(map(len, stand.faults.values()))
    said = stand.said.total()
    print(f"{name}: {lines:,} lines, {seeds} faults put in")
    print(f"  analysers          {by_rules:>4} remarks, {by_rules * 1000 / lines:.1f} in 1,000 lines")
    print(f"  the model said     {said:>4}, of which right {stand.said['a fault'] / said:.2f}")
    print(
        f"  of which are shown {len(by_model):>4}, {len(by_model) * 1000 / lines:.1f} in 1,000 lines, of which right "
        f"{right / max(len(by_model), 1):.2f}; faults found {right / seeds if seeds else 0:.2f}"
    )
    print(f"  dropped: {answer.unanchored} not at a line, {answer.unsure} unsure, {answer.repeated} known already\n")


def main() -> None:
    """Print what was said, shown and right."""
    given = [int(each) for each in sys.argv[1:]]
    asyncio.run(measure(given[0] if given else FILES, given[1] if len(given) > 1 else 1))


if __name__ == "__main__":
    main()
