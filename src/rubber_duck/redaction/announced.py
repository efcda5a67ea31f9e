"""Secrets that something before them announces: a name, a scheme, an address, an option of a command."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Final

_START: Final = r"(?:\b|(?<=\\[nrtbfv0])|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
"""Where a word begins, also behind an escape in a text that is quoted in a text: `\\n`, `\\u0022`, `%3D`."""

_KIND_OF_KEY: Final = (
    "api|access|private|encryption|signing|sign|auth|master|service|session|cookie|account|storage|shared|webhook|hmac|jwt|"
    "licen[cs]e|subscription|deploy|admin|root|consumer|server|ssh|aes|hash"
)
_NAME: Final = (
    r"pass(?:word|wd|phrase|code)|passwort|contrase(?:ñ|n)a|(?<![a-z])pwd?(?![a-z])"
    r"|secret(?:[_\-]?(?:access[_\-]?)?key)?"
    rf"|(?:{_KIND_OF_KEY})[_\-]?key|(?:auth|access|refresh|session|bearer|id)[_\-]?token|client[_\-]?secret|credentials?|token"
)
_TYPE: Final = (
    r"(?:\s{0,4}:\s{0,4}[&A-Za-z][\w.\[\]|<>?&', ]{0,60}?|\s{1,4}[a-z]\w{0,20}|\s{0,2}\[\d{0,5}\]"
    r"|\s{0,2}\{ ?get;[^{}\n]{0,20}\})(?=\s{0,8}:?=[^=>~])"
)
_SETS: Final = (
    rf"(?:\\{{0,7}}['\"])?[\])]?(?:{_TYPE})?\s{{0,8}}"
    r"(?P<sets>=>|:=|:-|===?|!==?|=|:|\|\||\?\?|or(?= ))\s{0,8}(?:[fFrRbBuU@$]{1,2}(?=['\"`]))?"
)
"""Between a name and its value: a type, and a sign; the name may stand in quotes, also in a text quoted in a text."""

_COMPARES: Final = frozenset({"==", "===", "!=", "!==", "||", "??", "or"})

_URL: Final = re.compile(
    rf"(?P<before>{_START}[a-zA-Z][a-zA-Z0-9+.\-]{{1,20}}://[^\s/:@'\"<>]{{0,200}}:)"
    r"(?P<secret>[^\s/@'\"<>]{3,200})(?=@)"
)
_URL_TOKEN: Final = re.compile(r"(?P<before>://)(?P<secret>[A-Za-z0-9_\-]{16,255})(?=@)")
_HEADER: Final = re.compile(
    rf"(?P<before>{_START}(?:(?:proxy-)?authorization|x-[a-z\-]{{0,20}}(?:key|token|secret|auth)|api-key)\b"
    r"['\"]?\s{0,4}[:=,]\s{0,4}['\"`]?(?:(?P<scheme>[A-Za-z][A-Za-z\-]{2,15})\s{1,4})?)"
    r"(?P<secret>[A-Za-z0-9+/_.~=\-]{8,})",
    re.IGNORECASE,
)
_SCHEMES: Final = frozenset({"bearer", "basic", "token", "apikey", "api-key", "negotiate", "digest", "key"})
_NAMED: Final = re.compile(
    rf"(?P<before>(?P<name>{_NAME})(?P<more>[A-Za-z0-9_]{{0,20}}+){_SETS})"
    r"(?:(?P<mark>['\"`])(?P<quoted>(?:(?!(?P=mark))[^\\\r\n]|\\[^\r\n]){8,400})(?P=mark)"
    r"|(?P<slashed>\\{1,7}['\"`])(?P<escaped>[^'\"`\r\n]{8,400}?)(?P=slashed)"
    r"|(?P<bare>[A-Za-z0-9+/_.~\-=!@#$%^&*]{8,400}+)(?![A-Za-z0-9+/_.~\-=!@#$%^&*(\[]))",
    re.IGNORECASE,
)
_GIVEN: Final = re.compile(
    rf"(?P<before>\b\w{{1,40}}\(\s{{0,4}}['\"][\w.\-]{{0,40}}?(?P<name>{_NAME})(?P<more>[\w\-]{{0,20}})['\"]\s{{0,4}},\s{{0,4}}"
    r"(?:[\w.]{1,40}\s{0,2}=\s{0,2})?)(?P<mark>['\"`])(?P<quoted>[^'\"`\r\n]{8,400})(?P=mark)",
    re.IGNORECASE,
)
"""A name and its value, or one in its place, as two arguments of a call."""

_TAGGED: Final = re.compile(
    rf"(?P<before><[\w:.\-]{{0,30}}?(?P<name>{_NAME})[\w.\-]{{0,10}}(?:\s[^<>]{{0,100}})?>\s{{0,20}})(?P<secret>[^<>\s]{{6,400}})(?=\s{{0,20}}</)"
    rf"|(?P<key>\b(?:key|name|id)\s?=\s?['\"][^'\"<>]{{0,40}}?(?:{_NAME})[^'\"<>]{{0,20}}['\"]\s{{1,20}}value\s?=\s?['\"])(?P<value>[^'\"<>]{{6,400}})",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(
    r"(?P<before>\b(?:identified\s{1,4}by|(?:with|encrypted|set)\s{1,4}password|password\s{1,4}(?=')|pwd\s{1,4}(?='))"
    r"(?:\s{1,4}password)?\s{0,4}=?\s{0,4}(?P<mark>['\"]))(?P<secret>[^'\"\r\n]{3,200})(?=(?P=mark))",
    re.IGNORECASE,
)
_OPTION: Final = re.compile(
    rf"(?P<before>(?<![\w\-])--?(?:[a-z]{{1,20}}-){{0,3}}(?:{_NAME})[ =]{{1,2}}['\"]?)"
    r"(?P<secret>[^\s'\"<>$\[{(|]{8,400})"
    r"|(?P<login>\b(?:curl|wget|https?)\b[^\r\n]{0,200}?\s(?:-u|--user)[ =]{1,2}['\"]?[^\s:'\"$]{1,80}:)"
    r"(?P<pair>[^\s'\"$]{3,200})"
    r"|(?P<machine>\blogin\s{1,4}\S{1,80}\s{1,4}password\s{1,4})(?P<netrc>[^\s<>$]{3,200})"
    r"|(?P<short>\b(?:sshpass|mysql(?:dump|admin)?|mariadb|redis-cli)\b[^\r\n]{0,120}?\s-(?:p|a) ?)"
    r"(?P<brief>[^\s\-'\"$<>]{4,200})",
    re.IGNORECASE,
)
"""A secret on a command line, and in a file of logins."""

_PGPASS: Final = re.compile(
    r"(?P<before>^[ \t>+]{0,8}[\w.\-*]{1,80}:(?:\d{2,5}|\*):[\w\-*]{1,60}:[\w.\-*]{1,60}:)(?P<secret>\S{4,200})$",
    re.MULTILINE,
)
_COOKIE: Final = re.compile(
    r"(?P<before>\b(?:session_?id|jsessionid|phpsessid|connect\.sid|laravel_session|csrftoken|sid)\s?=\s?)"
    r"(?P<secret>[A-Za-z0-9%_\-.]{16,400})",
    re.IGNORECASE,
)
_MNEMONIC: Final = re.compile(
    r"(?P<before>\b(?:mnemonic|seed[_ ]?phrase|recovery[_ ]?phrase)\w{0,10}['\"]?\s{0,4}[:=]\s{0,4}['\"]?)"
    r"(?:[a-z]{3,8} ){11,23}[a-z]{3,8}\b",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(
    r"(?P<before>[;?&](?:user )?(?:password|passwd|pwd|secret|api_?key|access_?token|token|client_?secret)\s?=\s?)"
    r"(?P<secret>[^;&'\"\s<>]{3,400})(?=[;&'\"\s]|\Z)",
    re.IGNORECASE,
)
_DOCKER: Final = re.compile(
    r"(?P<before>['\"]_?auth['\"]?\s{0,4}[:=]\s{0,4}['\"])(?P<secret>[A-Za-z0-9+/]{12,}={0,2})(?=['\"])"
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
_LEAST_TURNS: Final = 6
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

_CODE: Final = re.compile(r"[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60})+|[a-z][a-z0-9]{0,40}(?:_[a-z0-9]{1,40})+")
"""A name in a program, or of a member of something."""

_HARMLESS: Final = re.compile(
    r"(?:\$\{?[A-Za-z_]|%[({sd]|%[A-Z_]{2,40}%|\{\{?[A-Za-z_]|<[A-Za-z]|\[REDACTED|os\.|process\.|env\.|getenv|config[.\[]|settings[.\[]|self\.|"
    r"example|changeme|placeholder|your[_\-]|x{6,}|\*{4,})",
    re.IGNORECASE,
)


_SELF: Final = re.compile(rf"[\w.\-]{{0,30}}(?:{_NAME})[\w.\-]{{0,20}}", re.IGNORECASE)
"""A value that is itself a name of what is secret."""

_HINT: Final = re.compile(
    "pass|pw|secret|key|token|contrase|credential|auth|://|identified|mnemonic|phrase|login|session|sid|csrf|mysql|mariadb"
    r"|redis-cli|curl|wget|http|:\d{3,5}:"
)
"""What a line holds, in small letters, that announces something, or the line before it."""


def without_announced(text: str) -> str:
    """The text without these secrets. Only lines with a hint are looked at, and each with the one behind it."""
    lines = text.split("\n")
    hinted = [_HINT.search(line.lower()) is not None for line in lines]
    parts: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and (hinted[end] or (end > at and hinted[end - 1])):
            end += 1
        if end == at:
            parts.append(lines[at])
            at += 1
        else:
            parts.append(_cleared("\n".join(lines[at:end])))
            at = end
    return "\n".join(parts)


def _cleared(text: str) -> str:
    lower = text.lower()
    for marks, pattern, word in _LOOKED_FOR:
        if any(mark in lower for mark in marks):
            text = pattern.sub(word, text)
    return text


def _in_url_alone(found: re.Match[str]) -> str:
    """A token in place of a user in an address."""
    is_token = _is_mixed(found["secret"]) and not _WORDS.fullmatch(found["secret"])
    return f"{found['before']}[REDACTED:credential]" if is_token else found[0]


def _in_header(found: re.Match[str]) -> str:
    """What follows a scheme, or, without one, what can only be a secret."""
    scheme = (found["scheme"] or "").lower()
    is_secret = scheme in _SCHEMES or (_is_mixed(found["secret"]) and len(found["secret"]) >= _LONG_BARE)
    if not is_secret or _HARMLESS.match(found["secret"]) or _CODE.fullmatch(found["secret"]):
        return found[0]
    return f"{found['before']}[REDACTED:credential]"


def _given(found: re.Match[str]) -> str:
    value = found["quoted"]
    is_secret = any(map(str.isdigit, value)) and " " not in value and not _SELF.fullmatch(value)
    if not is_secret or _HARMLESS.match(value) or _WORDS.fullmatch(value):
        return found[0]
    return f"{found['before']}{found['mark']}[REDACTED:named]{found['mark']}"


def _plain(found: re.Match[str]) -> str:
    value = found["secret"]
    is_place = any(
        each is not None for each in (_PLACE.fullmatch(value), _HARMLESS.match(value), _CODE.fullmatch(value))
    )
    return found[0] if is_place or not any(map(str.isdigit, value)) else f"{found['before']}[REDACTED:named]"


def _in_words(found: re.Match[str]) -> str:
    return f"{found['before']}[REDACTED:credential]"


def _cookie(found: re.Match[str]) -> str:
    value = found["secret"]
    is_secret = _is_mixed(value) and not _WORDS.fullmatch(value) and not _CODE.fullmatch(value)
    return f"{found['before']}[REDACTED:named]" if is_secret else found[0]


def _tagged(found: re.Match[str]) -> str:
    before, value = found["before"] or found["key"], found["secret"] or found["value"]
    is_secret = any(map(str.isdigit, value)) and " " not in value and not _SELF.fullmatch(value)
    return f"{before}[REDACTED:named]" if is_secret and not _HARMLESS.match(value) else found[0]


def _asked(found: re.Match[str]) -> str:
    value = found["secret"]
    is_place = _PLACE.fullmatch(value) is not None or _HARMLESS.match(value) is not None
    return found[0] if is_place or " " in value else f"{found['before']}[REDACTED:password]"


def _option(found: re.Match[str]) -> str:
    before = found["before"] or found["login"] or found["machine"] or found["short"]
    value = found["secret"] or found["pair"] or found["netrc"] or found["brief"]
    is_named = found["before"] is not None
    is_place = _PLACE.fullmatch(value) is not None or _HARMLESS.match(value) is not None
    is_word = is_named and not (any(map(str.isdigit, value)) and any(map(str.isalpha, value)))
    is_path = value.startswith(("/", "~", "./", "@")) or _SELF.fullmatch(value) is not None
    return found[0] if is_place or is_word or is_path else f"{before}[REDACTED:named]"


def _is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _in_url(found: re.Match[str]) -> str:
    """A password in an address; not the place for one in a program's text."""
    is_place = _PLACE.fullmatch(found["secret"]) is not None or found["before"].endswith("[REDACTED:")
    return found[0] if is_place else f"{found['before']}[REDACTED:password]"


