"""What can be added is registered by one decorator, from our own package or from another distribution."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from rubber_duck.errors import Conflict, InvalidDeclaration, UnknownName
from rubber_duck.registry import Registry
from tests.factories import write_tree

_fresh = (f"plugged_{number}" for number in itertools.count())


class Red:
    """A colour."""

    name: ClassVar[str] = "red"


class Blue:
    """Another."""

    name: ClassVar[str] = "blue"


def _colours() -> Registry[object]:
    colours: Registry[object] = Registry("colour")
    colours.add(Red)
    colours.add(Blue)
    return colours


def _installed(folder: Path, points: Mapping[str, str], modules: Mapping[str, str]) -> None:
    """Another distribution with modules and with entry points of the group `colours`."""
    lines = "\n".join(f"{name} = {target}" for name, target in points.items())
    write_tree(
        folder,
        {
            "paint-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: paint\nVersion: 1\n",
            "paint-1.dist-info/entry_points.txt": f"[colours]\n{lines}\n",
            **modules,
        },
    )


def test_registering_gives_the_class_back() -> None:
    assert Registry[object]("colour").add(Red) is Red


def test_a_registry_is_a_mapping_in_the_order_of_the_names() -> None:
    assert list(_colours().items()) == [("blue", Blue), ("red", Red)]


def test_a_registry_knows_how_many_it_holds() -> None:
    assert len(_colours()) == 2


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"^there is no colour 'rde'; did you mean 'red'\?$"):
        _colours()["rde"]


def test_get_answers_an_unknown_name_with_the_default() -> None:
    assert _colours().get("green", Red) is Red


def test_get_finds_a_known_name() -> None:
    assert _colours().get("blue") is Blue


def test_only_registered_names_are_in_it() -> None:
    assert [name in _colours() for name in ("red", "green")] == [True, False]


def test_registering_the_same_class_again_changes_nothing() -> None:
    colours = _colours()
    colours.add(Red)

    assert dict(colours) == {"blue": Blue, "red": Red}


def test_two_classes_of_one_name_are_a_conflict() -> None:
    class Crimson:
        name: ClassVar[str] = "red"

    with pytest.raises(Conflict) as caught:
        _colours().add(Crimson)

    assert caught.value.message == (
        f"two colours are called 'red': {__name__}.Red and {__name__}."
        "test_two_classes_of_one_name_are_a_conflict.<locals>.Crimson; rename one"
    )


def test_a_class_written_twice_in_one_module_is_a_conflict() -> None:
    twin = type("Red", (), {"name": "red", "__module__": __name__, "__qualname__": "Red"})

    with pytest.raises(Conflict):
        _colours().add(twin)


@pytest.mark.parametrize("name", [None, "", 3])
def test_a_class_without_a_name_is_refused(name: object) -> None:
    nameless = type("Nameless", (), {"name": name})

    with pytest.raises(InvalidDeclaration, match=r"Nameless'> cannot be a colour: it needs a class attribute `name`$"):
        Registry("colour").add(nameless)


def test_what_is_not_a_class_is_refused() -> None:
    with pytest.raises(InvalidDeclaration, match="cannot be a colour"):
        Registry("colour").add(Red())  # type: ignore[arg-type]  # what is tried


def test_discovery_imports_every_module_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = next(_fresh)
    body = "from tests.unit.test_registry import found\nfound.append(__name__.partition('.')[2])\n"
    write_tree(tmp_path, {f"{package}/{name}.py": body for name in ("__init__", "red", "deep/__init__", "deep/blue")})
    monkeypatch.syspath_prepend(str(tmp_path))
    found.clear()

    Registry("colour", package=package).discover()

    assert found == ["", "deep", "deep.blue", "red"]


found: list[str] = []
"""What the modules of a package made by a test say when they are imported."""


def test_discovery_finds_the_class_of_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(tmp_path, {"red": f"{__name__}:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))

    assert dict(Registry[object]("colour", group="colours").discover()) == {"red": Red}


def test_an_entry_point_of_another_name_than_its_class_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _installed(tmp_path, {"green": f"{__name__}:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(InvalidDeclaration) as caught:
        Registry("colour", group="colours").discover()

    assert caught.value.message == (
        "the entry point 'green' of group 'colours' must lead to a colour class whose `name` is 'green'"
    )


@pytest.mark.parametrize(
    ("body", "target", "reason"),
    [
        ("raise OSError('no display')", "Red", "the operating system refused: no display"),
        ("", "Red", "AttributeError: module '{module}' has no attribute 'Red'"),
    ],
)
def test_an_entry_point_that_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, target: str, reason: str
) -> None:
    module = next(_fresh)
    _installed(tmp_path, {"red": f"{module}:{target}"}, {f"{module}.py": body})
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(InvalidDeclaration) as caught:
        Registry("colour", group="colours").discover()

    assert caught.value.message == (
        f"the entry point 'red' of group 'colours' leads to '{module}:{target}', which cannot be imported: "
        f"{reason.format(module=module)}; repair or uninstall that distribution"
    )


def test_discovery_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colours: Registry[object] = Registry("colour", group="colours")
    colours.discover()
    _installed(tmp_path, {"red": f"{__name__}:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))

    assert dict(colours.discover()) == {}


def test_a_failed_discovery_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colours: Registry[object] = Registry("colour", group="colours")
    _installed(tmp_path, {"red": f"{next(_fresh)}:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InvalidDeclaration):
        colours.discover()
    _installed(tmp_path, {"red": f"{__name__}:Red"}, {})

    assert dict(colours.discover()) == {"red": Red}
