"""Made-up secrets of every kind that is known to be one, the same each time."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Iterator

Draw = Callable[[str, int], str]
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def makers(draw: Draw) -> dict[str, Callable[[], str]]:
    """One maker for each kind of secret, as its issuer makes them."""
    b64 = ALNUM + "+/"
    url = ALNUM + "_-"

    def jwt() -> str:
        return f"eyJ{draw(ALNUM, 20)}.eyJ{draw(ALNUM, 40)}.{draw(url, 43)}"

    def pem(kind: str) -> str:
        return (
            f"-----BEGIN {kind}PRIVATE KEY-----\n"
            + "\n".join(draw(b64, 64) for _ in range(6))
            + (f"\n-----END {kind}PRIVATE KEY-----")
        )

    return {
        "aws": lambda: "AKIA" + draw(string.ascii_uppercase + "234567", 16),
        "aws secret": lambda: f'aws_secret_access_key = "{draw(b64, 39)}7"',
        "github": lambda: "ghp_" + draw(ALNUM, 36),
        "github fine": lambda: f"github_pat_{draw(ALNUM, 22)}_{draw(ALNUM, 59)}",
        "gitlab": lambda: "glpat-" + draw(url, 20),
        "openai": lambda: "sk-" + draw(ALNUM, 48),
        "openai project": lambda: "sk-proj-" + draw(url, 60),
        "anthropic": lambda: "sk-ant-api03-" + draw(url, 93),
        "slack": lambda: f"xoxb-{draw(string.digits, 12)}-{draw(string.digits, 12)}-{draw(ALNUM, 24)}",
        "slack hook": lambda: f"https://hooks.slack.com/services/T{draw(ALNUM, 8)}/B{draw(ALNUM, 8)}/{draw(ALNUM, 24)}",
        "stripe": lambda: "sk_live_" + draw(ALNUM, 24),
        "google": lambda: "AIza" + draw(url, 35),
        "npm": lambda: "npm_" + draw(ALNUM, 36),
        "pypi": lambda: "pypi-AgEIcHlwaS5vcmc" + draw(url, 70),
        "hugging face": lambda: "hf_" + draw(string.ascii_letters, 34),
        "sendgrid": lambda: f"SG.{draw(url, 22)}.{draw(url, 43)}",
        "digitalocean": lambda: "dop_v1_" + draw(HEX, 64),
        "shopify": lambda: "shpat_" + draw(HEX, 32),
        "databricks": lambda: "dapi" + draw(HEX, 32),
        "telegram": lambda: f"{draw('123456789', 9)}:AA{draw(url, 33)}",
        "jwt": jwt,
        "bearer": lambda: f"Authorization: Bearer {draw(ALNUM, 40)}",
        "basic": lambda: f"Authorization: Basic {base64.b64encode(draw(ALNUM, 24).encode()).decode()}",
        "rsa": lambda: pem("RSA "),
        "openssh": lambda: pem("OPENSSH "),
        "database": lambda: f"postgresql://duck:{draw(ALNUM, 16)}@db.internal:5432/duck",
        "azure": lambda: f"AccountKey={draw(b64, 86)}==",
        "password": lambda: f'password = "{draw(ALNUM, 11)}7!"',
        "yaml": lambda: f"api_key: {draw(ALNUM, 30)}7a",
        "env": lambda: f"CLIENT_SECRET={draw(ALNUM, 30)}7a",
    }  # fmt: skip


def written_otherwise(draw: Draw) -> dict[str, Callable[[], tuple[str, str]]]:
    """Ordinary ways in which people write secrets, made without looking at what is looked for: the text, the secret."""

    def told(form: str, secret: str) -> tuple[str, str]:
        return form.format(secret), secret

    def key() -> str:
        return base64.b64encode(draw(ALNUM, 32).encode()).decode()

    return {
        "key of 32 bytes": lambda: told("SECRET_KEY={}", key()),
        "key of 32 bytes in YAML": lambda: told("encryption_key: {}", key()),
        "short password of an environment": lambda: told("DB_PASSWORD={}", draw(string.ascii_lowercase, 7) + "2x"),
        "short password of a program": lambda: told("PGPASSWORD={}", "s3" + draw(string.ascii_lowercase, 6) + "9"),
        "odd password": lambda: told("password: {}", "Tr0ub" + draw(string.ascii_lowercase, 3) + "&3"),
        "pwd": lambda: told('pwd = "{}"', "S3cr" + draw(ALNUM, 6)),
        "pw": lambda: told('ADMIN_PW="{}"', "S3" + draw(ALNUM, 8)),
        "key of a service": lambda: told('OPENAI_KEY = "{}"', draw(HEX, 31) + "7"),
        "key of a service in an environment": lambda: told("AZURE_OPENAI_KEY={}", "a7" + draw(HEX, 30)),
        "passphrase": lambda: told('password = "{}"', f"correct {draw(string.ascii_lowercase, 5)} 7battery"),
        "quoted in a text": lambda: told('x = "{{\\"password\\": \\"{}\\"}}"', draw(ALNUM, 11) + "7"),
        "quoted twice": lambda: told('\\\\\\"api_key\\\\\\": \\\\\\"{}\\\\\\"', draw(ALNUM, 20) + "7"),
        "with a quote in it": lambda: told("password = '{}'", f'{draw(ALNUM, 5)}"{draw(ALNUM, 5)}7'),
    }


def secrets_of_all_kinds(count: int) -> Iterator[tuple[str, str]]:
    """Kind and text of `count` made-up secrets, the same each time."""
    rng = random.Random(20)
    made = makers(lambda alphabet, length: "".join(rng.choices(alphabet, k=length)))
    kinds = list(made)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield kind, made[kind]()


def telling_part(secret: str) -> str:
    """The part that must not get out: the longest run without spaces, quotes or marks of a URL."""
    for mark in (' = "', ": ", "="):
        if mark in secret and not secret.startswith("-----"):
            secret = secret.split(mark, 1)[1]
            break
    secret = secret.strip('"').removeprefix("Bearer ").removeprefix("Basic ")
    if "://duck:" in secret:
        return secret.split(":")[2].split("@")[0]
    return secret.splitlines()[2] if secret.startswith("-----") else secret[-20:]
