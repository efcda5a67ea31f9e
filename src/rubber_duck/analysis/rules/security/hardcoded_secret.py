"""Finds passwords, keys and tokens that are written down in the source."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar, Final

from rubber_duck.analysis.finding import Confidence, Kind, Severity
from rubber_duck.analysis.reading.testing import is_test
from rubber_duck.analysis.rule import Example, Hit, Rule, rules
from rubber_duck.code.source import Node, SourceFile

_FORMATS: Final = (
    (b"AKIA", re.compile(rb"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"), "an AWS access key"),
    (b"gh", re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"), "a GitHub token"),
    (b"github_pat_", re.compile(rb"\bgithub_pat_[A-Za-z0-9_]{60,255}\b"), "a GitHub token"),
    (b"glpat-", re.compile(rb"\bglpat-[A-Za-z0-9_-]{20,64}\b"), "a GitLab token"),
    (b"_live_", re.compile(rb"\b[sr]k_live_[A-Za-z0-9]{20,255}\b"), "a Stripe key"),
    (b"xox", re.compile(rb"\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{10,255}\b"), "a Slack token"),
    (
        b"hooks.slack.com",
        re.compile(rb"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}"),
        "a Slack hook",
    ),
    (b"AIza", re.compile(rb"\bAIza[A-Za-z0-9_-]{35}\b"), "a Google API key"),
    (b"SG.", re.compile(rb"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"), "a SendGrid key"),
    (b"npm_", re.compile(rb"\bnpm_[A-Za-z0-9]{36}\b"), "an npm token"),
    (b"pypi-", re.compile(rb"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"), "a PyPI token"),
    (b"sk-ant-", re.compile(rb"\bsk-ant-[A-Za-z0-9_-]{40,255}"), "an Anthropic key"),
    (
        b"PRIVATE KEY-----",
        re.compile(rb"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----(?:\\n|\s|\"|'){1,20}[A-Za-z0-9+/]{40}"),
        "a private key",
    ),
)
"""Bytes that must occur, the shape, what it is."""

_NAME: Final = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|passphrase|secret|secret_key|api_?key|access_?key|private_?key|auth_?key|"
    r"encryption_?key|signing_?key|client_secret|auth_?token|access_?token|api_?token|bearer_?token|refresh_?token|token)_?$"
)
_QUOTES: Final = frozenset(b"\"'`")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLACEHOLDER: Final = re.compile(
    r"(?i)example|sample|dummy|change|placeholder|your|test|fake|insecure|default|secret|passw|token|xxx|\*\*\*|\.\.\.|1234|"
    r"abcd|qwert|lorem|redact|todo|none|null|<|[(|\\]|\{|\$|%|\s|://|^[a-z]+(?:[._/-][a-z]+)*$|^[A-Z]+(?:_[A-Z]+)*$|^[a-z]+(?:[A-Z][a-z]+)+$"
)
_ENTROPY_BITS: Final = 3.0


@rules.add
class HardcodedSecret(Rule):
    """A password, key or token is written down in the source.

    Everybody who can read the code, its history, a backup or a built package can use it, and it cannot be changed
    without a release (CWE-798).

    Mend it by revoking it, since it has been seen, and by reading a new one from the environment, a file outside the
    repository or a secret store.

    Reported are texts in the format of a known provider and private keys, with high confidence; and texts that look
    random (`entropy` bits a character, digits and letters mixed) that are given to something called password, secret,
    token or key, with medium confidence. Placeholders, words, addresses, names of fields, tests and examples are not.
    Neither the message nor the code in a report shows the text: all but its first four characters is stars. Ignore it
    for keys that are public by design, and say so in the comment.
    """

    name = "hardcoded-secret"
    kind = Kind.SECURITY
    severity = Severity.HIGH
    confidence = Confidence.MEDIUM
    cwe = 798
    kinds: ClassVar = {
        "python": ("module", "assignment", "keyword_argument", "pair"),
        "ecmascript": ("program", "variable_declarator", "assignment_expression", "pair"),
        "elixir": ("source", "pair", "binary_operator"),
    }
    options: ClassVar = {"entropy": _ENTROPY_BITS, "min_length": 8}
    hides_span = True
    replaces = ("ruff/S105", "ruff/S106", "ruff/S107", "bandit/B105", "bandit/B106", "bandit/B107")
    good = (
        Example("python", 'PASSWORD = "password"\nTOKEN = os.environ["TOKEN"]\nsecret = "change-me-please-now-12"\n'),
        Example("python", 'CSRF_TOKEN = "csrfmiddlewaretoken"\nconnect(password="postgres", user="u2")\n'),
        Example(
            "python", 'reset_url_token = "set-password"\nSESSION_KEY = "_auth_user_id"\nkey = "k8Jd93mWq0Zx71Lp"\n'
        ),
        Example("python", 'password_help = "At least 8 characters, 2 digits"\npassword_hash_field = "pbkdf2_sha256"\n'),
        Example(
            "javascript",
            "const token = 'access_token'; const apiKey = process.env.API_KEY; x = { password: 'Passwort2' }",
        ),
        Example("javascript", "const secretKeyPath = '/etc/x9/key.pem'; const token = `${a}8Jd93mWq0Zx71Lp`"),
        Example("elixir", 'config :app, password: "postgres"\ntoken = System.get_env("T0K3N9")\n'),
    )
    bad = (
        Example("python", 'DB_PASSWORD = "k8Jd93-mWq0Zx"\n'),
        Example("python", 'client = Client(api_key="9f8a7c6b5d4e3f2a1b0c9d8e7f6a5b4c")\n'),
        Example("python", 'CONFIG = {"secret_key": "v3Ry-l0ng&Rand0m+9q"}\n'),
        Example("python", "aws = boto3.client('s3', 'AKIA" + "Z7QW3NXKP5RT2LMV')\n"),
        Example("python", 'KEY = """-----BEGIN RSA PRIVATE KEY-----\n' + "MIIEowIBAAKCAQEA" * 4 + '"""\n'),
        Example("javascript", "const apiKey = 'k8Jd93mWq0Zx71Lp'"),
        Example("typescript", "const options = { clientSecret: 'k8Jd93mWq0Zx71Lp' }"),
        Example("elixir", 'config :app, secret_key: "k8Jd93mWq0Zx71LpYb5"'),
        Example("elixir", '@token "x"\napi_token = "k8Jd93mWq0Zx71LpYb5"\n'),
    )

    def check(self, node: Node, file: SourceFile) -> Iterator[Hit]:
        """Look at the whole file for known formats, and at each thing that is given a text."""
        if not file.ancestors:
            yield from _known_formats(node, file)
            return
        if file.content[node.end_byte - 1] not in _QUOTES:  # decides nearly always, so it comes first
            return
        named = _named(node, file)
        if named is None:
            return
        name, text = named
        words = _HUMP.sub("_", name).replace("-", "_").lower()
        if not _NAME.search(words) or is_test(file.path):
            return
        value = file.string_value(text)
        if (
            value is None
            or not self._looks_random(value)
            or any(shape.search(value.encode()) for _, shape, _ in _FORMATS)
        ):
            return
        message = (
            f"`{name}` holds a secret that is written in the source: read it from the environment or a secret store"
        )
        yield Hit(text, f"{message}, and revoke this one")

    def _looks_random(self, value: str) -> bool:
        if not int(str(self.option("min_length"))) <= len(value) <= 512 or _PLACEHOLDER.search(value):
            return False
        has_digit, has_letter = any(c.isdigit() for c in value), any(c.isalpha() for c in value)
        return has_digit and has_letter and _entropy(value) >= float(str(self.option("entropy")))


def _known_formats(root: Node, file: SourceFile) -> Iterator[Hit]:
    for needed, shape, what in _FORMATS:
        if needed not in file.content:
            continue
        for match in shape.finditer(file.content):
            if is_test(file.path) or b"EXAMPLE" in match[0] or len(set(match[0][-16:])) < 6:
                continue
            place = root.named_descendant_for_byte_range(match.start(), match.end())
            if place is None or (place.type == "comment" and what == "a private key"):
                continue
            message = f"This is {what}, written in the source: revoke it, and read a new one from the environment"
            yield Hit(place, message, confidence=Confidence.HIGH, severity=Severity.CRITICAL)


def _named(node: Node, file: SourceFile) -> tuple[str, Node] | None:
    """The last name of what is given a text, and the text's node."""
    kind = node.type
    if kind == "binary_operator":
        operator = node.child_by_field_name("operator")
        if operator is None or operator.type != "=":
            return None
    target = next(
        (found for field in ("left", "name", "key") if (found := node.child_by_field_name(field)) is not None), None
    )
    text = node.child_by_field_name("right") or node.child_by_field_name("value")
    if target is None or text is None or text.type not in {"string", "template_string"}:
        return None
    if target.type == "subscript":
        target = target.child_by_field_name("subscript") or target
    elif target.type in {"attribute", "member_expression"}:
        target = target.child_by_field_name("attribute") or target.child_by_field_name("property") or target
    return file.text(target).strip().strip("'\"`:"), text


def _entropy(value: str) -> float:
    """Bits a character by the frequencies in `value` itself (Shannon 1948)."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
