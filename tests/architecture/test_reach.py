"""What code may reach, in the repository and in planted breaches."""

from pathlib import Path

import pytest

from tests.architecture.checks import reach
from tests.architecture.checks.law import Check
from tests.architecture.planted import ROOT, plant

CHECKS: list[Check] = [
    reach.programs,
    reach.dynamic_imports,
    reach.network,
    reach.pickles,
    reach.twins,
    reach.globals_called,
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_repository_reaches_only_what_it_may(check: Check) -> None:
    assert "\n".join(check(ROOT)) == ""


@pytest.mark.parametrize(
    ("check", "content"),
    [
        (reach.programs, "import asyncio\nasync def f(): await asyncio.create_subprocess_exec('git')"),
        (reach.programs, "import os\nos.system('ls')"),
        (reach.programs, "import os\nos.execvp('ls', ['ls'])"),
        (reach.programs, "import os\nos.fork()"),
        (reach.programs, "import subprocess"),
        (reach.dynamic_imports, "import importlib\ndef f(name): return importlib.import_module(name)"),
        (reach.network, "import socket\nsocket.create_connection(('x', 1))"),
        (reach.network, "import socket\nsocket.socketpair()\nsocket.socket()"),
        (reach.network, "from socket import socket"),
        (reach.network, "def f():\n    from urllib.request import urlopen"),
        (reach.pickles, "import pickle"),
        (reach.pickles, "from marshal import loads"),
        (reach.twins, "def f(database): return database.dialect == 'sqlite'"),
        (reach.twins, "def f(url): return url.startswith(('postgresql://', 'x'))"),
        (reach.twins, "def f(name):\n    match name:\n        case 'postgresql': return 1"),
        (reach.globals_called, "import time\ndef f(): return time.time()"),
        (reach.globals_called, "from datetime import datetime\ndef f(): return datetime.now()"),
    ],
)
def test_reaching_further_is_caught(tmp_path: Path, check: Check, content: str) -> None:
    (breach,) = check(plant(tmp_path, {"src/rubber_duck/search/a.py": content}))
    assert breach.startswith("src/rubber_duck/search/a.py:")


@pytest.mark.parametrize(
    ("check", "path", "content"),
    [
        (reach.programs, "workspace/programs.py", "import asyncio\nasyncio.create_subprocess_exec('git')"),
        (reach.twins, "storage/database.py", "def f(url): return url.startswith('sqlite:')"),
        (reach.network, "code/workers.py", "import socket\nours, theirs = socket.socketpair()"),
        (reach.globals_called, "code/a.py", "import time\ndef f(clock=lambda: time.time()): return clock()"),
        (reach.globals_called, "app.py", "import time\ndef f(): return time.time()"),
    ],
)
def test_the_one_place_that_may_is_let_through(tmp_path: Path, check: Check, path: str, content: str) -> None:
    assert check(plant(tmp_path, {f"src/rubber_duck/{path}": content})) == []
