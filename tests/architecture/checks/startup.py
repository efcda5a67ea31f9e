"""What a command imports before it does anything: a fresh interpreter runs it and lists its modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.architecture.checks.tree import Breach

_PROBE = """
import json, runpy, sys
before = set(sys.modules)
sys.argv = ["duck", *sys.argv[1:]]
status = 0
try:
    if len(sys.argv) > 1:
        runpy.run_module("rubber_duck", run_name="__main__")
    else:
        import rubber_duck
except SystemExit as exit:
    status = exit.code or 0
loaded = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
print("\\n#loaded " + json.dumps([status, loaded]))
"""
HEAVY = ("sqlalchemy", "alembic", "psycopg", "dbos", "opentelemetry", "structlog")


def package(root: Path) -> list[Breach]:
    """What `import rubber_duck` loads besides itself: nothing."""
    return [f"import rubber_duck: loads {name}" for name in _loaded(root) if name != "rubber_duck"]


def command_help(root: Path) -> list[Breach]:
    """What `duck --help` loads besides click and the command line's own modules."""
    may = ("rubber_duck.cli", "rubber_duck.errors", "click", "rubber_duck.__main__")
    return [
        f"duck --help: loads {name}"
        for name in _loaded(root, "--help")
        if name != "rubber_duck" and not any(name == prefix or name.startswith(prefix + ".") for prefix in may)
    ]


def analyze(root: Path) -> list[Breach]:
    """Which of the heavy libraries `duck analyze` loads: none, it needs neither a database nor logs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "example.py")
        file.write_text("import os\n\n\ndef f():\n    return eval(input())\n")
        loaded = _loaded(root, "analyze", str(file))
    return [f"duck analyze: loads {name}" for name in loaded if name in HEAVY]


def _loaded(root: Path, *arguments: str) -> list[str]:
    """Our modules and the third-party ones that were loaded, sorted."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE, *arguments],
            env=os.environ | {"PYTHONPATH": str(root / "src"), "DUCK_HOME": home},
            capture_output=True,
            text=True,
            check=False,
        )
    _, marker, report = done.stdout.rpartition("#loaded ")
    if not marker:
        return [f"nothing, because it failed: {done.stderr[-2000:]}"]
    status, loaded = json.loads(report)
    ours = sorted(name for name, file in loaded.items() if name.startswith("rubber_duck") or "site-packages" in file)
    return ours if status in (0, 1) else [*ours, f"with exit status {status}: {done.stderr[-2000:]}"]