def _named(found: re.Match[str]) -> str:
    value = found["quoted"] or found["escaped"] or found["bare"]
    if found["sets"] in _COMPARES and (found["bare"] is not None or _SELF.fullmatch(value)):
        return found[0]
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
        if found["name"].lower().endswith("key") and _WORDS.fullmatch(value):
            return False
        if _OF_A_NAME.search(found["more"]) and (
            _WORDS.fullmatch(value) or (value.isalnum() and value.islower() and len(value) < _LONG_BARE)
        ):
            return False
        is_word = value.replace("_", "").replace("-", "").replace(".", "").isalpha()
        return has_digit or not is_word or _is_jumbled(value)
    if is_password and _is_jumbled(value):
        return True
    if not (has_digit and has_letter) or value.endswith(".") or value.startswith(("/", "~")):
        return False
    if found["before"].endswith(" ") and _CONSTANT.fullmatch(value):
        return False  # a constant of the program
    if value.endswith("="):
        return _BASE64.fullmatch(value) is not None
    is_long = len(value) >= _LONG_BARE and not found["name"].lower().startswith("pw")
    return is_long or (is_password and _is_short_secret(found, value))


def _is_jumbled(value: str) -> bool:
    """Whether letters change their case as no words do that are written together."""
    if not value.isalpha() or not value.isascii():
        return False
    turns = sum(one.isupper() != other.isupper() for one, other in itertools.pairwise(value))
    return turns >= _LEAST_TURNS and turns * 5 >= len(value) * 2


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


_SECRET: Final = ("pass", "pw", "secret", "key", "token", "contrase", "credential")
_LOOKED_FOR: Final[tuple[tuple[tuple[str, ...], re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (("://",), _URL, _in_url),
    (("://",), _URL_TOKEN, _in_url_alone),
    (("authorization", "x-", "api-key"), _HEADER, _in_header),
    (_SECRET, _NAMED, _named),
    (_SECRET, _GIVEN, _given),
    (_SECRET, _PARAMETER, _plain),
    (_SECRET, _KEYED, _keyed),
    (("</", "value"), _TAGGED, _tagged),
    (("identified", "password", "pwd"), _ASKED, _asked),
    ((" -", "login"), _OPTION, _option),
    (("sid", "session", "csrf"), _COOKIE, _cookie),
    (("mnemonic", "phrase"), _MNEMONIC, _in_words),
    (("auth",), _DOCKER, _in_words),
    ((":",), _PGPASS, _plain),
)
"""What a text holds, in small letters, where there may be some; what finds them; what is put in their place."""
