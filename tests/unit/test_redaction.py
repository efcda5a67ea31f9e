"""Secrets are taken out of what is sent, and nothing else is."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

import pytest

from rubber_duck.egress import Door, Egress
from rubber_duck.redaction import JsonValue, Redactor
from tests.fake_provider import fake_provider, saying
from tests.secrets import ALNUM, of_other_forms, secrets_of_all_kinds, telling_part, written_otherwise


async def test_none_of_300_secrets_is_sent() -> None:
    made = list(secrets_of_all_kinds(300))
    frames = ("{}", "see `{}` there", "x = foo()\n{}\nreturn x", 'logging.info("%s", "{}")')
    body: JsonValue = {
        "model": "m",
        "messages": [{"role": "user", "content": frames[n % 4].format(text)} for n, (_, text) in enumerate(made)],
    }
    async with fake_provider(saying({})) as fake:
        egress = Egress(Door(fake.url), Redactor())
        async with egress.request("POST", "/chat", body, deadline=1e12) as reply:
            await reply.read(1000)
        await egress.close()

    sent = fake.raw.decode().replace("\\/", "/")
    assert [kind for kind, secret in made if telling_part(secret) in sent] == []
    assert len(made) == 300


def test_secrets_that_are_written_in_ordinary_ways_are_taken_out() -> None:
    rng = random.Random(8)
    made = written_otherwise(lambda alphabet, length: "".join(rng.choices(alphabet, k=length)))
    redactor = Redactor()
    left = []
    for kind, make in made.items():
        for _ in range(20):
            text, secret = make()
            once = redactor.text(f"before\n{text}\nafter")
            if secret in once or redactor.text(once) != once or not once.endswith("\nafter"):
                left.append((kind, once))
    assert left == []


@pytest.mark.parametrize("kind", sorted(dict(secrets_of_all_kinds(60))))
def test_each_kind_of_secret_is_named_and_redacting_twice_changes_nothing_more(kind: str) -> None:
    secret = dict(secrets_of_all_kinds(60))[kind]
    once = Redactor().text(f"before\n{secret}\nafter")
    assert "[REDACTED:" in once
    assert once.startswith("before\n")
    assert Redactor().text(once) == once


@pytest.mark.parametrize(
    "code",
    [
        "def login(password: str, token: str | None = None) -> bool:",
        "password = os.environ['PASSWORD']",
        "token = self.tokens[index]",
        "api_key = settings.api_key",
        "const token = await getToken(request.headers);",
        "secret_key = config['secret']",
        "max_tokens = 1024",
        "https://example.com/path?query=1",
        "sk-learn is a library; task-oriented-dialogue-systems",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        'raise ValueError("password must not be empty")',
        "tokens: list[str] = []",
        'password = "${DB_PASSWORD}"',
        "access_token = response.json()['access_token']",
        "token = tokenizer.encode(text)",
        "PWD=/home/ann/project7",
        "password = password1",
        "def check(password=password2, token=None):",
        'raise ValueError("password: it must be at least 8 characters long and hold a digit")',
        "password = hash2text(given)",
        "if password == other_password: return",
        "PRIMARY_KEY = models.BigAutoField(primary_key=True)",
        "SORT_KEY = 'created_at_descending_by_name'",
        'STORAGE_KEY = "settings-panel-collapsed-v2"',
        "const pw = rect2.width/2;",
        'password: "At least 8 characters"',
        "password: 'Must be 8 or more',",
        "password: 'Use 8 to 64 letters'",
        'def check(password_field_name="password1"):',
        "s3_access_key_id = 's3-access-key-id'",
        'url = f"kafka://{user}:{password}@broker:9094"',
        "`mongodb://${string}:${string}@${host}:${number}`",
        "amqp://guest:$AMQP_PASSWORD@localhost",
        '"sqs://%(key)s:%(secret)s@"',
        "_csrf_id_token = MASKED_TEST_VALUE2",
        'token = "%HOMEPATH%\\\\" + rest',
    ],
)
def test_code_that_only_speaks_of_secrets_stays_as_it_is(code: str) -> None:
    assert Redactor().text(code) == code


@pytest.mark.parametrize(
    ("code", "secret"),
    [
        ('password: "correct horse 7battery"', "battery"),
        ('passphrase = "most otters dive 12"', "otters"),
        ("redis://:$ecret77@host", "ecret77"),
        ("postgres://ann:{weird7@host", "weird7"),
        ('password_field = "Tr0ub4dor&3x"', "Tr0ub4dor"),
        ("TOKEN=ABCD_EFGH_1234_5678", "EFGH"),
    ],
)
def test_what_only_looks_like_speaking_of_secrets_is_taken_out(code: str, secret: str) -> None:
    assert secret not in Redactor().text(code)


def test_a_key_of_an_object_announces_its_value() -> None:
    value: JsonValue = {"password": "hunter2hunter2", "Authorization": "Bearer abcdefgh12345678", "note": "fine"}
    redacted = Redactor().value(value)
    assert isinstance(redacted, dict)
    assert "hunter2" not in str(redacted)
    assert "abcdefgh" not in str(redacted)
    assert redacted["note"] == "fine"


def test_what_is_known_to_be_secret_is_taken_out_whatever_it_looks_like() -> None:
    assert Redactor(["correct horse battery"]).text("say correct horse battery!") == "say [REDACTED:known]!"


def test_long_text_of_any_kind_is_cleared_in_linear_time() -> None:
    redactor = Redactor(["known-secret"])
    pieces = ("a", "password=", "eyJ", "token: ", "x-key: a ", "curl -u a", "f('token', ", "://a:", "'\"", "sk-")
    for piece in (*pieces, "-----BEGIN PRIVATE KEY-----"):
        assert isinstance(redactor.text(piece * (200_000 // len(piece))), str)


@pytest.mark.parametrize("seed", range(4))
def test_secrets_of_more_makers_and_written_in_more_ways_are_taken_out(seed: int) -> None:
    redactor = Redactor()
    told = []
    for name, secret, parts in of_other_forms(seed):
        cleared = redactor.text(f"before\n{secret}\nafter")
        longest = max(parts, key=len)
        if longest in cleared or redactor.text(cleared) != cleared:
            told.append((name, secret))
    assert told == []


@pytest.mark.parametrize(
    "code",
    [
        "import { readFileSync as readFileSyncWithRetriesAndBackoff2 } from 'fs'",
        'integrity "sha512-ZyIPTEXqQ0qE4nT7oOHSDqYyJkF9hyMNE7LQf5m1ZLW6jvQfmXKzqQ=="',
        "const chunk = 'chunk-3TBqkzXu5RmN8vLpQwEyHdJcGfAs.js'",
        'fields = ("password1", "password2")',
        'if token == "endblock": break',
        "parser.add_argument('--token', '-t', help='the token')",
        "curl -u $USER:$PASSWORD https://example.com",
        "docker run --password-stdin registry",
        "credentials: 'same-origin'",
        "<password>changeme</password>",
        'name: str = "hello world 2"',
        "def token(self, key: str = 'name_of_key') -> Token:",
        "https://user@example.com/path and https://example.com/@angular/core@17.3.1",
        "git@github.com:acme/pond.git",
        'form.add("password", "password_confirmation")',
        "12:34:56:78:90",
        "sid = self.get_session_id_v2",
        "session_id = response.cookies_2.session_id",
        "headers['X-Api-Key'] = settings.api_key_2_value",
        "a.py:12:5: E501 line too long",
        "url = f'{base}?token={request.token_2}&page=3'",
    ],
)
def test_code_that_looks_like_it_stays_too(code: str) -> None:
    assert Redactor().text(code) == code


@pytest.mark.parametrize("lead", ["", "    ", " ", "+", "{number:>3} | ", "> ", "# "])
def test_the_end_of_a_private_key_is_taken_out_however_it_is_quoted(lead: str) -> None:
    rng = random.Random(3)
    lines = ["".join(rng.choices(ALNUM + "+/", k=64)) for _ in range(5)]
    key = [*lines, "MIIQw==", "-----END RSA PRIVATE KEY-----"]
    text = "\n".join(f"{lead.format(number=number)}{line}" for number, line in enumerate(key, 7))
    cleared = Redactor().text(f"x = (1)\n{text}\ny = 2")
    assert not [line for line in (*lines, "MIIQw==") if line in cleared]
    assert cleared.startswith("x = (1)\n")
    assert cleared.endswith("\ny = 2")


def halves(text: str, at: int) -> tuple[str, str]:
    return text[:at], text[at:]


async def sent(body: JsonValue, *known: str) -> str:
    """What goes over the wire for `body`."""
    async with fake_provider(saying({})) as fake:
        egress = Egress(Door(fake.url), Redactor(known))
        async with egress.request("POST", "/chat", body, deadline=1e12) as reply:
            await reply.read(1000)
        await egress.close()
    return fake.raw.decode().replace("\\/", "/")


MARKED = [(kind, secret) for kind, secret in secrets_of_all_kinds(300) if kind in {
    "github", "gitlab", "openai project", "anthropic", "slack", "stripe", "google", "npm", "pypi", "hugging face", "jwt"
}]  # fmt: skip


async def test_a_secret_that_is_spread_over_messages_is_not_sent() -> None:
    rng = random.Random(4)
    for kind, secret in MARKED[:60]:
        first, second = halves(secret, rng.randrange(len(secret) // 3, len(secret) - 8))
        body: JsonValue = {"messages": [{"role": "user", "content": f"it begins {first}"},
                                        {"role": "user", "content": second}]}  # fmt: skip
        wire = await sent(body)
        assert second not in wire, kind
        assert "it begins" in wire


async def test_a_known_secret_in_many_pieces_or_around_a_gap_is_not_sent() -> None:
    secret = "correct-horse-battery-staple"
    pieces = [secret[at : at + 5] for at in range(0, len(secret), 5)]
    wire = await sent({"messages": [{"role": "user", "content": each} for each in pieces]}, secret)
    assert [each for each in pieces if f'"{each}"' in wire] == []
    for prompt in ("<|fim_prefix|>x = correct-horse<|fim_suffix|>-battery-staple<|fim_middle|>",
                   "[SUFFIX]-battery-staple[PREFIX]x = correct-horse"):  # fmt: skip
        wire = await sent({"prompt": prompt}, secret)
        assert "horse" not in wire
        assert "staple" not in wire
    wire = await sent({"prompt": "x = correct-horse", "suffix": "-battery-staple"}, secret)
    assert "staple" not in wire


@pytest.mark.parametrize("encode", [
    base64.b64encode, base64.urlsafe_b64encode, base64.b16encode, lambda raw: raw.hex().encode(), base64.encodebytes,
    lambda raw: base64.b64encode(base64.b64encode(raw)), lambda raw: base64.b64encode(b"user: ann, token: " + raw),
])  # fmt: skip
def test_an_encoded_secret_is_taken_out(encode: Callable[[bytes], bytes]) -> None:
    for kind, secret in [*MARKED[:40], ("known", "correct horse battery staple")]:
        encoded = encode(secret.encode()).decode()
        cleared = Redactor(["correct horse battery staple"]).text(f"before {encoded.strip()} after")
        assert "[REDACTED:encoded]" in cleared, (kind, encoded)
        assert encoded.strip()[-20:] not in cleared
        assert cleared.startswith("before ")


def test_base64_and_hexadecimal_of_other_things_stay() -> None:
    rng = random.Random(5)
    for _ in range(300):
        raw = rng.randbytes(rng.randrange(12, 200))
        for text in (base64.b64encode(raw).decode(), raw.hex(), base64.urlsafe_b64encode(raw).decode()):
            assert Redactor(["correct horse"]).text(text) == text


async def test_messages_without_secrets_are_sent_as_they_are() -> None:
    body: JsonValue = {"messages": [{"role": "user", "content": "def f(x):"}, {"role": "user", "content": "return x"}]}
    wire = await sent(body)
    assert '{"messages":[{"role":"user","content":"def f(x):"},{"role":"user","content":"return x"}]}' in wire


@pytest.mark.parametrize("before", ["\\n", "\\t", "\\u0022", "\\x22", "key%3D", "\n", '"'])
def test_a_secret_behind_an_escape_is_taken_out(before: str) -> None:
    redactor = Redactor()
    told = [
        (kind, secret)
        for kind, secret in secrets_of_all_kinds(60)
        if telling_part(secret) in redactor.text(f"see{before}{secret}").replace("\\n", "\n")
    ]
    assert told == []
