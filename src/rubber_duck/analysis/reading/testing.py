"""Which files are tests, examples and the like, where rules about the running product have nothing to say."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_FOLDERS: Final = re.compile(
    r"(?:^|/)(?:tests?|__tests__|testing|spec|specs|e2e|cypress|fixtures?|__mocks__|mocks?|benchmarks?|bench|examples?|"
    r"samples?|demos?|docs?)/|^t/"
)
_NAMES: Final = re.compile(
    r"(?:^|/)(?:tests?|test_[^/]*|conftest)\.pyw?$|_tests?\.(?:py|exs?)$|[.-](?:test|spec|bench|stories)\.[cm]?[jt]sx?$"
)


@lru_cache(maxsize=4096)
def is_test(path: str) -> bool:
    """Whether the file at `path`, relative with `/`, is a test, a fixture, a benchmark or an example."""
    return bool(_FOLDERS.search(path) or _NAMES.search(path))
