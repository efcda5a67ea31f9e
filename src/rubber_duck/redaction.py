"""Takes secrets out of what leaves; the last function before the socket calls it."""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Iterable, Iterator
from typing import Final

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]

DEPTH: Final = 64
"""JSON nested deeper than this is not sent."""

_MIN_KNOWN_CHARACTERS: Final = 6  # a shorter value would blot out ordinary words
_MOST_KEYS: Final = 200

_START: Final = r"(?:\b|(?<=\\[nrtbfv0])|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
"""Where a word begins, also behind an escape in a text that is quoted in a text: `\\n`, `\\u0022`, `%3D`."""

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

_MARKS: Final = {
    "private-key": ("PRIVATE KEY",), "aws-key": ("AKIA", "ASIA", "ABIA", "ACCA"),
    "github-token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), "gitlab-token": ("gl",),
    "anthropic-key": ("sk-ant-",), "openai-key": ("sk-",), "slack-token": ("xox", "xapp-"),
    "slack-webhook": ("hooks.slack",), "stripe-key": ("sk_", "rk_", "whsec_"),
    "google-key": ("AIza", "GOCSPX-", "ya29."),
    "npm-token": ("npm_",), "pypi-token": ("pypi-",), "huggingface-token": ("hf_", "api_org_"),
    "sendgrid-key": ("SG.",),
    "mailgun-key": ("key-",), "twilio-key": ("SK", "AC"), "digitalocean-token": ("_v1_",), "shopify-token": ("shp",),
    "square-token": ("sq0", "EAAA"), "databricks-token": ("dapi",), "telegram-token": (":AA",), "vault-token": ("hv",),
    "age-key": ("AGE-SECRET-KEY-1",), "postman-key": ("PMAK-",), "linear-key": ("lin_api_",),
    "grafana-token": ("glsa_", "glc_"), "groq-key": ("gsk_",), "duck-key": ("duck_",), "jwt": ("eyJ",),
    "azure-key": ("AccountKey=", "SharedAccessKey=", "sig="), "discord-token": (".",),
}  # fmt: skip
"""What a text that holds such a secret holds: to look for it is a hundred times faster than the pattern."""

_STARTED: Final = tuple((name, re.sub(r"(^|\|)\\b", lambda at: at[1] + _START, written)) for name, written in _TOKENS)
_EACH: Final = tuple((_MARKS[name], re.compile(pattern), f"[REDACTED:{name}]") for name, pattern in _STARTED)
_URL: Final = re.compile(
    rf"(?P<before>{_START}[a-zA-Z][a-zA-Z0-9+.\-]{{1,20}}://[^\s/:@'\"<>]{{0,200}}:)"
    r"(?P<secret>[^\s/@'\"<>]{3,200})(?=@)"
)
_HEADER: Final = re.compile(
    rf"(?P<before>{_START}(?:authorization|proxy-authorization)\b['\"]?\s{{0,4}}[:=]\s{{0,4}}['\"]?"
    r"(?:bearer|basic|token)\s{1,4})"
    r"(?P<secret>[A-Za-z0-9+/_.~=\-]{8,})",
    re.IGNORECASE,
)
_SETS: Final = r"(?:\\{0,7}['\"])?\]?\s{0,8}(?:=>|:=|=|:)\s{0,8}"
"""Between a name and its value; the name may stand in quotes, also in a text that is quoted in a text."""

_NAMED: Final = re.compile(
    r"(?P<before>(?P<name>pass(?:word|wd|phrase)|(?<![a-z])pwd?(?![a-z])|secret(?:[_\-]?(?:access[_\-]?)?key)?|"
    r"api[_\-]?key|access[_\-]?key|auth[_\-]?token|access[_\-]?token|refresh[_\-]?token|client[_\-]?secret|"
    rf"private[_\-]?key|encryption[_\-]?key|token)(?P<more>[A-Za-z0-9_]{{0,20}}){_SETS})"
    r"(?:(?P<mark>['\"`])(?P<quoted>(?:(?!(?P=mark))[^\\\r\n]|\\[^\r\n]){8,400})(?P=mark)"
    r"|(?P<slashed>\\{1,7}['\"`])(?P<escaped>[^'\"`\r\n]{8,400}?)(?P=slashed)"
    r"|(?P<bare>[A-Za-z0-9+/_.~\-=!@#$%^&*]{8,400})(?![A-Za-z0-9+/_.~\-=!@#$%^&*(\[]))",
    re.IGNORECASE,
)
_PASSWORD: Final = re.compile(r"pass(?!word_?hash)|pw", re.IGNORECASE)
_BASE64: Final = re.compile(r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z0-9+/_\-]{20,}={1,2}")
_STRICT_WORD: Final = re.compile(
    r"\b(?:least|most|must|should|cannot|characters?|chars?|digits?|letters?|symbols?|minimum|maximum|min|max|length|long"
    r"|short|required|between|contains?|enter|invalid|than)\b",
    re.IGNORECASE,
)
_PLAIN_WORD: Final = re.compile(
    r"\b(?:at|be|or|more|a|an|and|the|of|is|are|with|your|passwords?|use|one|not|please|in|to|too|only)\b",
    re.IGNORECASE,
)
"""Words of a sentence about passwords: one that says what is wanted, and another beside it."""

