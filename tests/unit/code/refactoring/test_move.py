"""A definition moves with its imports, and every file that takes it follows; no import goes in a circle after it."""

from __future__ import annotations

import pytest

from rubber_duck.code.refactoring.python.move import move
from rubber_duck.code.refactoring.refactored import Spot
from rubber_duck.errors import Refused

FILES = {
    "shop/__init__.py": "from .rates import taxed\n\n__all__ = ['taxed']\n",
    "shop/rates.py": (
        "from __future__ import annotations\n\nimport math\n\nfrom .units import cents\n\nTAX = 0.2\n\n\n"
        "# With tax.\ndef taxed(net: float) -> float:\n    return math.floor(cents(net))\n\n\n"
        "def half(net):\n    return net * TAX\n"
    ),
    "shop/units.py": "def cents(value):\n    return value * 100\n",
    "shop/bill.py": (
        "from shop.rates import (\n    half,\n    taxed,\n)\n\n\ndef bill(net):\n    return taxed(net) + half(net)\n"
    ),
    "main.py": "from shop import taxed\n\nprint(taxed(1))\n",
}


def moved(to: str, files: dict[str, str] | None = None, line: int = 11) -> dict[str, str]:
    return dict(move({**FILES, **(files or {})}, Spot("shop/rates.py", line, 5), to).texts)


def test_it_takes_its_imports_and_comments_along_and_is_followed() -> None:
    found = moved("shop/money.py")
    assert found["shop/money.py"] == (
        "from __future__ import annotations\nfrom .units import cents\nimport math\n\n\n"
        "# With tax.\ndef taxed(net: float) -> float:\n    return math.floor(cents(net))\n"
    )
    assert found["shop/__init__.py"] == "from .money import taxed\n\n__all__ = ['taxed']\n"
    assert "from shop.rates import (half)\nfrom shop.money import taxed\n" in found["shop/bill.py"]
    assert "taxed" not in found["shop/rates.py"]
    assert "main.py" not in found


def test_a_file_that_lists_it_as_its_own_passes_it_on() -> None:
    text = FILES["shop/rates.py"] + "\n\n__all__ = ['taxed', 'half']\n"
    found = moved("shop/money.py", {"shop/rates.py": text})
    assert "from .money import taxed\n" in found["shop/rates.py"]


REFUSED = {
    "annotations that would be evaluated there": ("shop/far.py", {"shop/far.py": "x = 1\n"}, 11),
    "an import that only a function there has": (
        "shop/far.py",
        {"shop/far.py": "from __future__ import annotations\n\n\ndef lazy():\n    import math\n    return math.pi\n"},
        11,
    ),
    "an import that is there under a condition": (
        "shop/far.py",
        {"shop/far.py": "from __future__ import annotations\n\nTYPING = 0\nif TYPING:\n    import math\n"},
        11,
    ),
    "into a file that loads one which takes it": ("shop/front.py", {"shop/front.py": "import shop.bill\n"}, 11),
    "into a file that loads one over others": (
        "shop/front.py", {"shop/front.py": "import shop.middle\n", "shop/middle.py": "from . import bill\n"}, 11,
    ),
    "into a file that is loaded by what it needs": (
        "shop/front.py",
        {"shop/front.py": "x = 1\n", "shop/units.py": "from . import front\n\n\ndef cents(value):\n    return value\n"},
        11,
    ),
    "into one that imports what it needs only for types": (
        "shop/far.py",
        {"shop/far.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .units import cents\n"},
        11,
    ),
    "a name that is taken there": ("shop/units.py", {"shop/units.py": "def cents(v): ...\ndef taxed(): ...\n"}, 11),
    "an import that means something else there": ("shop/far.py", {"shop/far.py": "math = 1\n"}, 11),
    "what needs its own file": ("shop/money.py", {}, 15),
    "the name of its file": (
        "shop/money.py", {"shop/rates.py": "def taxed(net):\n    print(__name__)\n    return net\n"}, 1,
    ),
    "an import inside that is relative": (
        "money.py", {"shop/rates.py": "def taxed(net):\n    from . import units\n    return units\n"}, 1,
    ),
    "a star import": ("shop/money.py", {"all.py": "from shop.rates import *\n"}, 11),
    "a patch by name": ("shop/money.py", {"t.py": "import mock\nmock.patch('shop.rates.taxed')\n"}, 11),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_is(case: str) -> None:
    to, files, line = REFUSED[case]
    with pytest.raises(Refused):
        moved(to, files, line)


def test_imports_that_wait_go_in_no_circle() -> None:
    late = {"shop/front.py": "from __future__ import annotations\n\n\ndef later():\n    import shop.bill\n"}
    assert "def taxed" in moved("shop/front.py", late)["shop/front.py"]
