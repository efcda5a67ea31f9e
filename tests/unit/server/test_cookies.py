"""The cookie of a browser's session, as it is written and read."""

from __future__ import annotations

import pytest

from rubber_duck.errors import Denied, Unauthenticated
from rubber_duck.server.cookies import Cookies, token_of

SESSION = "ducks_" + "0123456789abcdef" * 4


def test_over_tls_the_cookie_is_tied_to_the_host_and_no_script_reads_it() -> None:
    assert Cookies(is_secure=True).written(SESSION, 60) == (
        f"__Host-duck-session={SESSION}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


def test_a_header_goes_before_a_cookie_and_needs_no_token() -> None:
    headers = {"authorization": "Bearer duck_1", "cookie": f"__Host-duck-session={SESSION}"}
    assert Cookies(is_secure=True).credential_in(headers, "POST") == "duck_1"


def test_a_cookie_reads_and_with_its_token_changes() -> None:
    cookies, headers = Cookies(is_secure=False), {"cookie": f"a=b; duck-session={SESSION}"}
    assert cookies.credential_in(headers, "GET") == SESSION
    assert cookies.credential_in({**headers, "x-csrf-token": token_of(SESSION)}, "POST") == SESSION
    for token in ("", "\xe9", token_of(SESSION)[:-1], token_of("ducks_" + "0" * 64)):
        with pytest.raises(Denied, match="changes nothing"):
            cookies.credential_in({**headers, "x-csrf-token": token}, "PUT")


@pytest.mark.parametrize("others", ["a=b c", 'a={"x":1}', "x", 'y="', "duck-session=theirs"])
def test_what_other_servers_of_the_host_keep_in_cookies_does_not_matter(others: str) -> None:
    assert Cookies(is_secure=False).session_in({"cookie": f"{others}; duck-session={SESSION}"}) == SESSION


def test_only_a_session_under_this_servers_own_name_is_taken() -> None:
    for cookie in (f"duck-session={SESSION}", "__Host-duck-session=duck_1", "__Host-duck-session=", "=;=", ""):
        with pytest.raises(Unauthenticated):
            Cookies(is_secure=True).credential_in({"cookie": cookie}, "GET")
