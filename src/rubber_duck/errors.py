"""Every error that RubberDuck raises on purpose, with its stable code.

The tree (code, HTTP status, * = worth trying again):

    DuckError                    internal              500
    ├── InvalidInput             invalid_input         400   what was asked cannot be understood
    │   ├── UnknownName          unknown_name          404   no rule, engine, key, right … of that name
    │   ├── InvalidSettings      invalid_settings      400   duck.toml or a DUCK_ variable is wrong
    │   ├── NotOffered           not_offered           400   a model cannot do what was asked: fill gaps, make vectors
    │   ├── InvalidDeclaration   invalid_declaration   500   a plug-in class is declared wrongly
    │   └── InvalidPath          invalid_path          400   outside its root, or not a regular file
    ├── Unauthenticated          unauthenticated       401   nobody knows who asks
    ├── Denied                   denied                403   the scope lacks the right
    ├── NotFound                 not_found             404   no such project, file, record
    ├── Conflict                 conflict              409   exists already, or is held by somebody
    │   ├── StaleVersion         stale_version         409 * changed by somebody else since it was read
    │   └── Refused              refused               409   nobody could be sure what the code would mean after it
    ├── LimitExceeded            limit_exceeded        413   too large, too deep, too many
    │   └── BudgetExceeded       budget_exceeded       402   what may be spent on models is spent
    ├── TimedOut                 timed_out             504 * took longer than its time-out
    ├── Unavailable              unavailable           503 * something outside does not answer
    │   ├── StorageUnavailable   storage_unavailable   503 * the database cannot be opened or written
    │   ├── StruckOff            struck_off            503 * this process was taken for dead, and begins anew
    │   ├── SchemaMismatch       schema_mismatch       503   the database is newer than this program
    │   ├── ProgramUnavailable   program_unavailable   503   git, ruff … is missing or died
    │   ├── NotConfigured        not_configured        503   nobody has connected a model provider for this
    │   ├── ProviderUnavailable  provider_unavailable  503 * a model provider does not answer
    │   │   └── RateLimited      rate_limited          429 * too much was asked in too short a time
    │   ├── ProviderRejected     provider_rejected     502   a model provider refuses: the key, the model, the request
    │   └── BadAnswer            bad_answer            502 * a model provider's answer cannot be understood
    └── EngineFailed             engine_failed         500   an engine raised something of its own

A message says what happened, to which name, and what to do next. Expected verdicts are values, never errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

_FEW: Final = 8
"""So many names are listed where one is missing; more would hide the sentence."""

_CONTAINED_CHARACTERS: Final = 3  # less is contained in too much
_CONTAINING: Final = 3
_QUOTED: Final = re.compile(r"""(?<!\w)(?P<mark>['"])(?P<text>.*?)(?P=mark)(?!\w)""", re.DOTALL)
_QUOTED_CHARACTERS: Final = 100
_PATH_CHARACTERS: Final = 1000
_MESSAGE_CHARACTERS: Final = 4000


class DuckError(Exception):
    """The root of the tree; raised itself only for a foreign exception nobody foresaw."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        self.message = brief(message)
        super().__init__(self.message)


class InvalidInput(DuckError):
    """What was asked cannot be understood; asking again the same way fails the same way."""

    code = "invalid_input"
    status = 400


class UnknownName(InvalidInput):
    """Nothing of that kind has that name; the message names the nearest one."""

    code = "unknown_name"
    status = 404

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], *, where: str = "", hint: str = "") -> UnknownName:
        """The error for `name`, which is not among the `known` names of a `kind`, e.g. `"rule"`.

        `where` it was written, e.g. `" (in duck.toml)"`. When no known name is near, a few that contain it are
        suggested, or else `hint` says what to do next; without one, a few known names are listed.
        """
        known = sorted(known)
        if not hint and 0 < len(known) <= _FEW:
            hint = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"
        advice = did_you_mean(name, known) or _containing(name, known) or (f"; {hint}" if hint else "")
        return cls(f"there is no {kind} {name!r}{where}{advice}")


class InvalidSettings(InvalidInput):
    """A settings file or a `DUCK_` variable has an unknown key or a wrong value."""

    code = "invalid_settings"


class NotOffered(InvalidInput):
    """A model or its provider does not do what was asked of it, such as filling gaps; another may."""

    code = "not_offered"


class InvalidDeclaration(InvalidInput):
    """A plug-in class misses a field or gives a wrong one; raised when the class is made."""

    code = "invalid_declaration"
    status = 500


class InvalidPath(InvalidInput):
    """A path leads out of its root, or to something that is not a regular file."""

    code = "invalid_path"


class Unauthenticated(DuckError):
    """No key, or none that is known and valid."""

    code = "unauthenticated"
    status = 401


class Denied(DuckError):
    """The scope, or the operating system, does not allow it."""

    code = "denied"
    status = 403


class NotFound(DuckError):
    """The named thing does not exist, or the scope may not know that it does."""

    code = "not_found"
    status = 404


class Conflict(DuckError):
    """It exists already, or somebody else holds it."""

    code = "conflict"
    status = 409


class StaleVersion(Conflict):
    """The record was changed by somebody else after it was read: read again, then change."""

    code = "stale_version"
    retryable = True


class Refused(Conflict):
    """A change to code cannot be made without a doubt about what the code would mean after it."""

    code = "refused"


class LimitExceeded(DuckError):
    """Larger, deeper or more than a documented limit."""

    code = "limit_exceeded"
    status = 413


class TimedOut(DuckError):
    """The work did not end within its time-out and was cancelled."""

    code = "timed_out"
    status = 504
    retryable = True


class Unavailable(DuckError):
    """Something outside this process does not answer."""

    code = "unavailable"
    status = 503
    retryable = True


class StorageUnavailable(Unavailable):
    """The database cannot be reached, opened or written."""

    code = "storage_unavailable"


class StruckOff(Unavailable):
    """Others took this process for dead and its work over: whatever it does for runs counts no more."""

    code = "struck_off"


class SchemaMismatch(Unavailable):
    """The database has a schema that this version of the program does not know."""

    code = "schema_mismatch"
    retryable = False


class ProgramUnavailable(Unavailable):
    """A program that RubberDuck starts (git, ruff) is missing or ended abnormally."""

    code = "program_unavailable"
    retryable = False


class NotConfigured(Unavailable):
    """Nobody has connected a model provider, or given the role a model; the message says how."""

    code = "not_configured"
    retryable = False


class ProviderUnavailable(Unavailable):
    """A model provider cannot be reached, or says that it cannot answer now."""

    code = "provider_unavailable"


class RateLimited(ProviderUnavailable):
    """Too much was asked in too short a time. `retry_after_s`: when to ask again, in seconds; None: not said."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ProviderRejected(Unavailable):
    """A model provider refuses: a wrong key, a model it does not have, a request it does not take."""

    code = "provider_rejected"
    status = 502
    retryable = False


class BadAnswer(Unavailable):
    """A model provider's answer is malformed, ends too early or is too large."""

    code = "bad_answer"
    status = 502


class BudgetExceeded(LimitExceeded):
    """The call could cost more than is left of a budget; nothing was sent."""

    code = "budget_exceeded"
    status = 402


class EngineFailed(DuckError):
    """An engine raised an exception of its own; the cause and its traceback are kept."""

    code = "engine_failed"


def tree(root: type[DuckError] = DuckError) -> Iterator[type[DuckError]]:
    """Every error class, parents before children."""
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def normalize(error: BaseException) -> DuckError:
    """The DuckError for any exception: itself, or the fitting one with `error` as its cause.

    The traceback of `error` stays reachable through `__cause__`. Storage errors are translated by
    `storage`, not here, because this module knows no library.
    """
    if isinstance(error, DuckError):
        return error
    known = _translate(error)
    known.__cause__ = error
    return known


def brief(message: str) -> str:
    """`message` with what it quotes cut to 100 characters, a path to 1,000: a name may be as long as somebody likes."""
    if len(message) <= _QUOTED_CHARACTERS:
        return message
    cut = _QUOTED.sub(_cut, message)
    return cut if len(cut) <= _MESSAGE_CHARACTERS else f"{cut[:_MESSAGE_CHARACTERS]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the nearest known name, or nothing when none is near."""
    import difflib  # noqa: PLC0415  # a hundredth of what a command takes, and only for mistakes

    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def _containing(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'a' or 'b'?"` for the shortest of the known names that contain `name` in whatever case."""
    if len(name) < _CONTAINED_CHARACTERS:
        return ""
    found = sorted((each for each in known if name.lower() in each.lower()), key=lambda each: (len(each), each))
    *others, last = map(repr, found[:_CONTAINING]) if found else [""]
    return f"; did you mean {', '.join(others)}{' or ' if others else ''}{last}?" if last else ""


def _cut(quoted: re.Match[str]) -> str:
    text, mark = quoted["text"], quoted["mark"]
    most = _PATH_CHARACTERS if "/" in text else _QUOTED_CHARACTERS
    return quoted[0] if len(text.removesuffix("…")) <= most else f"{mark}{text[:most]}…{mark}"


def _translate(error: BaseException) -> DuckError:
    match error:
        case FileNotFoundError():
            return NotFound(f"there is no {_file(error)}")
        case PermissionError():
            return Denied(f"the operating system does not allow access to the {_file(error)}")
        case IsADirectoryError() | NotADirectoryError():
            return InvalidPath(f"the {_file(error)} is not of the kind that was expected")
        case TimeoutError():
            return TimedOut("the operation took longer than its time-out")
        case UnicodeDecodeError():
            return InvalidInput(f"text is not valid {error.encoding}: {error.reason} at byte {error.start}")
        case MemoryError():
            return LimitExceeded("there is not enough memory for this operation")
        case RecursionError():
            return LimitExceeded("the input is nested too deeply")
        case OSError():
            return Unavailable(f"the operating system refused: {error.strerror or error}")
        case _:
            return DuckError(f"{type(error).__name__}: {error}".removesuffix(": "))


def _file(error: OSError) -> str:
    return "such file" if error.filename is None else f"file {error.filename!r}"
