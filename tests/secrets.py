"""Made-up secrets of every kind that is known to be one, the same each time."""

from __future__ import annotations

import base64
import random
import re
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


FORMS = {
    "aws of any digits": "AKIA{U16}", "hugging face of digits": "hf_{A34}", "xai": "xai-{A80}",
    "perplexity": "pplx-{A48}", "replicate": "r8_{A37}", "nvidia": "nvapi-{W64}", "docker": "dckr_pat_{W27}",
    "atlassian": "ATATT3xFfGF0{W180}", "bitbucket": "ATBB{A32}", "rubygems": "rubygems_{H48}", "notion": "ntn_{A46}",
    "figma": "figd_{W40}", "planetscale": "pscale_tkn_{W43}", "supabase": "sbp_{H40}", "newrelic": "NRAK-{U27}",
    "sentry": "sntrys_{A60}", "hubspot": "pat-na1-{H8}-{H4}-{H4}-{H4}-{H12}", "doppler": "dp.pt.{A43}",
    "heroku": "HRKU-{W60}", "fly": "FlyV1 fm2_{A90}", "netlify": "nfp_{A36}", "tailscale": "tskey-auth-{A12}-{A32}",
    "dynatrace": "dt0c01.{U24}.{U64}", "pulumi": "pul-{H40}", "terraform": "{A14}.atlasv1.{W67}",
    "alibaba": "LTAI{A20}", "nuget": "oy2{L43}", "crates": "cio{A32}", "mailchimp": "{H32}-us12",
    "mailgun": "{H32}-{H8}-{H8}", "azure directory": "{A3}8Q~{A34}", "google refresh": "1//0{W60}",
    "google push": "AAAA{A7}:APA91b{W134}", "discord hook": "https://discord.com/api/webhooks/{D18}/{W68}",
    "gitlab runner": "GR1348941{W20}", "gitlab oauth": "gloas-{H64}", "artifactory": "AKCp{A69}",
    "airtable": "pat{A14}.{H64}", "asana": "1/{D16}:{H32}", "contentful": "CFPAT-{W43}",
    "launchdarkly": "sdk-{H8}-{H4}-{H4}-{H4}-{H12}", "paypal": "A21AA{W90}",
    "braintree": "access_token$production${L16}${H32}", "brevo": "xkeysib-{H64}-{A16}",
    "circleci": "CCIPAT_{A22}_{H40}", "together": "tgp_v1_{W43}", "pinecone": "pcsk_{A5}_{A63}",
    "langsmith": "lsv2_pt_{H32}_{H10}", "okta": "00aA{W38}", "of a maker that nobody knows": "quack_live_{A26}aB3dE5",
    "hash of a password": "ann:$apr1${A8}${A22}", "typed": 'password: str = "{A12}7!"',
    "Final": 'API_KEY: Final[str] = "{A30}7"', "TypeScript": 'const apiKey: string = "{A30}7";',
    "Rust": "let api_key: &'static str = \"{A30}7\";", "Kotlin": 'val password: String = "{A12}7"',
    "Go": 'var password string = "{A12}7"', "C": 'char password[] = "{A12}7";',
    "C#": 'string Password {{ get; }} = "{A12}7";', "bytes": 'api_key = b"{A30}7"',
    "XML": "<password>{A12}7</password>", "an attribute": '<add key="ApiKey" value="{A30}7" />',
    "setenv": 'os.Setenv("API_TOKEN", "{A30}7")', "in place of a variable": 'os.getenv("DB_PASSWORD", "{A12}7!")',
    "or": 'os.environ.get("API_KEY") or "{A20}7"', "compared": 'if password == "{A12}7!":',
    "shell's default": "${{API_KEY:-{A20}7}}", "option": "deploy --token {A30}7",
    "curl": "curl -u admin:{A12}7 https://x", "netrc": "machine x login ann password {A12}7",
    "pgpass": "db:5432:app:ann:{A12}7", "SQL": "CREATE USER ann IDENTIFIED BY '{A12}7'",
    "PostgreSQL": "ALTER USER ann WITH PASSWORD '{A12}7'", "a header of its own": "X-Api-Key: {A30}7",
    "another scheme": "Authorization: ApiKey {A40}7", "no scheme": "Authorization: {A40}7",
    "in an address": "https://{H39}7@github.com/a/b.git", "ADO": "Server=db;User Id=sa;Password={A9}7;",
    "JDBC": "jdbc:postgresql://h/db?user=a&password={A11}7", "another key": 'signing_key = "{A40}7"',
    "docker's file": '"auth": "{A38}7="', "session": "Cookie: sessionid={A30}7a", "passwort": 'passwort = "{A12}7"',
}  # fmt: skip
"""Forms of more makers, and more ways to write secrets: `{A30}` are 30 letters and digits, and so on."""

ALPHABETS = {
    "A": ALNUM, "H": HEX, "U": string.ascii_uppercase + string.digits, "L": string.ascii_lowercase + string.digits,
    "W": ALNUM + "_-", "D": string.digits,
}  # fmt: skip


def of_other_forms(seed: int) -> Iterator[tuple[str, str, list[str]]]:
    """Name, text and the drawn parts of one secret of each form."""
    rng = random.Random(seed)
    for name, form in FORMS.items():
        parts: list[str] = []

        def drawn(found: re.Match[str], parts: list[str] = parts) -> str:
            parts.append("".join(rng.choices(ALPHABETS[found[1]], k=int(found[2]))))
            return parts[-1]

        yield name, re.sub(r"\{([AHULWD])(\d+)\}", drawn, form).replace("{{", "{").replace("}}", "}"), parts
