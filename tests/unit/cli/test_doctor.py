"""The doctor looks at everything, tells the truth, and says what can be done, whatever is broken."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from rubber_duck.storage import migrate
from tests.unit.cli.calling import call
from tests.unit.workspace.privileges import ordinary_user

CHECKS = [
    "settings", "python", "home folder", "disk space", "database", "ruff", "git", "plug-ins", "grammars", "engines",
    "models", "workers", "sandbox",
]  # fmt: skip

ANOTHER_HOME = "choose a folder that you may write: export DUCK_HOME=/path/to/it"
ANOTHER_DATABASE = "export DUCK_DATABASE_URL=sqlite:////path/to/another.db"


def examined(home: Path, **environment: str) -> dict[str, tuple[str, str, str]]:
    """What `duck doctor` says of each check: its state, what was seen, the advice; the code must go with it."""
    outcome = call("doctor", "--json", script=None, DUCK_HOME=str(home), DUCK_WORKERS_COUNT="1", **environment)
    said = {each["check"]: (each["state"], each["seen"], each["advice"]) for each in json.loads(outcome.out)}
    assert list(said) == CHECKS
    assert outcome.code == (2 if "ill" in {state for state, _, _ in said.values()} else 0)
    return said


def migrated(home: Path) -> Path:
    """A home with a database that has the schema of this program."""
    home.mkdir(mode=0o700)
    assert call("migrate", DUCK_HOME=str(home)).code == 0
    return home


def change(database: Path, statement: str) -> None:
    """Do something to a database behind RubberDuck's back."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_good_installation_is_well(tmp_path: Path) -> None:
    said = examined(tmp_path / "home")
    assert said.pop("git")[0] in ("well", "note")
    state, seen, advice = said.pop("models")
    assert (state, advice) == ("note", "connect a provider: `duck llm connect`")
    assert seen.startswith("none is there for chat, complete, explain, fix, generate, ")
    assert {state for state, _, _ in said.values()} == {"well"}
    assert said["plug-ins"] == ("well", "none are installed", "")
    assert said["engines"][1].endswith(" are open")


