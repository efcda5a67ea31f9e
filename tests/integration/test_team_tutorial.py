"""docs/tutorial/team.md is carried out: a server, its administrator, a member, a viewer, each with an own home."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration import stand_ins
from tests.integration.duck import COMMAND, environment
from tests.integration.serving import Served, serving
from tests.integration.test_chat_topic import talking

PAGE = Path(__file__).parents[2] / "docs/tutorial/team.md"
PASSWORD = "three wild geese\n"
SERVER, MODEL, REMOTES = "http://127.0.0.1:4010", "http://127.0.0.1:8080/v1", "/srv/git"
STAND_INS = "".join(
    f'{name}() {{ {shlex.quote(sys.executable)} {shlex.quote(stand_ins.__file__)} {name} "$@"; }}; '
    for name in ("curl", "openssl")
)
SAID = {
    "CODE": r"(ducki_[0-9a-f]{64})",
    "KEY": r"^(duck_\S+)$",
    "CSRF": r'"csrf":"([0-9a-f]+)"',
    "PROJECT": r'"id":"([0-9a-f-]+)"',
    "SECRET": r'"secret":"([0-9a-f]+)"',
    "CONVERSATION": r"duck auth shared ([0-9a-f-]{36})",
}
"""What stands in the page for something that a server said before, and how it is found there."""
AUTHOR = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
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
            if typed := re.fullmatch(r"(\w+)\$ ((?:duck|curl) .+)", line):
                found.append(Step(typed[1], typed[2]))
            else:
                found[-1].shows.append(line)
    return found


class Village:
    """Everybody's machine, and a model."""

    def __init__(self, folder: Path, model: str, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.served: Served | None = None
        self.said: dict[str, str] = {}
        self.there = {MODEL: model, REMOTES: str(folder / "git")}
        for who in ("server", "ann", "bob", "vera", "host"):
            shop = folder / who / "shop"
            shop.mkdir(parents=True)
            (shop / "shop.py").write_text("def price(item):\n    return item.price\n")
            (shop / "cheaper.patch").write_text(PATCH)
        (folder / "server/home").mkdir(mode=0o700)
        (folder / "server/home/duck.toml").write_text(f"[workspace]\nroots = ['{folder}/git']\n")
        pond = folder / "git/pond"
        pond.mkdir(parents=True)
        (pond / "pond.py").write_text("DUCKS = 3\n")
        for command in (["init", "-q"], ["add", "."], [*AUTHOR, "commit", "-qm", "Begin"]):
            subprocess.run(["git", *command], cwd=pond, check=True)

    def carry_out(self, step: Step) -> None:
        """Type it, and look at what it shows."""
        shown, done = self._served(step) if step.command.startswith("duck serve") else self._typed(step)
        for name, pattern in SAID.items():
            if found := re.search(pattern, shown, re.MULTILINE):
                self.said[name] = found[1]
        refused = any(line.startswith("refused: ") for line in step.shows)
        assert (done == 2) is refused, (step, shown)
        for line in step.shows:
            assert self._meant(line.removeprefix("refused: ")).strip() in shown, (step, shown)

    def _served(self, step: Step) -> tuple[str, int]:
        self.served = self.stack.enter_context(serving(self.folder / step.who / "home"))
        assert self.served.process.stdout is not None
        self.there[SERVER] = self.served.http
        said = "".join(self.served.process.stdout.readline() for _ in range(2))
        return f"RubberDuck serves {self.served.http}\n{said}", 0

    def _typed(self, step: Step) -> tuple[str, int]:
        command = self._meant(step.command)
        words = [*COMMAND, *shlex.split(command)[1:]]
        if command.startswith("curl"):
            words = ["bash", "-c", STAND_INS + command]
        ran = subprocess.run(
            words,
            input=f"{self.said['CODE']}\n{PASSWORD}" if "--invitation" in words else PASSWORD,
            env=environment(self.folder / step.who / "home"),
            cwd=self.folder / "server" if step.who == "server" else self.folder / step.who / "shop",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return ran.stdout + ran.stderr, ran.returncode

    def _meant(self, written: str) -> str:
        """What is written in the page, with what it stands for here."""
        for name, value in {**self.there, **self.said}.items():
            written = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", value, written)
        return written


def test_the_page_holds_true(tmp_path: Path) -> None:
    with ExitStack() as stack:
        model = stack.enter_context(talking())
        village = Village(tmp_path, model.url, stack)
        found = steps()
        assert {step.who for step in found} == {"server", "ann", "bob", "vera", "host"}
        for step in found:
            village.carry_out(step)
        for who in ("server", "bob", "vera"):
            assert "0.9" not in (tmp_path / who / "shop/shop.py").read_text()
