"""`duck locate` reads an issue or a traceback and says which files and functions it is about."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.factories import write_tree
from tests.integration.duck import COMMAND, duck, environment

FILES = {
    "shop/__init__.py": "",
    "shop/price.py": 'def price_of(item):\n    """What an item costs."""\n    return item.price\n',
    "shop/cart.py": "from shop.price import price_of\n\n\ndef total(items):\n    return sum(map(price_of, items))\n",
    "shop/mail.py": "def send(letter):\n    return letter\n",
}
TRACEBACK = b"""\
Traceback (most recent call last):
  File "/srv/app/shop/cart.py", line 5, in total
    return sum(map(price_of, items))
  File "/srv/app/shop/price.py", line 3, in price_of
    return item.price
AttributeError: 'str' object has no attribute 'price'
"""


def test_a_traceback_on_standard_input_leads_to_its_innermost_file(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    argv = [*COMMAND, "locate", "--json"]
    home = environment(tmp_path / "home")
    done = subprocess.run(argv, input=TRACEBACK, env=home, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    assert [file["path"] for file in files][:2] == ["shop/price.py", "shop/cart.py"]
    assert files[0]["reasons"][0] == "the traceback passes line 3 in price_of"
    assert {"name": "price_of", "kind": "function", "start_line": 1, "end_line": 3} in files[0]["places"]
    assert "shop/price.py imports it" in files[1]["reasons"] or "it imports shop/price.py" in files[1]["reasons"]


def test_a_sentence_is_explained_and_nonsense_finds_nothing(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "p", FILES)
    done = duck("locate", "What an item costs is wrong", home=tmp_path / "home", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("shop/price.py")
    assert "has the title's words" in done.stdout
    nothing = duck("locate", "zebra giraffe", home=tmp_path / "home", cwd=folder)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    empty = duck("locate", "### Steps to reproduce", home=tmp_path / "home", cwd=folder)
    assert (empty.returncode, "describe what is wrong" in empty.stderr) == (2, True)
