"""A server from its first start: who comes first, TLS, and what its log does not hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.integration.duck import COMMAND, duck, environment
from tests.integration.house import NOWHERE, PASSWORD, House
from tests.integration.serving import serving
from tests.servers import Authority


def test_secrets_are_in_no_log(tmp_path: Path) -> None:
    with serving(tmp_path / "home", DUCK_LOG_LEVEL="debug") as server:
        key = server.key_for("ann", role="administrator")
        house = House(server, NOWHERE, {"ann": key})
        invitation = house.ask("POST", "/invitations", "ann", {"name": "bob"}).json["invitation"]
        body = {"invitation": invitation, "name": "bob", "password": PASSWORD}
        session = house.ask("POST", "/invitations/accept", body=body).json["session"]
        house.ask("GET", f"/me?token={session}", session)
        log = "".join(path.read_text() for path in tmp_path.glob("log-*"))
    assert "http.answered" in log
    for secret in (key, invitation, session, PASSWORD):
        assert secret not in log


def test_a_first_server_invites_its_administrator_and_refuses_a_weak_secret(tmp_path: Path) -> None:
    weak = subprocess.run(
        [*COMMAND, "serve", "--port", "1"],
        env=environment(tmp_path / "home", DUCK_SERVER_SECRET="change-me-0123456789-abcdefghijklm"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (weak.returncode, "looks like a sample" in weak.stderr) == (2, True)
    with serving(tmp_path / "home") as server:
        said = [server.process.stdout.readline() for _ in range(2)] if server.process.stdout else []
        code = next(word for word in said[1].split() if word.startswith("ducki_"))
        assert (tmp_path / "home/server.secret").stat().st_mode & 0o777 == 0o600
        signed = subprocess.run(
            [*COMMAND, "login", server.http, "--user", "ann", "--invitation"],
            env=environment(tmp_path / "away"),
            input=f"{code}\n{PASSWORD}\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert signed.stdout == f"signed in to {server.http} as ann (administrator)\n", signed.stderr


def test_it_speaks_tls_and_its_clients_check_whose(tmp_path: Path) -> None:
    authority = Authority("RubberDuck tests")
    certificate, private_key = authority.issue("localhost")
    for name, content in (("ca", authority.certificate()), ("cert", certificate), ("key", private_key)):
        (tmp_path / name).write_bytes(content)
    home = tmp_path / "home"
    options = ("--certificate", str(tmp_path / "cert"), "--private-key", str(tmp_path / "key"))
    with serving(home, *options) as server:
        key = server.key_for("ann", role="administrator")
        there = {"DUCK_SERVER": f"https://localhost:{server.port}", "DUCK_API_KEY": key}
        trusting = duck("health", home=tmp_path / "away", **there, SSL_CERT_FILE=str(tmp_path / "ca"))
        assert (trusting.returncode, "well" in trusting.stdout) == (0, True), trusting.stderr
        wary = duck("health", home=tmp_path / "away", **there)
        assert (wary.returncode, "cannot be reached" in wary.stderr) == (2, True), wary.stderr
