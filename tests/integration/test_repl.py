"""`duck repl`: one command after the other, slash commands, sessions that are kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.integration.duck import COMMAND, environment
from tests.integration.serving import project_at, serving


def typed(text: str, home: Path, cwd: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the prompt does with these lines."""
    return subprocess.run(
        [*COMMAND, "repl", *arguments],
        input=text,
        env=environment(home, **variables),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_commands_run_one_after_the_other_and_the_last_one_gives_the_status(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def greet():\n    return 1\n")
    done = typed(
        "outline a.py\nduck outline \\\n  a.py\nnothing\nrepl\n/nothing\n/format json\noutline a.py\n",
        tmp_path / "home",
        tmp_path,
    )
    assert done.stdout.startswith("1-2  def greet()\n1-2  def greet()\n{")
    assert json.loads(done.stdout[done.stdout.index("{") :])["language"] == "python"
    assert "there is no command 'nothing'" in done.stderr
    assert "'repl' runs by itself" in done.stderr
    assert done.returncode == 0
    assert typed("outline gone.py\n", tmp_path / "home", tmp_path).returncode == 2


def test_a_session_is_kept_and_gone_on_with(tmp_path: Path) -> None:
    home = tmp_path / "home"
    typed("version\n/project shop\n/format json\n/save one\n", home, tmp_path)
    path = home / "sessions/one.json"
    assert path.stat().st_mode & 0o777 == 0o600
    done = typed("/history\n/project\n/sessions\n/quit\nversion\n", home, tmp_path, "--resume", "one")
    assert done.stdout == "1 command of one; /history shows them\n   1  version\nthe project is shop\none\n"
    lost = typed("", home, tmp_path, "--resume", "two")
    assert (lost.returncode, "there is no session 'two'; there are: one" in lost.stderr) == (2, True)
    assert "is no name for a session" in typed("/save ../x\n", home, tmp_path).stderr


def test_a_server_answers_over_one_connection(tmp_path: Path) -> None:
    project = project_at(tmp_path / "hello", tmp_path / "home")
    with serving(tmp_path / "home") as server:
        key = server.key_for("bob", project=project)
        away = {"DUCK_SERVER": server.http, "DUCK_API_KEY": key}
        done = typed(
            "search greet\nsearch greet\n/server\n/server local\nsearch greet --json\n",
            tmp_path / "away",
            tmp_path / "hello",
            **away,
        )
        assert done.stdout.count("hello.py:1 function greet") == 2, done.stderr
        assert f"answers: {server.http}" in done.stdout
        assert "this process answers" in done.stdout
