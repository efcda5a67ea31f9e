"""A server over HTTP, as its clients ask it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.serving import Served, project_at, serving

PASSWORD = "three wild geese"
NOWHERE = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:  # Any: JSON
        """The content as JSON."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class House:
    """A server with a project, an administrator, a viewer of the project, and somebody without a role."""

    server: Served
    project: str
    keys: dict[str, str]

    def ask(self, method: str, path: str, who: str = "", body: object = None, **headers: str) -> Reply:
        """One request; `body` is sent as JSON, or as it is if it is bytes."""
        url = self.server.http + (path if path.startswith(("/health", "/metrics")) else f"/api/v1{path}")
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        key = self.keys.get(who, who)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            given["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(url, data=content, headers=given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


@contextmanager
def house_in(folder: Path, **variables: str) -> Iterator[House]:
    """A running one, with a folder of code below its roots."""
    project = project_at(folder / "hello", folder / "home")
    (folder / "code/shop").mkdir(parents=True)
    (folder / "code/shop/a.py").write_text("import os\n\n\ndef f(x=[]):\n    return eval(x)\n")
    with serving(folder / "home", DUCK_WORKSPACE_ROOTS=str(folder / "code"), **variables) as server:
        keys = {"ann": server.key_for("ann", role="administrator")}
        keys["vera"] = server.key_for("vera", project=project, project_role="viewer")
        keys["olga"] = server.key_for("olga", project=project, project_role="owner")
        keys["nina"] = server.key_for("nina")
        yield House(server, project, keys)
