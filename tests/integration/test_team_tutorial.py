"""docs/tutorial/team.md is carried out: a server, its administrator, a member, a viewer, each with an own home."""

from __future__ import annotations

import re
import shlex
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.duck import COMMAND, environment
from tests.integration.serving import Served, serving

PAGE = Path(__file__).parents[2] / "docs/tutorial/team.md"
PASSWORD = "three wild geese\n"
PATCH = "--- a/shop.py\n+++ b/shop.py\n@@ -2 +2 @@\n-    return item.price\n+    return item.price * 0.9\n"


@dataclass(slots=True)
class Step:
    """A line that somebody types, and what it shows."""

    who: str
    command: str
    shows: list[str] = field(default_factory=list)


def steps() -> list[Step]:
    """Every line of the page that somebody types."""
    found: list[Step] = []
    for block in re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if typed := re.fullmatch(r"(\w+)\$ (duck .+)", line):
                found.append(Step(typed[1], typed[2]))
            else:
                found[-1].shows.append(line)
    return found


class Village:
    """Everybody's machine."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.served: Served | None = None
        self.said = ""
        for who in ("server", "ann", "bob", "vera"):
            shop = folder / who / "shop"
            shop.mkdir(parents=True)
            (shop / "shop.py").write_text("def price(item):\n    return item.price\n")
            (shop / "cheaper.patch").write_text(PATCH)

    def carry_out(self, step: Step) -> None:
        """Type it, and look at what it shows."""
        home = self.folder / step.who / "home"
        if step.command.startswith("duck serve"):
            self.served = self.stack.enter_context(serving(home))
            assert self.served.process.stdout is not None
            shown = f"RubberDuck serves {self.served.http}\n"
            shown += "".join(self.served.process.stdout.readline() for _ in range(2))
            done = 0
        else:
            words = [word.replace("CODE", self.said) for word in shlex.split(step.command)[1:]]
            if self.served is not None:
                words = [word.replace("http://127.0.0.1:4010", self.served.http) for word in words]
            cwd = self.folder / "server" if step.who == "server" else self.folder / step.who / "shop"
            ran = subprocess.run(
                [*COMMAND, *words],
                input=PASSWORD,
                env=environment(home),
                cwd=cwd,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            shown, done = ran.stdout + ran.stderr, ran.returncode
        if code := re.search(r"ducki_[0-9a-f]{64}", shown):
            self.said = code[0]
        refused = any(line.startswith("refused: ") for line in step.shows)
        assert (done == 2) is refused, (step, shown)
        port = self.served.http if self.served is not None else ""
        for line in step.shows:
            expected = line.removeprefix("refused: ").replace("http://127.0.0.1:4010", port)
            assert expected.strip() in shown, (step, shown)


def test_the_page_holds_true(tmp_path: Path) -> None:
    with ExitStack() as stack:
        village = Village(tmp_path, stack)
        found = steps()
        assert {step.who for step in found} == {"server", "ann", "bob", "vera"}
        for step in found:
            village.carry_out(step)
        for who in ("server", "bob", "vera"):
            assert "0.9" not in (tmp_path / who / "shop/shop.py").read_text()
