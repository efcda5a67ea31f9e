"""The disposable cache: fast, shared, and never a reason to fail."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck import telemetry
from rubber_duck.storage.cache import Cache
from tests.unit.workspace.privileges import ordinary_user

DAY_S = 86_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache.db"


@contextmanager
def events() -> Iterator[list[str]]:
    """The names of the events emitted in the block."""
    names: list[str] = []

    def listen(name: str, _: Mapping[str, object]) -> None:
        names.append(name)

    with telemetry.listening(listen):
        yield names


def numbered(count: int, size_bytes: int = 1000) -> dict[bytes, bytes]:
    """That many values, no two alike."""
    return {b"%08d" % n: (b"%08d" % n) * (size_bytes // 8) for n in range(count)}


def test_what_was_put_is_found_again_and_what_was_not_is_left_out(path: Path) -> None:
    with closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1", b"b": b""})
        assert cache.get_many("facts", [b"a", b"b", b"c"]) == {b"a": b"1", b"b": b""}
    with closing(Cache(path)) as cache:
        assert cache.get_many("facts", [b"a"]) == {b"a": b"1"}


def test_thousands_of_values_at_once(path: Path) -> None:
    values = numbered(5000)
    with closing(Cache(path)) as cache:
        cache.put_many("facts", values)
        assert cache.get_many("facts", list(values)) == values


def test_a_space_neither_sees_nor_loses_with_another(path: Path) -> None:
    with closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1"})
        cache.put_many("findings", {b"a": b"2"})
        cache.delete_space("facts")
        assert cache.get_many("facts", [b"a"]) == {}
        assert cache.get_many("findings", [b"a"]) == {b"a": b"2"}


def test_a_later_put_replaces_an_earlier_one(path: Path) -> None:
    with closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1", b"b": b"2"})
        cache.put_many("facts", {b"b": b"3", b"c": b"4"})
        assert cache.get_many("facts", [b"a", b"b", b"c"]) == {b"a": b"1", b"b": b"3", b"c": b"4"}


@given(
    puts=st.lists(
        st.tuples(st.sampled_from("xy"), st.dictionaries(st.binary(max_size=3), st.binary(max_size=40), max_size=8))
    )
)
def test_it_agrees_with_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[str, dict[bytes, bytes]]]
) -> None:
    model: dict[tuple[str, bytes], bytes] = {}
    with closing(Cache(tmp_path_factory.mktemp("cache") / "cache.db")) as cache:
        for space, values in puts:
            cache.put_many(space, values)
            model.update({(space, key): value for key, value in values.items()})
        for space in "xy":
            expected = {key: value for (held, key), value in model.items() if held == space}
            assert cache.get_many(space, [*expected, b"none"]) == expected


def test_only_this_user_may_read_the_file(path: Path) -> None:
    with closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1"})
        modes = {stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_processes_share_one_file(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from rubber_duck.storage.cache import Cache\n"
        "cache, me = Cache(Path(sys.argv[1])), sys.argv[2].encode()\n"
        "for n in range(40): cache.put_many('facts', {b'%s-%d' % (me, n): me * 100})\n"
        "cache.close()"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(n)], stderr=subprocess.PIPE) for n in range(5)
    ]
    said = [process.communicate()[1] for process in running]
    assert said == [b""] * 5
    expected = {b"%d-%d" % (who, n): b"%d" % who * 100 for who in range(5) for n in range(40)}
    with closing(Cache(path)) as cache:
        assert cache.get_many("facts", list(expected)) == expected


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 20_000])
def test_a_file_that_is_no_database_is_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with events() as seen, closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1"})
        assert cache.get_many("facts", [b"a"]) == {b"a": b"1"}
    assert seen == ["storage.cache_reset"]


def test_wherever_a_file_is_damaged_no_wrong_value_comes_out(path: Path) -> None:
    values = numbered(200)
    with closing(Cache(path)) as cache:
        cache.put_many("facts", values)
    sound = path.read_bytes()
    for start in range(0, len(sound), 4096):
        path.write_bytes(sound[:start] + b"\xa5" * 64 + sound[start + 64 :])
        with closing(Cache(path)) as cache:
            assert cache.get_many("facts", list(values)).items() <= values.items()
            cache.put_many("facts", {b"new": b"1"})
            cache.put_many("facts", {b"new": b"1"})
            assert cache.get_many("facts", [b"new"]) == {b"new": b"1"}
        path.unlink()


def test_a_file_cut_short_is_replaced(path: Path) -> None:
    with closing(Cache(path)) as cache:
        cache.put_many("facts", numbered(200))
    os.truncate(path, path.stat().st_size // 2)
    with events() as seen, closing(Cache(path)) as cache:
        cache.get_many("facts", list(numbered(200)))
        cache.put_many("facts", {b"new": b"1"})
        assert cache.get_many("facts", [b"new"]) == {b"new": b"1"}
    assert seen == ["storage.cache_reset"]


def test_another_format_is_replaced(path: Path) -> None:
    with closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1"})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with events() as seen, closing(Cache(path)) as cache:
        assert cache.get_many("facts", [b"a"]) == {}
        cache.put_many("facts", {b"a": b"2"})
    assert seen == ["storage.cache_reset"]


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE precious (value)")
    before = path.read_bytes()
    with events() as seen, closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1"})
        assert cache.get_many("facts", [b"a"]) == {b"a": b"1"}
    assert seen == ["storage.cache_unavailable"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", ["/proc/no-such-folder/cache.db", "/dev/null/cache.db", "a-folder"])
def test_where_no_file_can_be_made_it_works_in_memory_and_says_so_once(tmp_path: Path, place: str) -> None:
    (tmp_path / "a-folder").mkdir()
    with events() as seen, closing(Cache(tmp_path / place)) as cache:
        for _ in range(3):
            cache.put_many("facts", {b"a": b"1"})
            assert cache.get_many("facts", [b"a"]) == {b"a": b"1"}
    assert seen == ["storage.cache_unavailable"]


@pytest.mark.parametrize("closed", ["folder", "file"])
def test_without_the_permission_to_write_it_works_in_memory(tmp_path: Path, closed: str) -> None:
    (tmp_path / "home").mkdir(mode=0o500 if closed == "folder" else 0o700)
    path = tmp_path / "home" / "cache.db"
    if closed == "file":
        path.touch(mode=0o400)
    with ordinary_user(), events() as seen, closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1"})
        assert cache.get_many("facts", [b"a"]) == {b"a": b"1"}
    assert seen == ["storage.cache_unavailable"]


def test_a_write_that_finds_no_space_is_dropped_whole_and_said_once(path: Path) -> None:
    with events() as seen, closing(Cache(path)) as cache:
        cache.put_many("facts", {b"a": b"1"})
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 500_000, before[1]))
        try:
            cache.put_many("facts", numbered(5000))
            cache.put_many("facts", numbered(5000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert cache.get_many("facts", [b"a", *numbered(5000)]) == {b"a": b"1"}
        cache.put_many("facts", {b"b": b"2"})
        assert cache.get_many("facts", [b"a", b"b"]) == {b"a": b"1", b"b": b"2"}
    assert seen == ["storage.cache_write_dropped"]


def test_pruning_keeps_what_was_used_last_within_the_bound(path: Path) -> None:
    today_s = [100.0 * DAY_S]
    values = numbered(1000, 3000)
    early, late = list(values)[:300], list(values)[300:]
    with closing(Cache(path, now_s=lambda: today_s[0])) as cache:
        cache.put_many("facts", values)
        today_s[0] += DAY_S
        assert len(cache.get_many("facts", early)) == 300
        cache.prune(2_000_000)
        assert cache.get_many("facts", early) == {key: values[key] for key in early}
        assert 0 < len(cache.get_many("facts", late)) < 400
        assert path.stat().st_size <= 2_000_000
        cache.prune(2_000_000)
        assert len(cache.get_many("facts", early)) == 300


def test_pruning_to_nothing_empties_the_cache(path: Path) -> None:
    with closing(Cache(path)) as cache:
        cache.put_many("facts", numbered(100))
        cache.prune(0)
        assert cache.get_many("facts", list(numbered(100))) == {}


def test_reading_twice_a_day_writes_nothing(path: Path) -> None:
    with closing(Cache(path)) as cache, closing(sqlite3.connect(path)) as watcher:
        cache.put_many("facts", numbered(100))
        before = watcher.execute("PRAGMA data_version").fetchone()
        cache.get_many("facts", list(numbered(100)))
        assert watcher.execute("PRAGMA data_version").fetchone() == before


def test_a_closed_cache_is_an_error_and_loses_nothing(path: Path) -> None:
    cache = Cache(path)
    cache.put_many("facts", {b"a": b"1"})
    cache.close()
    with pytest.raises(sqlite3.ProgrammingError):
        cache.get_many("facts", [b"a"])
    with closing(Cache(path)) as again:
        assert again.get_many("facts", [b"a"]) == {b"a": b"1"}


def test_it_loads_no_sqlalchemy() -> None:
    program = "import sys, rubber_duck.storage.cache; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
