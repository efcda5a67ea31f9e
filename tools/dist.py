"""Makes what is handed out, in dist/: wheel, sdist, `duck.pyz` (needs Python) and a `duck` of one file (needs nothing).

    python tools/dist.py            make all of it, and try each from an empty folder against a running server
    python tools/dist.py pyz        only these: wheel (with the sdist), pyz, onefile

Wheel and sdist are tried in a fresh virtual environment, with what they need from pip's index, pinned by hash.

`duck.pyz` unpacks itself into ~/.shiv when it is first run; the one file into a temporary folder at every run.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
KINDS = ("wheel", "pyz", "onefile")
PASSWORD = "three wild geese\n"
HIDDEN = ("rubber_duck", "tree_sitter_python", "tree_sitter_javascript", "tree_sitter_typescript", "tree_sitter_elixir")
START = """\
import multiprocessing
from rubber_duck.__main__ import run
multiprocessing.freeze_support()
run()
"""
METADATA = ("dbos", "opentelemetry-sdk", "opentelemetry-api", "fastapi", "uvicorn", "alembic")


def run(*command: str | Path, cwd: Path = ROOT, **variables: str) -> None:
    """Run a program to its end; SystemExit when it fails."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=os.environ | variables, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}")


def wheel() -> tuple[Path, Path]:
    """Wheel and sdist."""
    run(sys.executable, "-m", "hatchling", "build", "-d", DIST)
    made = (max(DIST.glob(f"rubber_duck-*{end}"), key=lambda path: path.stat().st_mtime) for end in (".whl", ".tar.gz"))
    return next(made), next(made)


@contextmanager
def environment() -> Iterator[Callable[[Path], list[str]]]:
    """A virtual environment with what RubberDuck needs; gives what installs it there, in place of the one before."""
    with tempfile.TemporaryDirectory() as name:
        run(sys.executable, "-m", "venv", name)
        pip = (f"{name}/bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
        run(*pip, "--require-hashes", "-r", ROOT / "requirements/run.txt")

        def install(made: Path) -> list[str]:
            run(*pip, "--force-reinstall", made, cwd=Path(name))
            return [f"{name}/bin/duck"]

        yield install


def pyz(made: Path) -> Path:
    """The zip application: RubberDuck and all that it needs, pinned by hash."""
    target = DIST / "duck.pyz"
    with tempfile.TemporaryDirectory() as name:
        site = Path(name) / "site"
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--target", site)
        run(*pip, "--no-deps", "--require-hashes", "-r", ROOT / "requirements/run.txt")
        run(*pip, "--no-deps", made)
        script = Path(sys.executable).parent / "shiv"
        run(script, "--site-packages", site, "-c", "duck", "-o", target, "--reproducible", "-p", "/usr/bin/env python3")
    return target


def onefile() -> Path:
    """The executable with a Python of its own, for this kind of machine."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        start = work / "start.py"
        start.write_text(START)
        ruff = f"--add-binary={Path(sys.executable).parent / 'ruff'}{os.pathsep}bin"
        options = [ruff, *(f"--collect-all={each}" for each in HIDDEN)] + [
            f"--copy-metadata={each}" for each in METADATA
        ]
        paths = (f"--distpath={DIST}", f"--workpath={work / 'build'}", f"--specpath={work}")
        script = Path(sys.executable).parent / "pyinstaller"
        run(script, "--onefile", "--noconfirm", "--clean", "--log-level=ERROR", "--name=duck", *options, *paths, start)
    return DIST / "duck"


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """A running server of this clone with the project `shop`: its address, and the invitation of its first user."""
    shop = folder / "shop"
    shop.mkdir()
    (shop / "shop.py").write_text("def price(item):\n    return item.price\n")
    duck, home = (
        (sys.executable, "-P", "-m", "rubber_duck"),
        {"DUCK_HOME": str(folder / "home"), "DUCK_SERVER": "local"},
    )
    run(*duck, "index", "update", shop, **home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = subprocess.Popen(
        [*duck, "serve", "--port", port], env=os.environ | home, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(3))
        found = re.search(r"(http://\S+);(?s:.*)(ducki_[0-9a-f]{64})", said)
        if found is None:
            raise SystemExit(f"the server said {said!r}")
        yield found[1], found[2]
    finally:
        process.terminate()
        process.wait(30)


def tried(program: Sequence[str], folder: Path, server: tuple[str, str]) -> None:
    """Sign in, look at the server, and outline a file in this process: over the socket and without it."""
    address, invitation = server
    empty = folder / "empty"
    shutil.rmtree(empty, ignore_errors=True)
    empty.mkdir()
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(empty), "DUCK_HOME": str(empty / "home"), "LC_ALL": "C.UTF-8"}

    def said(*arguments: str, code: str = "") -> str:
        began = time.monotonic()
        command = [*program, *arguments]
        streams = {"input": f"{code}\n{PASSWORD}" if code else PASSWORD, "capture_output": True, "text": True}
        done = subprocess.run(command, cwd=empty, env=variables, check=False, **streams)  # type: ignore[call-overload]
        if done.returncode:
            raise SystemExit(f"{program[-1]} {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        print(f"  {' '.join(arguments)[:40]:<42} {time.monotonic() - began:6.1f} s")
        return done.stdout

    assert re.search(r"\d+\.\d+", said("--version"))
    known = said("login", address, "--user", "ann", *(["--invitation"] if invitation else []), code=invitation)
    assert "as ann (administrator)" in known, known
    assert "well" in said("health")
    said("auth", "role", "shop", "ann", "owner")
    found = said("search", "price", "--project", "shop")
    assert "shop.py" in found, found
    (empty / "a.py").write_text("def greet():\n    pass\n")
    assert "greet" in said("outline", "a.py", "--server", "local")
    assert "No findings" in said("analyze", "a.py", "--server", "local")


def main() -> None:
    """Make what was asked for, and try it."""
    wanted = sys.argv[1:] or list(KINDS)
    DIST.mkdir(exist_ok=True)
    made, source = wheel()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        programs: list[tuple[Path, Callable[[Path], list[str]]]] = []
        if "wheel" in wanted:
            install = stack.enter_context(environment())
            programs += [(made, install), (source, install)]
        if "pyz" in wanted:
            python = shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable
            programs.append((pyz(made), lambda path: [python, str(path)]))
        if "onefile" in wanted:
            programs.append((onefile(), lambda path: [str(path)]))
        address, invitation = stack.enter_context(served(folder))
        for path, begun in programs:
            print(f"{path.name}: {path.stat().st_size / 1e6:,.1f} MB", flush=True)
            tried(begun(path), folder, (address, invitation))
            invitation = ""
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
