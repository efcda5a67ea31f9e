"""Makes small Python programs in which few names mean many things, and runs them."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "c", "d")
_name = st.sampled_from(NAMES)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    """An expression over the few names."""
    if depth == 0:
        return draw(st.one_of(_name, st.integers(0, 9).map(str)))
    inner = expressions(depth - 1)
    kind = draw(st.integers(0, 13))
    one, two, name = draw(inner), draw(inner), draw(_name)
    return {
        0: one,
        1: f"({one} + {two})",
        2: f"call({name}, {one})",
        3: f"[{name} + {one} for {name} in rows({two})]",
        4: f"(lambda {name}: {one})({two})",
        5: f"f'{{{one}}}'",
        6: f"({one} if {two} else {name})",
        7: f"say({one})",
        8: f"({one} or {two})",
        9: f"({name} := {one})" if depth == 2 else one,
        10: f"dict({name}={one})",
        11: f"call({name}, {name}={one})",
        12: f"keep(lambda: {one})",
        13: f"keep({one} for {name} in rows({two}))",
    }[kind]


@st.composite
def blocks(draw: st.DrawFn, depth: int = 2, indent: str = "") -> str:  # noqa: C901  # one case a statement
    """A few statements."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        name, value = draw(_name), draw(expressions())
        kind = draw(st.integers(0, 12 if depth else 4))
        inner = indent + "    "
        match kind:
            case 0 | 1:
                lines.append(f"{indent}{name} = {value}")
            case 2:
                lines.append(f"{indent}say({value})")
            case 3:
                lines.append(f"{indent}{name} += {value}")
            case 4:
                lines.append(f"{indent}{name}, {draw(_name)} = {value}, {draw(expressions(1))}")
            case 5 | 6:
                word = draw(st.sampled_from(["", "", f"nonlocal {draw(_name)}", f"global {draw(_name)}"]))
                given = draw(_name)
                lines.append(f"{indent}def {name}({given}=0):")
                if word and given not in word:
                    lines.append(f"{inner}{word}")
                lines.append(draw(blocks(depth - 1, inner)))
                lines.append(f"{inner}return {draw(expressions(1))}")
            case 7:
                lines.append(f"{indent}class {name}:\n{draw(blocks(depth - 1, inner))}")
            case 8:
                lines.append(f"{indent}for {name} in rows({value}):\n{draw(blocks(depth - 1, inner))}")
            case 9:
                lines.append(f"{indent}if {value}:\n{draw(blocks(depth - 1, inner))}")
                lines.append(f"{indent}else:\n{draw(blocks(depth - 1, inner))}")
            case 10:
                lines.append(f"{indent}try:\n{draw(blocks(depth - 1, inner))}")
                lines.append(f"{indent}except Exception as {name}:\n{inner}say(str(type({name})))")
                if draw(st.booleans()):
                    lines.append(f"{indent}finally:\n{inner}say({draw(_name)})")
            case 11:
                lines.append(f"{indent}with shelf({value}) as {name}:\n{draw(blocks(depth - 1, inner))}")
            case _:
                lines.append(f"{indent}{name}: '{draw(_name)}' = {value}")
    return "\n".join(lines)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program that Python compiles."""
    start = "\n".join(f"{name} = {number}" for number, name in enumerate(NAMES))
    inner = draw(blocks(2, "    "))
    text = (
        f"{start}\n{draw(blocks())}\ndef run(a, b=2):\n{inner}\n    say(a)\n    return b\nsay(call(run, 1))\nrecall()\n"
    )
    try:
        compile(text, "program.py", "exec")
    except SyntaxError:
        from hypothesis import reject  # noqa: PLC0415  # only where it is needed

        reject()
    return text


def outcome(text: str) -> list[str]:
    """What a program says, and how it ends; messages, which hold names, are left out."""
    said: list[str] = []

    def say(value: Any) -> Any:  # Any: whatever a program makes
        said.append(value if isinstance(value, str) and value.startswith("<class") else _plain(value))
        if len(said) > 2_000:
            raise RuntimeError("too much is said")
        return value

    def call(function: Any, *given: Any, **named: Any) -> Any:  # Any: as above
        return function(*given, **named) if callable(function) else len(given)

    @contextlib.contextmanager
    def shelf(value: Any) -> Any:  # Any: as above
        with contextlib.suppress(TypeError):
            yield value

    def rows(value: Any) -> list[int]:  # Any: as above
        return [1, 2] if value else []

    kept: list[Any] = []  # Any: functions and generators

    def keep(later: Any) -> int:  # Any: as above
        kept.append(later)
        return len(kept)

    def recall() -> None:
        for later in kept[:50]:
            try:
                say(later() if callable(later) else list(later))
            except Exception as error:  # noqa: BLE001  # how it ends is what is compared
                said.append(type(error).__name__)

    world = {"say": say, "call": call, "rows": rows, "shelf": shelf, "keep": keep, "recall": recall}
    try:
        exec(compile(text, "program.py", "exec"), world)  # the program is ours
    except (Exception, RecursionError) as error:  # noqa: BLE001  # how it ends is what is compared
        said.append(type(error).__name__)
    return said


def _plain(value: Any) -> str:  # Any: as in outcome
    if isinstance(value, (int, str)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return type(value).__name__
