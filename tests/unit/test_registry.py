"""What can be added is registered by one decorator, from our own package or from another distribution."""

from __future__ import annotations

import importlib
import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import ClassVar

import pytest

from rubber_duck.errors import Conflict, InvalidDeclaration, UnknownName
from rubber_duck.registry import Contribution, Registry, watching
from tests.factories import write_tree

_fresh = (f"plugged_{number}" for number in itertools.count())


class Red:
    """A colour."""

    name: ClassVar[str] = "red"


class Blue:
    """Another."""

    name: ClassVar[str] = "blue"


class Colour:
    """What every colour is derived from."""

    name: ClassVar[str]


class Green(Colour):
    """A colour that is derived."""

    name = "green"


class Mixed(Colour, ABC):
    """A colour that is not finished."""

    @abstractmethod
    def mix(self) -> str:
        """What it is mixed of."""


OWN = type("Red", (), {"name": "red", "__module__": "rubber_duck.colours"})
"""A colour that says it is RubberDuck's own."""

palette: Registry[Colour] = Registry("colour", of=Colour, group="colours")
"""Where a module made by a test registers its colour."""


def _colours() -> Registry[object]:
    colours: Registry[object] = Registry("colour")
    colours.add(Red)
    colours.add(Blue)
    return colours


def _installed(
    folder: Path, points: Mapping[str, str], modules: Mapping[str, str], distribution: str = "paint"
) -> None:
    """Another distribution with modules and with entry points of the group `colours`."""
    lines = "\n".join(f"{name} = {target}" for name, target in points.items())
    write_tree(
        folder,
        {
            f"{distribution}-1.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n",
            f"{distribution}-1.dist-info/entry_points.txt": f"[colours]\n{lines}\n",
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


@pytest.mark.parametrize(
    ("body", "target", "reason"),
    [
        ("raise OSError('no display')", "Red", "the operating system refused: no display"),
        ("raise SystemExit(3)", "Red", "its module ends the program (SystemExit(3))"),
        ("", "Red", "AttributeError: module '{module}' has no attribute 'Red'"),
        ("Red = 3", "Red", "its entry point leads to 3, which is no colour class"),
        ("class Red: name = 'red'", "Red", "its entry point leads to <class '{module}.Red'>, which is no colour class"),
        (
            "from tests.unit.test_registry import Colour\nclass Red(Colour): name = 'crimson'",
            "Red",
            "its entry point is called 'red' and its class 'crimson'; give both one name",
        ),
        (
            "from tests.unit.test_registry import Mixed\nclass Red(Mixed): name = 'red'",
            "Red",
            "its class does not define mix",
        ),
        (
            "from rubber_duck.errors import InvalidDeclaration\nraise InvalidDeclaration('the colour is too bright')",
            "Red",
            "the colour is too bright",
        ),
    ],
)
def test_a_plug_in_that_does_not_work_is_left_out_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, target: str, reason: str
) -> None:
    module = next(_fresh)
    _installed(tmp_path, {"green": f"{__name__}:Green", "red": f"{module}:{target}"}, {f"{module}.py": body})
    monkeypatch.syspath_prepend(str(tmp_path))
    colours: Registry[Colour] = Registry("colour", of=Colour, group="colours")

    assert dict(colours.discover()) == {"green": Green}
    assert colours.contributions == (
        Contribution("colour", "green", "paint 1", f"{__name__}:Green"),
        Contribution("colour", "red", "paint 1", f"{module}:{target}", reason.format(module=module)),
    )


def test_nothing_stays_of_a_plug_in_that_fails_after_it_registered_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = next(_fresh)
    body = "from tests.unit.test_registry import palette, Green\npalette.add(Green)\nraise KeyError('paint')"
    _installed(tmp_path, {"red": f"{module}:Red"}, {f"{module}.py": body})
    monkeypatch.syspath_prepend(str(tmp_path))

    assert dict(palette.discover()) == {}


def test_of_two_plug_ins_with_one_name_the_first_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colours: Registry[object] = Registry("colour", group="colours")
    _installed(tmp_path / "a", {"red": f"{__name__}:Red"}, {})
    module = next(_fresh)
    other = {f"{module}.py": "class Red: name = 'red'"}
    _installed(tmp_path / "b", {"red": f"{module}:Red"}, other, distribution="varnish")
    for folder in ("a", "b"):
        monkeypatch.syspath_prepend(str(tmp_path / folder))

    assert dict(colours.discover()) == {"red": Red}
    assert {name: (each.package, each.reason) for name, each in colours.left_out.items()} == {
        "red": ("varnish 1", f"two colours are called 'red': {__name__}.Red and {module}.Red; rename one")
    }


def test_a_name_of_ours_is_not_given_to_a_plug_in() -> None:
    colours: Registry[object] = Registry("colour")
    colours.add(OWN)

    with pytest.raises(Conflict):
        colours.add(Red)

    assert dict(colours) == {"red": OWN}


def test_a_name_of_ours_is_taken_back_from_a_plug_in_that_was_first() -> None:
    colours: Registry[object] = Registry("colour")
    colours.add(Red)
    colours.add(OWN)

    assert (dict(colours), [each.reason for each in colours.contributions]) == (
        {"red": OWN},
        [f"two colours are called 'red': {__name__}.Red and rubber_duck.colours.Red; rename one"],
    )


def test_a_plug_in_that_turns_out_not_to_work_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colours: Registry[object] = Registry("colour", group="colours")
    _installed(tmp_path, {"red": f"{__name__}:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))
    colours.discover()

    assert colours.leave_out("red", "it fades")
    assert (dict(colours), colours.contributions) == (
        {},
        (Contribution("colour", "red", "paint 1", f"{__name__}:Red", "it fades"),),
    )


def test_what_is_ours_is_never_left_out() -> None:
    colours: Registry[object] = Registry("colour")
    colours.add(OWN)

    assert (colours.leave_out("red", "it fades"), dict(colours)) == (False, {"red": OWN})


def test_asking_for_a_plug_in_that_was_left_out_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(tmp_path, {"red": "nowhere_at_all:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UnknownName) as caught:
        Registry[object]("colour", group="colours").discover()["red"]

    assert caught.value.message == (
        "the colour 'red' of paint 1 is left out: ModuleNotFoundError: No module named 'nowhere_at_all'"
    )


def test_whoever_watches_hears_of_what_is_left_out_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(tmp_path, {"red": "nowhere_at_all:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))
    colours, shades, tints = (Registry[object](kind, group="colours") for kind in ("colour", "shade", "tint"))
    heard: list[str] = []
    colours.discover()
    with watching(lambda left: heard.append(left.what)):
        shades.discover()
    tints.discover()

    assert heard == ["the shade 'red' of paint 1"]


def test_entry_points_that_cannot_be_read_are_left_out_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = [write_tree(tmp_path, {"paint-1.dist-info/entry_points.txt": "[colours]\nred\n"})]
    monkeypatch.syspath_prepend(str(tmp_path))
    (left,) = Registry[object]("colour", group="colours").discover().contributions

    assert (left.what, left.reason.partition(":")[0]) == (
        f"every colour of {folder}/paint-1.dist-info",
        "its entry points cannot be read",
    )


def test_discovery_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colours: Registry[object] = Registry("colour", group="colours")
    colours.discover()
    _installed(tmp_path, {"red": f"{__name__}:Red"}, {})
    monkeypatch.syspath_prepend(str(tmp_path))

    assert dict(colours.discover()) == {}


def test_who_asks_while_another_thread_reads_the_modules_waits_for_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = next(_fresh)
    write_tree(
        tmp_path,
        {
            f"{package}_gate.py": "import threading\nentered, leave = threading.Event(), threading.Event()\n",
            f"{package}/__init__.py": "",
            f"{package}/slow.py": f"import {package}_gate as gate\ngate.entered.set()\ngate.leave.wait()\n",
        },
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    gate_module = importlib.import_module(f"{package}_gate")
    registry = Registry[object]("colour", package=package)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(registry.discover)
        gate_module.entered.wait()
        second = threads.submit(registry.discover)
        assert not wait([second], timeout=0.05).done  # a thread that answered too soon would be done
        gate_module.leave.set()
        assert (first.result(), second.result()) == (registry, registry)