def test_nothing_is_changed_by_looking(tmp_path: Path) -> None:
    examined(tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_home_that_is_open_to_others_is_ill(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    home.mkdir()
    home.chmod(0o755)
    assert examined(home)["home folder"] == ("ill", f"{home} is open to others (755)", f"chmod 700 '{home}'")


def test_a_home_that_is_a_file_is_ill(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    assert examined(home)["home folder"] == (
        "ill",
        f"{home} is not a folder",
        f"move that file away, or {ANOTHER_HOME}",
    )


def test_a_home_that_its_owner_may_not_write_is_made_writable(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    with ordinary_user():
        seen = examined(home)["home folder"]
    assert seen == ("ill", f"{home} cannot be written: Permission denied", f"chmod u+rwx {home}")


def test_a_home_below_a_folder_that_nobody_may_enter_says_so(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o600)
    with ordinary_user():
        seen = examined(tmp_path / "locked/home")["home folder"]
    assert seen == ("ill", f"{tmp_path}/locked cannot be written: Permission denied", f"chmod u+rwx {tmp_path}/locked")


def test_a_home_where_nothing_can_be_written_has_to_be_another(tmp_path: Path) -> None:
    state, seen, advice = examined(Path("/proc/nowhere"))["home folder"]
    assert (state, seen.partition(":")[0], advice) == ("ill", "/proc cannot be written", ANOTHER_HOME)


def test_a_server_that_does_not_answer_is_to_be_started(tmp_path: Path) -> None:
    state, _, advice = examined(tmp_path, DUCK_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")["database"]
    assert (state, advice) == (
        "ill",
        "start the server, or correct database.url in duck.toml or DUCK_DATABASE_URL",
    )


def test_a_url_that_is_none_is_to_be_corrected(tmp_path: Path) -> None:
    state, _, advice = examined(tmp_path, DUCK_DATABASE_URL="sqlite:///rel.db")["database"]
    assert (state, advice) == ("ill", "correct database.url in duck.toml, or DUCK_DATABASE_URL")


def test_a_newer_schema_is_ill_and_stays_as_it_is(tmp_path: Path) -> None:
    home = migrated(tmp_path / "home")
    change(home / "duck.db", "UPDATE alembic_version SET version_num = '9999'")
    state, seen, advice = examined(home)["database"]
    assert (state, advice) == ("ill", f"this one stays as it is; let this program begin another: {ANOTHER_DATABASE}")
    assert "a newer RubberDuck has used it; install that version, or name another database" in seen
    assert call("migrate", DUCK_HOME=str(home), DUCK_DATABASE_URL=f"sqlite:///{home}/another.db").code == 0


def test_an_older_schema_is_a_note_and_can_be_brought_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "duck.db").touch()
    tmp_path.chmod(0o700)
    state, seen, advice = examined(tmp_path)["database"]
    assert (state, advice) == ("note", "the next start will bring it up to date, or now: `duck migrate`")
    assert f"schema missing where {migrate.head()} is wanted" in seen
    assert call("migrate", DUCK_HOME=str(tmp_path)).code == 0
    assert examined(tmp_path)["database"][0] == "well"


def test_somebody_elses_database_is_ill(tmp_path: Path) -> None:
    change(tmp_path / "theirs.db", "CREATE TABLE ledger (a)")
    state, seen, advice = examined(tmp_path, DUCK_DATABASE_URL=f"sqlite:///{tmp_path}/theirs.db")["database"]
    assert (state, advice) == ("ill", f"this one stays as it is; let this program begin another: {ANOTHER_DATABASE}")
    assert "holds a table 'ledger' that is not RubberDuck's" in seen


def _damaged(file: Path) -> None:
    file.write_bytes(b"no database at all" * 100)


def _folder(file: Path) -> None:
    file.mkdir()


@pytest.mark.parametrize("spoil", [_damaged, _folder])
def test_a_file_that_is_no_database_is_to_be_mended_or_left(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "duck.db")
    tmp_path.chmod(0o700)
    state, _, advice = examined(tmp_path)["database"]
    assert (state, advice) == ("ill", f"mend it as said, or name another file: {ANOTHER_DATABASE}")


def test_a_database_that_may_not_be_written_is_made_writable(tmp_path: Path) -> None:
    home = migrated(tmp_path / "home")
    (home / "duck.db").chmod(0o400)
    with ordinary_user():
        state, seen, advice = examined(home)["database"]
    assert (state, advice) == (
        "ill", f"make {home}/duck.db writable for you, or name another file: {ANOTHER_DATABASE}"
    )  # fmt: skip
    assert seen.endswith("duck.db cannot be used: Permission denied")


def test_a_place_where_no_file_can_be_made_is_no_place_for_a_database(tmp_path: Path) -> None:
    state, _, advice = examined(tmp_path, DUCK_DATABASE_URL="sqlite:////proc/no/duck.db")["database"]
    assert (state, advice) == ("ill", f"make /proc writable for you, or name another file: {ANOTHER_DATABASE}")


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (
            "[engines.analize]\nx = 1\n",
            "there is no engine 'analize' (in [engines] of duck.toml); did you mean 'analyze'?",
        ),
        ("[engines.analyze]\nx = 1\n", "the engine 'analyze': there is no setting 'engines.analyze.x'"),
    ],
)
def test_an_application_that_cannot_open_is_ill_and_the_rest_is_looked_at(
    tmp_path: Path, content: str, seen: str
) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "duck.toml").write_text(content)
    outcome = call("doctor", DUCK_HOME=str(tmp_path), DUCK_WORKERS_COUNT="1")
    assert outcome.code == 2
    assert f"✗  engines       {seen}\n" in outcome.out
    assert "→ correct it in duck.toml; `duck config check` looks at all of it\n" in outcome.out
    assert "✓  workers" in outcome.out


def test_traces_that_cannot_be_written_keep_the_application_shut(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    state, seen, advice = examined(tmp_path / "home", DUCK_TELEMETRY_TRACES="file")["engines"]
    assert (state, seen, advice) == (
        "ill",
        f"no traces can be written to '{tmp_path}/home': Not a directory",
        "make the home folder writable, or set telemetry.traces to off",
    )


def test_commands_are_written_as_they_can_be_pasted(tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text("nonsense")
    outcome = call("doctor", program="/opt/duck/duck", DUCK_HOME=str(tmp_path), DUCK_WORKERS_COUNT="1")
    assert "→ correct it; `/opt/duck/duck config check` says whether it is right. Below, defaults hold" in outcome.out


def test_the_doctor_works_with_broken_settings(tmp_path: Path) -> None:
    (tmp_path / "duck.toml").write_text("nonsense")
    tmp_path.chmod(0o700)
    outcome = call("doctor", DUCK_HOME=str(tmp_path))
    assert outcome.code == 2
    assert outcome.out.startswith(f"✗  settings      {tmp_path}/duck.toml: not valid TOML")
    assert "✓  workers" in outcome.out
