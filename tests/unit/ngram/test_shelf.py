"""Models are kept and read back; what does not fit is no model, and the reason is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from rubber_duck import telemetry
from rubber_duck.ngram.mixer import mixer
from rubber_duck.ngram.model import ProjectModel
from rubber_duck.ngram.shelf import Shelf
from rubber_duck.telemetry.events import Value
from tests.unit.ngram.models import SHOP, likeliest, model_of, words

ROOT = Path("/home/mia/shop")
PYTHON = words("python")


def _kept(folder: Path) -> Path:
    Shelf(folder).write(ROOT, model_of(SHOP))
    return Shelf(folder).path(ROOT, "python")


def _read(folder: Path, root: Path = ROOT) -> tuple[ProjectModel | None, list[str]]:
    """What is read, and what events say about it."""
    told: list[str] = []

    def listen(name: str, fields: Mapping[str, Value]) -> None:
        assert name == "ngram.model_unusable"
        told.append(str(fields["error"]))

    with telemetry.listening(listen):
        return Shelf(folder).read(root, PYTHON, mixer()), told


def test_a_model_that_was_kept_predicts_the_same(tmp_path: Path) -> None:
    model = model_of(SHOP)
    Shelf(tmp_path).write(ROOT, model)
    again, told = _read(tmp_path)
    assert told == []
    assert again is not None
    assert again.files == model.files
    for prefix in ("order.", "def ", "for item in items:\n    total = ", "Order("):
        assert likeliest(again, prefix) == likeliest(model, prefix)


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert _read(tmp_path) == (None, [])


def test_another_project_has_a_file_of_its_own(tmp_path: Path) -> None:
    _kept(tmp_path)
    assert _read(tmp_path, Path("/home/mia/other")) == (None, [])


def test_a_file_that_was_put_in_another_projects_place_is_not_used(tmp_path: Path) -> None:
    path = _kept(tmp_path)
    other = Shelf(tmp_path).path(Path("/home/mia/other"), "python")
    other.parent.mkdir()
    path.rename(other)
    assert _read(tmp_path, Path("/home/mia/other")) == (None, ["it is of another project"])


@pytest.mark.parametrize("at", [0, 9, 14, 30, -1])
def test_a_changed_byte_makes_it_no_model(tmp_path: Path, at: int) -> None:
    path = _kept(tmp_path)
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)
    model, told = _read(tmp_path)
    assert model is None
    assert len(told) == 1


@pytest.mark.parametrize("size", [0, 5, 23, 200])
def test_half_a_file_is_no_model(tmp_path: Path, size: int) -> None:
    path = _kept(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    model, told = _read(tmp_path)
    assert model is None
    assert len(told) == 1


def test_a_home_that_cannot_be_written_costs_nothing_but_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "ngram").write_text("a file where the folder should be")
    told: list[str] = []
    with telemetry.listening(lambda name, fields: told.append(name)):
        Shelf(tmp_path / "ngram").write(ROOT, model_of(SHOP))
    assert told == ["ngram.model_unusable"]


def test_only_the_owner_may_read_what_is_kept(tmp_path: Path) -> None:
    path = _kept(tmp_path / "ngram")
    assert [oct(each.stat().st_mode & 0o777) for each in (path.parent, path)] == ["0o700", "0o600"]


def test_an_interrupted_write_leaves_the_old_model(tmp_path: Path) -> None:
    path = _kept(tmp_path)
    before = path.read_bytes()
    leftover = path.with_name(f".half{path.suffix}")
    leftover.write_bytes(before[:100])
    model, told = _read(tmp_path)
    assert (model is not None, told, path.read_bytes() == before) == (True, [], True)


def test_beyond_the_limit_the_models_used_least_lately_go(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    model = model_of(SHOP)
    roots = [Path(f"/home/mia/{name}") for name in ("a", "b", "c")]
    for at, root in enumerate(roots):
        shelf.write(root, model)
        os.utime(shelf.path(root, "python"), (at, at))
    size = shelf.path(roots[0], "python").stat().st_size
    shelf.prune(2 * size + size // 2)
    assert [shelf.path(root, "python").exists() for root in roots] == [False, True, True]


def test_paths_of_any_bytes_are_kept(tmp_path: Path) -> None:
    path = os.fsdecode(b"shop/\xff\xfe.py")
    Shelf(tmp_path).write(ROOT, model_of({path: "x = 1\n"}))
    model, _ = _read(tmp_path)
    assert model is not None
    assert list(model.files) == [path]


def test_what_is_no_file_of_a_model_is_not_waited_for(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    place = shelf.path(tmp_path, "python")
    place.parent.mkdir(parents=True)
    os.mkfifo(place)
    assert shelf.read(tmp_path, words("python"), mixer()) is None
    place.unlink()
    place.symlink_to("/dev/zero")
    assert shelf.read(tmp_path, words("python"), mixer()) is None
