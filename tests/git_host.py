"""A host of private Git repositories over HTTPS, as GitHub or Forgejo is one: it wants a name and a token."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.mailbox import certificate


@dataclass(slots=True)
class GitHost:
    """What it was `asked`, path and `Authorization`, and what it wants to hear; `elsewhere` is where it sends people.

    With an empty `token` everybody may read.
    """

    folder: Path
    authority: Path
    token: str = ""
    elsewhere: str = ""
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    def url(self, repository: str) -> str:
        """Where a repository is."""
        return f"https://{self.name}/{repository}"

    def admits(self, said: str) -> bool:
        """Whether an `Authorization` is the right one."""
        return not self.token or said == f"Basic {base64.b64encode(self.token.encode()).decode()}"


class _Asked(BaseHTTPRequestHandler):
    host: GitHost

    def do_GET(self) -> None:
        """As git's own CGI answers, to who may read."""
        path, _, query = self.path.partition("?")
        said = self.headers.get("Authorization", "")
        self.host.asked.append((path, said))
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.host.elsewhere:
            self._answer(302, {"Location": self.host.elsewhere + self.path}, b"")
        elif not self.host.admits(said):
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        else:
            self._answer(*self._served(path, query, body))

    do_POST = do_GET  # noqa: N815  # so the library calls it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # so the library calls it
        """Nothing is printed."""

    def _served(self, path: str, query: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked = {
            "GIT_PROJECT_ROOT": os.fspath(self.host.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env={"PATH": os.environ["PATH"], **asked},
            capture_output=True,
            check=True,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        return status, headers, content

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def git_host(folder: Path, *, token: str = "") -> Iterator[GitHost]:
    """One that serves the repositories in `folder` until the end of the block."""
    keys = folder / "keys"
    keys.mkdir()
    context, authority = certificate(keys)
    host = GitHost(folder, authority, token)
    with _listening(host, context):
        yield host


@contextmanager
def _listening(host: GitHost, context: ssl.SSLContext) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (_Asked,), {"host": host}))
    host.port = server.server_port
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