_OF_A_NAME: Final = re.compile(
    r"_?(?:field|name|label|id|header|param|url|path|file|hint|type|prefix)s?$", re.IGNORECASE
)
"""What a name ends in that announces another name, and not a secret."""

_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_LONG_BARE: Final = 12
_MOST_SPACES: Final = 4
_KEYED: Final = re.compile(
    rf"(?P<before>\b[A-Z][A-Z0-9_]{{0,40}}_(?:KEY|PAT|CREDENTIALS?){_SETS}(?:\\{{0,7}}['\"`])?)"
    r"(?=[^0-9\s]{0,40}[0-9])(?=[^A-Za-z\s]{0,40}[A-Za-z])(?P<secret>[A-Za-z0-9+/_\-]{24,400}={0,2})(?![\w(\[.])"
)
"""Names of settings that end as one of a secret does, with a value as long as one."""

_WORDS: Final = re.compile(r"(?:[a-z]+\d{0,4}|\d{1,4})(?:[_\-/](?:[a-z]+\d{0,4}|\d{1,4}))+")
"""A name made of words, as constants of programs hold it; a secret mixes letters and digits within its parts."""

_PLACE: Final = re.compile(
    r"\$?\{[A-Za-z_][\w.]{0,60}\}|\$[A-Z_][A-Z0-9_]{2,60}|%\([A-Za-z_]\w{0,60}\)s|%s|%[A-Z_]{2,40}%"
)
"""Where a program, or a shell, puts what it does not say there."""

_HARMLESS: Final = re.compile(
    r"(?:\$\{?[A-Za-z_]|%[({sd]|%[A-Z_]{2,40}%|\{\{?[A-Za-z_]|<[A-Za-z]|\[REDACTED|os\.|process\.|env\.|getenv|config[.\[]|settings[.\[]|self\.|"
    r"example|changeme|placeholder|your[_\-]|x{6,}|\*{4,})",
    re.IGNORECASE,
)

_ENCODED: Final = re.compile(
    r"(?:[A-Za-z0-9+/_\-]{60,200}\r?\n[ \t]{0,40}){1,200}[A-Za-z0-9+/_\-]{1,200}={0,2}"
    r"|[A-Za-z0-9+/_\-]{16,}={0,2}"
)
_HEX: Final = re.compile(r"[0-9a-fA-F]{16,}")
_KEY_END: Final = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_KEY_CHARACTERS: Final = string.ascii_letters + string.digits + "+/=\r\n"
_TAIL_CHARACTERS: Final = 8_000
_PRINTABLE: Final = bytes(range(32, 127)) + b"\n\r\t"
_SPACE: Final = re.compile(r"\s+")
_LAYERS: Final = 3
"""A secret that was encoded oftener than this is not looked for."""

_REACH: Final = 600  # characters on each side of where two texts meet; no token is longer, and keys of files are whole
_MARK: Final = re.compile(
    r"<[|｜][^<>|｜]{1,20}[|｜]>|</?(?:fim_(?:prefix|suffix|middle)|file_sep|PRE|SUF|MID)>|\[(?:SUFFIX|PREFIX|MIDDLE)\]"
)
_LABELS: Final = frozenset({"role", "type", "model", "id", "tool_call_id", "tool_use_id", "name", "cache_control"})
"""What stands between two texts of a conversation, and is none."""


