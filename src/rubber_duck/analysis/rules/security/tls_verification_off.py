"""Finds encrypted connections that do not check who is at the other end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Kind, Severity
from rubber_duck.analysis.reading.calls import arguments
from rubber_duck.analysis.reading.mentions import mentions
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.reading.wording import shortened
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_CLIENTS: Final = (b"requests", b"httpx", b"aiohttp", b"urllib3", b"boto", b"hvac", b"niquests")
_REQUESTS: Final = frozenset(
    {
        *("get", "post", "put", "patch", "delete", "head", "options", "request", "send", "stream", "Client", "client"),
        *(
            "AsyncClient",
            "TCPConnector",
            "ClientSession",
            "PoolManager",
            "HTTPSConnectionPool",
            "wrap_socket",
            "resource",
        ),
        *("connect", "ws_connect", "HTTPSConnection", "Session"),
    }
)
_CONTEXTS: Final = frozenset({"_create_unverified_context", "_create_stdlib_context"})

_ENDINGS: Final = {
    ("python", "assignment"): (b"CERT_NONE", b"_create_unverified_context"),
    ("ecmascript", "pair"): (b"false",),
    ("ecmascript", "assignment_expression"): (b"'0'", b'"0"', b" 0"),
    ("elixir", "pair"): (b":verify_none",),
    ("elixir", "tuple"): (b":verify_none}",),
}
"""What the text of a node ends with that may switch verification off: looking there is cheap."""

_ALL_ENDINGS: Final = (b")", *(ending for endings in _ENDINGS.values() for ending in endings))


@rules.add
class TlsVerificationOff(Rule):
    """A TLS connection is opened that accepts any certificate.

    It is encrypted, but to whom is anybody's guess: whoever stands between can read and change everything (CWE-295).

    Mend it by leaving verification on, which is the default everywhere. For a private authority, name its certificate:
    `verify="/path/ca.pem"`, `ca: fs.readFileSync(…)`, `cacertfile: …`.

    Ignore it in tools that look at certificates themselves. Test files are not looked at.
    """

    name = "tls-verification-off"
    kind = Kind.SECURITY
    severity = Severity.HIGH
    cwe = 295
    kinds: ClassVar = {
        "python": ("call", "assignment"),
        "ecmascript": ("pair", "assignment_expression"),
        "elixir": ("pair", "tuple"),
    }
    names = _REQUESTS | _CONTEXTS
    replaces = ("ruff/S323", "ruff/S501", "bandit/B323", "bandit/B501")
    good = (
        Example("python", "import requests\nrequests.get(url)\nrequests.get(url, verify='/ca.pem')\n"),
        Example("python", "form.get(x, verify=False)\ncheck(verify=False)\n"),
        Example("python", "context.verify_mode = ssl.CERT_REQUIRED\nself.verify = False\n"),
        Example("python", "self.verify_mode = ssl.CERT_NONE\n"),
        Example("javascript", "const o = { rejectUnauthorized: true, ca }; const p = { verify: false }"),
        Example("elixir", "opts = [verify: :verify_peer]\n"),
    )
    bad = (
        Example("python", "import requests\nrequests.get(url, verify=False)\n"),
        Example("python", "import httpx\nclient = httpx.AsyncClient(verify=False, timeout=3)\n"),
        Example("python", "context = ssl._create_unverified_context()\n"),
        Example("python", "ssl._create_default_https_context = ssl._create_unverified_context\n"),
        Example("python", "import ssl\ncontext.verify_mode = ssl.CERT_NONE\n"),
        Example("python", "import aiohttp\naiohttp.TCPConnector(ssl=False)\n"),
        Example("javascript", "https.request({ host, rejectUnauthorized: false })"),
        Example("javascript", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'"),
        Example("typescript", "process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'"),
        Example("elixir", ":ssl.connect(host, 443, verify: :verify_none)"),
        Example("elixir", ":ssl.connect(host, 443, [{:verify, :verify_none}])"),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at one option, one assignment or one call."""
        found = self._found(node, file)
        if found is not None and not is_test(file.path):
            shown = shortened(file.text(found))
            message = f"`{shown}` accepts any certificate, so anybody between can read and change everything"
            yield Hit(found, f"{message}: leave verification on and name the authority's certificate")

    def _found(self, node: Node, file: SourceFile) -> Node | None:
        if not file.content.endswith(_ALL_ENDINGS, node.start_byte, node.end_byte):
            return None
        kind, family = node.type, file.family
        if kind == "call":
            return _in_call(node, file)
        if not file.content.endswith(_ENDINGS[family, kind], node.start_byte, node.end_byte):
            return None
        if family == "elixir":
            return node if file.text(node).lstrip("{: ").startswith("verify") else None
        target = node.child_by_field_name("key" if kind == "pair" else "left")
        if target is None:
            return None
        if family == "python":
            return node if target.type == "attribute" and not file.text(target).startswith("self.") else None
        wanted = b"rejectUnauthorized" if kind == "pair" else b"NODE_TLS_REJECT_UNAUTHORIZED"
        return node if wanted in (target.text or b"") else None


def _in_call(node: Node, file: SourceFile) -> Node | None:
    name = file.name_of_call(node)
    if name in _CONTEXTS:
        return node if name == "_create_unverified_context" else None
    content = file.content[node.start_byte : node.end_byte]
    if b"False" not in content and b"CERT_NONE" not in content:
        return None
    named = arguments(node, file).named
    for option in ("verify", "verify_ssl", "ssl", "cert_reqs"):
        value = named.get(option)
        if value is None:
            continue
        text = file.text(value)
        is_client = any(mentions(file, client) for client in _CLIENTS)
        is_off = text == "False" and is_client and (option != "ssl" or mentions(file, b"aiohttp"))
        if is_off or text.endswith("CERT_NONE") or text in {"'CERT_NONE'", '"CERT_NONE"'}:
            return value
    return None
