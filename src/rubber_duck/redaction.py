"""Takes secrets out of what leaves; the last function before the socket calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]

DEPTH: Final = 64
"""JSON nested deeper than this is not sent."""

_MIN_KNOWN_CHARACTERS: Final = 6  # a shorter value would blot out ordinary words

_TOKENS: Final = (
    ("private-key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
     r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)"),
    ("aws-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    ("gitlab-token", r"\bgl(?:pat|dt|ptt|rt|cbt|soat|agent|ft|imt)-[A-Za-z0-9_\-]{20,}"),
    ("anthropic-key", r"\bsk-ant-[A-Za-z0-9_\-]{16,}"),
    ("openai-key", r"\bsk-(?:proj-|svcacct-|admin-|or-v1-|None-)?[A-Za-z0-9_\-]{20,}"),
    ("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}|\bxapp-\d-[A-Za-z0-9\-]{10,}"),
    ("slack-webhook", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{20,}"),
    ("stripe-key", r"\b(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}"),
    ("google-key", r"\bAIza[A-Za-z0-9_\-]{35}|\bGOCSPX-[A-Za-z0-9_\-]{20,}|\bya29\.[A-Za-z0-9_\-]{20,}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-token", r"\bpypi-[A-Za-z0-9_\-]{50,}"),
    ("huggingface-token", r"\b(?:hf|api_org)_[A-Za-z]{30,}"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
    ("mailgun-key", r"\bkey-[0-9a-f]{32}\b"),
    ("twilio-key", r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    ("digitalocean-token", r"\bdo[oprt]_v1_[0-9a-f]{64}"),
    ("shopify-token", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("square-token", r"\bsq0[a-z]{3}-[A-Za-z0-9_\-]{22,}|\bEAAA[A-Za-z0-9_\-]{56,}"),
    ("databricks-token", r"\bdapi[0-9a-f]{32}\b"),
    ("telegram-token", r"\b\d{8,10}:AA[A-Za-z0-9_\-]{32,}"),
    ("discord-token", r"\b[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,}"),
    ("vault-token", r"\bhv[sbr]\.[A-Za-z0-9_\-]{20,}"),
    ("age-key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    ("postman-key", r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("linear-key", r"\blin_api_[A-Za-z0-9]{32,}"),
    ("grafana-token", r"\bgl(?:sa|c)_[A-Za-z0-9+/=_]{32,}"),
    ("groq-key", r"\bgsk_[A-Za-z0-9]{32,}"),
    ("duck-key", r"\bduck_[A-Za-z0-9_\-]{32,}"),
    ("jwt", r"\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"),
    ("azure-key", r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}|\bsig=[A-Za-z0-9%+/]{40,}"),
)  # fmt: skip
"""What is a secret wherever it stands, by the marks its maker gave it."""

_WHOLE: Final = re.compile("|".join(f"(?P<{name.replace('-', '_')}>{pattern})" for name, pattern in _TOKENS))
_URL: Final = re.compile(
    r"(?P<before>\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s/:@'\"<>]{0,200}:)(?P<secret>[^\s/@'\"<>]{3,200})(?=@)"
)
_HEADER: Final = re.compile(
    r"(?P<before>\b(?:authorization|proxy-authorization)\b['\"]?\s{0,4}[:=]\s{0,4}['\"]?(?:bearer|basic|token)\s{1,4})"
    r"(?P<secret>[A-Za-z0-9+/_.~=\-]{8,})",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"(?P<before>(?:pass(?:word|wd|phrase)|secret(?:[_\-]?(?:access[_\-]?)?key)?|api[_\-]?key|access[_\-]?key|"
    r"auth[_\-]?token|access[_\-]?token|refresh[_\-]?token|client[_\-]?secret|private[_\-]?key|encryption[_\-]?key|token)"
    r"[A-Za-z0-9_]{0,20}['\"]?\]?\s{0,8}(?:=>|:=|=|:)\s{0,8})"
    r"(?:(?P<mark>['\"`])(?P<quoted>[^'\"`\s]{8,400})(?P=mark)|(?P<bare>[A-Za-z0-9+/_.~\-=!@#$%^&*]{12,400}))",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"(?:\$\{?[A-Za-z_]|%[({sd]|\{\{?[A-Za-z_]|<[A-Za-z]|\[REDACTED|os\.|process\.|env\.|getenv|config[.\[]|settings[.\[]|self\.|"
    r"example|changeme|placeholder|your[_\-]|x{6,}|\*{4,})",
    re.IGNORECASE,
)


class Redactor:
    """Replaces secrets by `[REDACTED:kind]`: those its maker marked, those a name announces, and `known` values."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` are secrets of this installation, of whatever look; those under 6 characters are passed over."""
        self.learn(known)

    def learn(self, known: Iterable[str]) -> None:
        """Take these as known from now on, in place of those before."""
        values = sorted({each for each in known if len(each) >= _MIN_KNOWN_CHARACTERS}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, values))) if values else None

    def text(self, text: str) -> str:
        """`text` without secrets; done twice it changes nothing more."""
        if self._known is not None:
            text = self._known.sub("[REDACTED:known]", text)
        text = _WHOLE.sub(lambda found: f"[REDACTED:{(found.lastgroup or '').replace('_', '-')}]", text)
        text = _URL.sub(r"\g<before>[REDACTED:password]", text)
        text = _HEADER.sub(r"\g<before>[REDACTED:credential]", text)
        return _NAMED.sub(_named, text)

    def value(self, value: JsonValue, depth: int = 0) -> JsonValue:
        """A JSON value whose texts, and keys of objects, hold no secrets. Raises ValueError when it is too deep."""
        if depth > DEPTH:
            raise ValueError(f"nested deeper than {DEPTH}")
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(each, depth + 1) for each in value]
            case dict():
                return {self.text(key): self._member(key, each, depth) for key, each in value.items()}
            case _:
                return value

    def _member(self, key: str, value: JsonValue, depth: int) -> JsonValue:
        """A value that its key may announce as a secret."""
        if isinstance(value, str) and value and "\n" not in value:
            announced = f"{key}: {value!s}"
            cleaned = self.text(announced)
            if cleaned != announced and cleaned.startswith(f"{key}: "):
                return cleaned[len(key) + 2 :]
        return self.value(value, depth + 1)


def _named(found: re.Match[str]) -> str:
    value = found["quoted"] or found["bare"]
    if _HARMLESS.match(value) or not _is_telling(value, is_quoted=found["quoted"] is not None):
        return found[0]
    mark = found["mark"] or ""
    return f"{found['before']}{mark}[REDACTED:named]{mark}"


def _is_telling(value: str, *, is_quoted: bool) -> bool:
    """Whether a value looks like a secret and not like a name: a bare one needs letters and digits and no call."""
    has_digit = any(each.isdigit() for each in value)
    has_letter = any(each.isalpha() for each in value)
    if is_quoted:
        return has_digit or not value.replace("_", "").replace("-", "").replace(".", "").isalpha()
    return has_digit and has_letter and not value.endswith((".", "="))