class Redactor:
    """Replaces secrets by `[REDACTED:kind]`: those its maker marked, those a name announces, and `known` values."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` are secrets of this installation, of whatever look; those under 6 characters are passed over."""
        self.learn(known)

    def learn(self, known: Iterable[str]) -> None:
        """Take these as known from now on, in place of those before."""
        values = sorted({each for each in known if len(each) >= _MIN_KNOWN_CHARACTERS}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, values))) if values else None
        self._keys: dict[str, str] = {}  # what bodies are made of: the same few names each time

    def text(self, text: str) -> str:
        """`text` without secrets, those in it as base64 or hexadecimal too; done twice it changes nothing more."""
        return self._text(text, _LAYERS)

    def body(self, value: JsonValue) -> JsonValue:
        """What is to be sent, without secrets: those that begin in one text of it and end in the next among them.

        Raises ValueError when it is nested too deeply.
        """
        return self.value(self._whole(value))

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
                return {self._key(key): self._member(key, each, depth) for key, each in value.items()}
            case _:
                return value

    def _key(self, key: str) -> str:
        held = self._keys.get(key)
        if held is None:
            held = self.text(key)
            if len(self._keys) < _MOST_KEYS and len(key) < _MOST_KEYS:
                self._keys[key] = held
        return held

    def _text(self, text: str, layers: int) -> str:
        if len(text) < _MIN_KNOWN_CHARACTERS:
            return text
        if self._known is not None:
            text = self._known.sub("[REDACTED:known]", text)
        for marks, pattern, word in _EACH:
            if any(mark in text for mark in marks):
                text = pattern.sub(word, text)
        text = _without_tails(text)
        text = _URL.sub(_in_url, text)
        text = _HEADER.sub(r"\g<before>[REDACTED:credential]", text)
        text = _NAMED.sub(_named, text)
        text = _KEYED.sub(_keyed, text)
        return _ENCODED.sub(lambda found: self._decoded(found[0], layers), text) if layers else text

    def _decoded(self, run: str, layers: int) -> str:
        """A run of letters and digits, or a word for it when a secret is encoded in it."""
        for decoded in decodings(run):
            text = decoded.decode("latin-1")
            is_text = len(decoded.translate(None, _PRINTABLE)) < len(decoded) // 10 + 1
            if self._text(text, layers - 1) != text if is_text else self._known and self._known.search(text):
                return "[REDACTED:encoded]"
        return run

    def _whole(self, value: JsonValue) -> JsonValue:
        """The value without secrets that are spread over texts that follow each other."""
        texts: list[str] = []
        _collect(value, texts)
        cuts = self._spread(texts)
        return (
            _replaced(value, iter([_cut(text, cuts.get(at, [])) for at, text in enumerate(texts)])) if cuts else value
        )

    def _spread(self, texts: list[str]) -> dict[int, list[tuple[int, int]]]:
        """For each text the stretches of it that are parts of secrets that no text holds alone."""
        pieces = [(at, *span) for at, text in enumerate(texts) for span in _between_marks(text)]
        cuts: dict[int, list[tuple[int, int]]] = {}
        for order in (pieces, _swapped(pieces)):
            ends, joined = [], ""
            for at, start, end in order:
                joined += texts[at][start:end]
                ends.append(len(joined))
            for first, last in self._secrets_in(joined, ends):
                before = 0
                for (at, start, _), end in zip(order, ends, strict=True):
                    here = (max(first, before), min(last, end))
                    if here[0] < here[1]:
                        cuts.setdefault(at, []).append((start + here[0] - before, start + here[1] - before))
                    before = end
        return cuts

    def _secrets_in(self, joined: str, ends: list[int]) -> Iterator[tuple[int, int]]:
        """Where secrets stand that run over one of the `ends`; looked for only around these."""
        windows: list[tuple[int, int]] = []
        for end in ends[:-1]:
            start, stop = max(0, end - _REACH), min(len(joined), end + _REACH)
            if windows and start <= windows[-1][1]:
                windows[-1] = (windows[-1][0], stop)
            else:
                windows.append((start, stop))
        for start, stop in windows:
            window = joined[start:stop]
            near = [pattern for marks, pattern, _ in _EACH if any(mark in window for mark in marks)]
            for pattern in (*near, *filter(None, [self._known])):
                for found in pattern.finditer(window):
                    first, last = start + found.start(), start + found.end()
                    if any(first < end < last for end in ends):
                        yield first, last

    def _member(self, key: str, value: JsonValue, depth: int) -> JsonValue:
        """A value that its key may announce as a secret."""
        if isinstance(value, str) and len(value) >= _MIN_KNOWN_CHARACTERS and "\n" not in value:
            announced = f"{key}: {value!s}"
            cleaned = self.text(announced)
            if cleaned != announced and cleaned.startswith(f"{key}: "):
                return cleaned[len(key) + 2 :]
        return self.value(value, depth + 1)


def _in_url(found: re.Match[str]) -> str:
    """A password in an address; not the place for one in a program's text."""
    is_place = _PLACE.fullmatch(found["secret"]) is not None
    return found[0] if is_place else f"{found['before']}[REDACTED:password]"


def _named(found: re.Match[str]) -> str:
    value = found["quoted"] or found["escaped"] or found["bare"]
    if _HARMLESS.match(value) or not _is_telling(found, value):
        return found[0]
    mark = found["mark"] or found["slashed"] or ""
    return f"{found['before']}{mark}[REDACTED:named]{mark}"


