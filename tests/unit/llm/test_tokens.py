import base64
import hashlib
import inspect
import random
import re
import sysconfig
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from rubber_duck.errors import InvalidInput
from rubber_duck.llm.tokens import (
    RANKS_FILE,
    RANKS_SHA256,
    count_tokens,
    cut,
    decode,
    encode,
    ranks_digest,
    unpack_ranks,
)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> tiktoken.Encoding:
    """tiktoken's own o200k, which finds our ranks where it keeps what it has downloaded, and checks their digest."""
    folder = tmp_path_factory.mktemp("ranks")
    tokens = unpack_ranks(RANKS_FILE.read_bytes())
    lines = b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))
    url = re.findall(r'"(https://[^"]+)"', inspect.getsource(openai_public.o200k_base))[0]
    (folder / hashlib.sha1(url.encode()).hexdigest()).write_bytes(lines)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        return tiktoken.Encoding(**openai_public.o200k_base())


def ten_thousand_texts() -> list[str]:
    """Pieces of the standard library's sources, and strings of characters from all planes."""
    drawn = random.Random(7)
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    sources = [file.read_text("utf-8") for file in files]
    texts = []
    for _ in range(8_000):
        source = drawn.choice(sources)
        start = drawn.randrange(len(source))
        texts.append(source[start : start + drawn.randrange(1, 400)])
    alphabet = "aZ é\n\t 0_'\"(){}ßж日本語한🦆👩‍💻\u202e\u0301\r٣"
    texts.extend("".join(drawn.choices(alphabet, k=drawn.randrange(60))) for _ in range(1_000))
    for _ in range(1_000):
        points = (drawn.randrange(0x11_0000) for _ in range(drawn.randrange(40)))
        texts.append("".join(chr(point) for point in points if not 0xD800 <= point <= 0xDFFF))
    return texts


def test_the_ranks_that_ship_are_those_that_tiktoken_would_download() -> None:
    assert ranks_digest(unpack_ranks(RANKS_FILE.read_bytes())) == RANKS_SHA256


def test_ten_thousand_texts_have_the_tokens_that_tiktoken_gives_them(oracle: tiktoken.Encoding) -> None:
    texts = ten_thousand_texts()

    differing = [text for text in texts if encode(text) != oracle.encode_ordinary(text)]

    assert (len(texts), differing) == (10_000, [])


def test_special_marks_in_a_text_are_counted_as_the_characters_they_are() -> None:
    assert len(encode("<|endoftext|>")) > 1
    assert decode(encode("<|endoftext|>")) == "<|endoftext|>"


def test_two_million_spaces_are_counted() -> None:
    assert 15_000 < count_tokens(" " * 2_000_000) < 70_000


def test_a_lone_surrogate_is_counted() -> None:
    assert count_tokens("a\ud800b") == 3


def test_a_number_that_no_token_has_is_refused() -> None:
    with pytest.raises(InvalidInput, match="300000"):
        decode([300_000])


@given(st.text(max_size=200), st.integers(0, 40), st.sampled_from(["start", "end"]))
def test_a_cut_text_is_a_part_of_the_text_within_the_budget(text: str, budget: int, keep: str) -> None:
    part = cut(text, budget, keep="start" if keep == "start" else "end")

    assert count_tokens(part) <= budget
    assert text.startswith(part) if keep == "start" else text.endswith(part)


def test_a_text_within_its_budget_is_not_cut() -> None:
    assert cut("def f(): pass", 100) == "def f(): pass"


@pytest.mark.parametrize(("keep", "kept"), [("start", "one two"), ("end", " three four")])
def test_a_cut_keeps_as_much_as_fits(keep: str, kept: str) -> None:
    assert cut("one two three four", 2, keep="start" if keep == "start" else "end") == kept
