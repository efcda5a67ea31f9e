"""What DBOS keeps is our JSON: inputs, results and errors; nothing is ever unpickled."""

from __future__ import annotations

from typing import Any, Final, NoReturn

import dbos._serialization as theirs
import msgspec
from dbos import Serializer
from dbos import error as errors_of_dbos

from rubber_duck.errors import DuckError, InvalidInput, brief, normalize, tree

FORMAT: Final = "duck_json"
"""How rows that we wrote are marked, beside DBOS's own portable JSON."""

_ERROR: Final = "duck:error"
_TUPLE: Final = "args"


class JsonSerializer(Serializer):
    """JSON of builtins; an error is kept as its code and message, and comes back as the DuckError of that code."""

    def name(self) -> str:
        """The mark of our rows."""
        return FORMAT

    def serialize(self, data: Any) -> str:  # Any: DBOS's signature
        """Raises InvalidInput for what JSON has not, and an error of the database as it is.

        A step raises none of those. When the result of one cannot be kept, DBOS 3.4 asks for that error to be kept as
        what the step came to, and the run would fail of it for good if the database was back just then.
        """
        if isinstance(data, BaseException) and hasattr(data, "orig"):
            raise data
        shaped = _of_error(data) if isinstance(data, BaseException) else data
        try:
            return msgspec.json.encode(shaped).decode()
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise InvalidInput(f"a workflow's values must be JSON: {error}") from error

    def deserialize(cls, serialized_data: str) -> Any:  # noqa: N805  # DBOS's signature
        """The builtins, or the error."""
        value = msgspec.json.decode(serialized_data)
        if isinstance(value, dict):
            if value.keys() == {_ERROR}:
                return _to_error(value[_ERROR])
            if value.keys() == {_TUPLE, "kwargs"}:
                return {_TUPLE: tuple(value[_TUPLE]), "kwargs": value["kwargs"]}
        return value


def refuse_pickles() -> None:
    """From now on DBOS can neither read nor write a row marked `py_pickle`, whoever planted it; for this process.

    DBOS unpickles such a row even when another serializer is configured (measured with 3.4), and reading a pickle
    can run code.
    """
    theirs.DefaultSerializer.serialize = _refuse  # type: ignore[assignment,method-assign]  # this is the fence
    theirs.DefaultSerializer.deserialize = _refuse  # type: ignore[assignment,method-assign]  # this is the fence


def _refuse(*_: object) -> NoReturn:
    raise InvalidInput("a row of the workflow tables holds a pickle, which is never read; somebody else wrote it")


def own(error: BaseException) -> DuckError:
    """What a step failed with, as ours; of one that was tried several times, what the last try failed with."""
    if isinstance(error, errors_of_dbos.DBOSMaxStepRetriesExceeded) and error.errors:
        return normalize(error.errors[-1])
    return normalize(error)


def _of_error(error: BaseException) -> dict[str, object]:
    known = own(error)
    return {_ERROR: {"code": known.code, "message": known.message}}


def _to_error(kept: dict[str, str]) -> DuckError:
    kind = next((each for each in tree() if each.code == kept.get("code")), DuckError)
    return kind(brief(kept.get("message", "")))