def _is_telling(found: re.Match[str], value: str) -> bool:
    """Whether a value looks like a secret and not like a name: a bare one needs letters and digits and no call."""
    has_digit = any(each.isdigit() for each in value)
    has_letter = any(each.isalpha() for each in value)
    is_password = _PASSWORD.match(found["name"]) is not None
    if found["bare"] is None:
        if " " in value or "\t" in value:  # a sentence as a rule, such as one about passwords
            is_short = value.count(" ") <= _MOST_SPACES and not _is_sentence(value)
            return is_password and not found["more"] and has_digit and is_short
        if _OF_A_NAME.search(found["more"]) and (
            _WORDS.fullmatch(value) or (value.isalnum() and value.islower() and len(value) < _LONG_BARE)
        ):
            return False
        return has_digit or not value.replace("_", "").replace("-", "").replace(".", "").isalpha()
    if not (has_digit and has_letter) or value.endswith(".") or value.startswith(("/", "~")):
        return False
    if found["before"].endswith(" ") and _CONSTANT.fullmatch(value):
        return False  # a constant of the program
    if value.endswith("="):
        return _BASE64.fullmatch(value) is not None
    is_long = len(value) >= _LONG_BARE and not found["name"].lower().startswith("pw")
    return is_long or (is_password and _is_short_secret(found, value))


def _is_sentence(value: str) -> bool:
    """Whether words say what a password has to be."""
    strict = len(_STRICT_WORD.findall(value))
    return strict > 0 and strict + len(_PLAIN_WORD.findall(value)) > 1


def _keyed(found: re.Match[str]) -> str:
    return found[0] if _WORDS.fullmatch(found["secret"]) else f"{found['before']}[REDACTED:named]"


def _is_short_secret(found: re.Match[str], value: str) -> bool:
    """Whether a bare value of a few characters is a password and no variable: set as in an environment, or odd."""
    is_setting = found["name"].isupper() and found["before"].endswith("=") and found["before"][-2:-1] not in " =:"
    is_odd = any(each in "!@#$%^&*" for each in value)
    is_mixed = value.isalnum() and not value.islower() and not value.isupper() and value[0].isupper()
    return is_setting or is_odd or is_mixed


def _without_tails(text: str) -> str:
    """The text without ends of private keys whose beginning is somewhere else."""
    parts, last = [], 0
    for end in _KEY_END.finditer(text):
        before = text[max(last, end.start() - _TAIL_CHARACTERS) : end.start()]
        start = end.start() - len(before) + len(before.rstrip(_KEY_CHARACTERS))
        parts.append(f"{text[last:start]}[REDACTED:private-key]")
        last = end.end()
    return "".join((*parts, text[last:])) if parts else text


def decodings(run: str) -> Iterator[bytes]:
    """The bytes that a run of letters and digits may stand for, as base64 or in hexadecimal."""
    bare = _SPACE.sub("", run)
    if _HEX.fullmatch(bare) and len(bare) % 2 == 0:
        yield bytes.fromhex(bare)
    plain = bare.rstrip("=").replace("-", "+").replace("_", "/")
    for skipped in range(min(4, len(plain))):  # where something was written before it, it does not begin at a quartet
        quartets = plain[skipped:]
        padded = quartets[: len(quartets) - 1] if len(quartets) % 4 == 1 else quartets
        try:
            decoded = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
        except (binascii.Error, ValueError):
            return
        yield decoded


def _collect(value: JsonValue, texts: list[str], key: str = "") -> None:
    """Every text in its order, except labels."""
    match value:
        case str() if key not in _LABELS:
            texts.append(value)
        case list():
            for each in value:
                _collect(each, texts, key)
        case dict():
            for name, each in value.items():
                _collect(each, texts, name)


def _replaced(value: JsonValue, texts: Iterator[str], key: str = "") -> JsonValue:
    """The same value with other texts, in the order of `_collect`."""
    match value:
        case str() if key not in _LABELS:
            return next(texts)
        case list():
            return [_replaced(each, texts, key) for each in value]
        case dict():
            return {name: _replaced(each, texts, name) for name, each in value.items()}
        case _:
            return value


def _between_marks(text: str) -> Iterator[tuple[int, int]]:
    """The stretches between marks of families of models: what stands before and after a gap belongs together."""
    start = 0
    for mark in _MARK.finditer(text):
        yield start, mark.start()
        start = mark.end()
    yield start, len(text)


def _swapped(pieces: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The pieces with those of one text in reverse: some families are told the suffix first."""
    return sorted(pieces, key=lambda piece: (piece[0], -piece[1]))


def _cut(text: str, stretches: list[tuple[int, int]]) -> str:
    for start, end in sorted(set(stretches), reverse=True):
        text = f"{text[:start]}[REDACTED:spread]{text[end:]}"
    return text
