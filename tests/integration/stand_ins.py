"""What docs/tutorial/team.md uses of curl and openssl, for machines that have neither.

python tests/integration/stand_ins.py curl -s -b jar http://127.0.0.1:4010/api/v1/me
"""

from __future__ import annotations

import hmac
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path


def curl(arguments: Iterator[str]) -> None:
    """Asks for a page, with a file for the cookies, and shows what comes, whatever its status."""
    request, jar = urllib.request.Request("http://nowhere"), Path()
    for each in arguments:
        match each:
            case "-s":
                continue
            case "-X":
                request.method = next(arguments)
            case "-H":
                name, _, value = next(arguments).partition(": ")
                request.add_header(name, value)
            case "-d":
                request.data = next(arguments).encode()
            case "-c":
                jar = Path(next(arguments))
            case "-b":
                request.add_header("Cookie", Path(next(arguments)).read_text())
            case _:
                request.full_url = each
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        if cookie := answer.headers.get("set-cookie"):
            jar.write_text(cookie.partition(";")[0])
        print(answer.read().decode())


def openssl(arguments: Iterator[str]) -> None:
    """`dgst -sha256 -hmac KEY -r` of the standard input."""
    *_, key, _ = arguments
    print(f"{hmac.new(key.encode(), sys.stdin.buffer.read(), 'sha256').hexdigest()} *stdin")


if __name__ == "__main__":
    {"curl": curl, "openssl": openssl}[sys.argv[1]](iter(sys.argv[2:]))
